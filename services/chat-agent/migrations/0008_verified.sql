-- depends: 0001_chats
-- A verified result is what the verified cache knows: a question (`found_by`) and its statement. `signature` is what
-- questions that may mean the same have in common, `rests_on` the names of the tables, lower case, `came_from` the
-- verified result that it was answered by.
alter table result
    add column found_by text not null default '',
    add column signature text not null default '',
    add column dialect text not null default '',
    add column rests_on text[] not null default '{}',
    add column came_from uuid,
    add column verified boolean not null default false,
    add column verified_user_role text,
    add column verified_user_uuid uuid,
    add column fresh_at timestamptz not null default now();
create index result_verified on result (client_uuid, db_uuid, signature) where verified;
create index result_came_from on result (client_uuid, came_from) where came_from is not null;

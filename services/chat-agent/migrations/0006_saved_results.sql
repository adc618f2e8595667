-- depends: 0004_charts
-- When its rows were last fetched again, and whether a person wrote its description (a refresh then leaves it).
alter table result add column refreshed_at timestamptz, add column described boolean not null default false;

-- What a person keeps of a result under words of their own, perhaps for a team. What is saved can't be deleted.
create table saved_result (
    saved_result_uuid uuid primary key,
    client_uuid uuid not null,
    result_uuid uuid not null references result,
    user_uuid uuid not null,
    title text not null,
    subtitle text not null,
    description text not null,
    share_w_team boolean not null,
    team_uuid uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (result_uuid, user_uuid),
    check (team_uuid is not null or not share_w_team)
);
create index saved_result_of_user on saved_result (client_uuid, user_uuid);
create index saved_result_of_team on saved_result (client_uuid, team_uuid) where share_w_team;
call protect_tenant_table('saved_result');

-- depends: 0009_orphaned_chats 0008_verified_readings
-- A question that ended without an answer because none is verified (STRICT), and over which database; it waits until a
-- result that was asked for in the same words (`said_as`) is verified.
alter table prompt add column awaits text, add column awaits_over uuid;
create index prompt_awaiting on prompt (client_uuid, asked_at desc) where awaits is not null;
alter table result add column said_as text not null default '';

-- Tickets that open the stream of a chat once, known by their hash alone.
create table stream_ticket (
    ticket_hash bytea primary key,
    client_uuid uuid not null,
    chat_uuid uuid not null references chat on delete cascade,
    reader jsonb not null,
    expires_at timestamptz not null
);
create index stream_ticket_expired on stream_ticket (client_uuid, expires_at);
create index stream_ticket_of_chat on stream_ticket (chat_uuid);
call protect_tenant_table('stream_ticket');

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

-- What webhooks are signed with, sealed. `expires_at` is null for the current one; older ones sign beside it for a while.
create table webhook_secret (
    webhook_secret_uuid uuid primary key,
    client_uuid uuid not null,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz
);
create index webhook_secret_of_client on webhook_secret (client_uuid, created_at desc);
call protect_tenant_table('webhook_secret');

-- A final message on its way to a customer's server: made when the question is asked, due when it is answered. It outlives
-- its chat. `target` is the address with its headers, sealed; `body` is what is signed and sent, the same at every attempt.
create table webhook_delivery (
    delivery_uuid uuid primary key,
    client_uuid uuid not null,
    user_uuid uuid not null,
    chat_uuid uuid not null,
    prompt_uuid uuid not null unique,
    msg_uuid uuid not null,
    origin text not null,
    target bytea not null,
    body text,
    state text not null default 'waiting' check (state in ('waiting', 'queued', 'delivered', 'failed')),
    round integer not null default 0,
    attempts integer not null default 0,
    last_status integer,
    last_error text,
    created_at timestamptz not null default now(),
    due_at timestamptz,
    next_attempt_at timestamptz,
    delivered_at timestamptz
);
create index webhook_delivery_newest on webhook_delivery (client_uuid, created_at desc, delivery_uuid desc);
call protect_tenant_table('webhook_delivery');

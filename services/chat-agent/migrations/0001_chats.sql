-- Chats, their prompts with the one message that answers each, the finished steps of prompts at work, and results.

create table chat (
    chat_uuid uuid primary key,
    client_uuid uuid not null,
    team_uuid uuid not null,
    user_uuid uuid not null,
    chat_name text,
    chat_description text not null default '',
    history jsonb not null default '[]',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index chat_of_user on chat (client_uuid, user_uuid, created_at desc, chat_uuid desc);
create index chat_of_client on chat (client_uuid, created_at desc, chat_uuid desc);
call protect_tenant_table('chat');

-- `message` is what the prompt has said in the end, `initial` until then: one row, so never two final messages.
create table prompt (
    prompt_uuid uuid primary key,
    client_uuid uuid not null,
    chat_uuid uuid not null references chat on delete cascade,
    user_uuid uuid not null,
    msg_uuid uuid not null unique,
    parent_msg_uuid uuid,
    question text not null,
    run_uuid uuid not null,
    return_sql_in_thoughts boolean not null,
    asked_at timestamptz not null,
    answered_at timestamptz,
    message jsonb not null
);
create index prompt_of_chat on prompt (chat_uuid, asked_at desc, msg_uuid desc);
create index prompt_open on prompt (chat_uuid) where answered_at is null;
call protect_tenant_table('prompt');

-- Where another worker goes on when one dies; gone once the prompt is answered.
create table step (
    prompt_uuid uuid not null references prompt on delete cascade,
    name text not null,
    client_uuid uuid not null,
    outcome jsonb not null,
    finished_at timestamptz not null default now(),
    primary key (prompt_uuid, name)
);
call protect_tenant_table('step');

-- What a run's rows mean. The rows are connection-indexer's, under `run_uuid`. A result outlives its chat.
create table result (
    result_uuid uuid primary key,
    client_uuid uuid not null,
    user_uuid uuid not null,
    team_uuid uuid not null,
    chat_uuid uuid references chat on delete set null,
    prompt_uuid uuid not null unique,
    run_uuid uuid not null,
    conn_uuid uuid not null,
    db_uuid uuid not null,
    result_title text not null,
    result_subtitle text not null,
    result_description text not null,
    sql_query text not null,
    result_type text not null,
    columns jsonb not null,
    row_num_total bigint not null,
    truncated boolean not null,
    preview jsonb not null,
    bytes bigint not null,
    proof jsonb not null,
    created_at timestamptz not null default now()
);
create index result_of_user on result (client_uuid, user_uuid, created_at desc, result_uuid desc);
create index result_of_chat on result (chat_uuid);
call protect_tenant_table('result');

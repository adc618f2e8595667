-- The language model that a question asks for; none: the client's.
alter table prompt add column llm text;

-- What each prompt took, kept when its chat is deleted. `claimed_*` is reserved for the model call that is under way.
create table usage (
    prompt_uuid uuid primary key,
    client_uuid uuid not null,
    user_uuid uuid not null,
    day date not null,
    planner text not null default '',
    model text not null default '',
    prompts_version text not null default '',
    model_calls integer not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cost double precision not null default 0,
    database_seconds double precision not null default 0,
    claimed_tokens bigint not null default 0,
    claimed_cost double precision not null default 0
);
create index usage_of_client on usage (client_uuid, day);
call protect_tenant_table('usage');

-- What a client has spent or claimed in a day (UTC): one row, so that two questions can't both take the last token.
create table spending (
    client_uuid uuid not null,
    day date not null,
    tokens bigint not null,
    cost double precision not null,
    primary key (client_uuid, day)
);
call protect_tenant_table('spending');

-- Customers' databases, the logins to them, which team may ask over which login, what was indexed, and what ran.

create table database (
    client_uuid uuid not null,
    db_uuid uuid not null,
    database_type text not null,
    host text not null,
    port integer not null,
    database_name text not null,
    database_name_alias text not null,
    database_desc text not null,
    ssl_mode text not null,
    ssl_root_cert text,
    query jsonb not null,
    schemas jsonb not null,
    schema_maps jsonb not null,
    include_default_schema boolean not null,
    table_filter_string text,
    include_views boolean not null,
    include_materialized_views boolean not null,
    include_partitioned_tables boolean not null,
    index_status text not null default 'queued',
    index_progress real not null default 0,
    index_tables integer not null default 0,
    index_error text,
    index_started_at timestamptz,
    index_finished_at timestamptz,
    -- Counts what changes the catalog: a prepared one is good while its number is this. 0: never indexed.
    index_version bigint not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    -- The tenant is part of every key, so that no row can point into another tenant.
    primary key (client_uuid, db_uuid),
    unique (client_uuid, database_name_alias)
);
create index database_newest on database (client_uuid, created_at desc, db_uuid desc);

create table connection (
    client_uuid uuid not null,
    conn_uuid uuid not null,
    db_uuid uuid not null,
    username text not null,
    -- Sealed with the client and conn_uuid as context: moved to another row it doesn't open.
    password bytea not null,
    data_source_desc text not null,
    warnings text[] not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (client_uuid, conn_uuid),
    foreign key (client_uuid, db_uuid) references database on delete cascade
);
create index connection_of_database on connection (client_uuid, db_uuid, created_at desc, conn_uuid desc);

create table team_grant (
    client_uuid uuid not null,
    conn_uuid uuid not null,
    team_uuid uuid not null,
    granted_at timestamptz not null default clock_timestamp(),
    primary key (client_uuid, conn_uuid, team_uuid),
    foreign key (client_uuid, conn_uuid) references connection on delete cascade
);
create index team_grant_of_team on team_grant (client_uuid, team_uuid, granted_at);

-- A table as the database defines it (the union of what its connections see), and apart from it what an admin wrote.
create table indexed_table (
    client_uuid uuid not null,
    tbl_uuid uuid not null,
    db_uuid uuid not null,
    schema_name text not null,
    table_name text not null,
    fingerprint bytea not null,
    definition jsonb not null,
    notes jsonb not null default '{}',
    primary key (client_uuid, tbl_uuid),
    unique (client_uuid, db_uuid, schema_name, table_name),
    foreign key (client_uuid, db_uuid) references database on delete cascade
);

-- Which connection sees which table; `columns` is null when it sees them all.
create table sight (
    client_uuid uuid not null,
    conn_uuid uuid not null,
    tbl_uuid uuid not null,
    columns text[],
    primary key (client_uuid, conn_uuid, tbl_uuid),
    foreign key (client_uuid, conn_uuid) references connection on delete cascade,
    foreign key (client_uuid, tbl_uuid) references indexed_table on delete cascade
);
create index sight_of_table on sight (client_uuid, tbl_uuid);

-- A statement that ran, or runs: asked again with the same run_uuid it answers `reply` (or `error`) and runs no more.
create table run (
    client_uuid uuid not null,
    run_uuid uuid not null,
    conn_uuid uuid,
    team_uuid uuid,
    prompt_uuid uuid,
    statement text,
    state text not null check (state in ('running', 'finished', 'failed')),
    stop_requested boolean not null default false,
    attempt integer not null default 1,
    lease_until timestamptz,
    reply bytea,
    error jsonb,
    object_key text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    primary key (client_uuid, run_uuid)
);

call protect_tenant_table('database');
call protect_tenant_table('connection');
call protect_tenant_table('team_grant');
call protect_tenant_table('indexed_table');
call protect_tenant_table('sight');
call protect_tenant_table('run');

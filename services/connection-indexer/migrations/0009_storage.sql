-- depends: 0004_narrowed_grants
-- Clients' own buckets for the rows of their results.
create table storage (
    client_uuid uuid not null,
    storage_uuid uuid not null,
    alias text not null,
    storage_provider text not null,
    region text,
    bucket_name text not null,
    prefix text not null,
    endpoint text,
    ssl_root_cert text,
    -- Both keys, sealed with the client and storage_uuid as context: moved to another row they don't open.
    sealed_keys bytea not null,
    active boolean not null default false,
    -- Counts changes: what was made of the row is good while its number is this.
    version bigint not null default 1,
    -- Since when erasing the client waits for this bucket.
    erasing_since timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    primary key (client_uuid, storage_uuid),
    unique (client_uuid, alias)
);
create unique index storage_active on storage (client_uuid) where active;
create index storage_newest on storage (client_uuid, created_at desc, storage_uuid desc);

-- Where the file of a run is, or is being written: null is the installation's own storage. Set when the run begins.
alter table run add column storage_uuid uuid,
    add foreign key (client_uuid, storage_uuid) references storage;
create index run_stored on run (client_uuid, storage_uuid, run_uuid) where storage_uuid is not null;
create index run_file on run (client_uuid, object_key) where object_key is not null;

-- The last move of a client's results: to a bucket, or (null) to the installation's own storage.
create table storage_migration (
    client_uuid uuid primary key,
    migration_uuid uuid not null,
    storage_uuid uuid,
    state text not null,
    done integer not null default 0,
    failed integer not null default 0,
    error text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);

call protect_tenant_table('storage');
call protect_tenant_table('storage_migration');

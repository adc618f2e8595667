-- What every service has: job rows, the outbox of its events and the inbox of events that it has acted on.
-- These tables hold work, not tenants' content: no row-level security (a catalogue test pins the list).

create table job (
    job_uuid uuid primary key,
    client_uuid uuid not null,
    kind text not null,
    payload jsonb not null,
    state text not null default 'queued'
        check (state in ('queued', 'running', 'finished', 'failed', 'canceled')),
    run_after timestamptz not null default now(),
    lease_until timestamptz,
    attempt integer not null default 0,
    max_attempts integer not null default 5,
    error text,
    worker text,
    created_at timestamptz not null default now(),
    finished_at timestamptz
);
create index job_queued on job (client_uuid, run_after) where state = 'queued';
create index job_running on job (client_uuid, lease_until) where state = 'running';
create index job_ended on job (finished_at) where finished_at is not null;

create table outbox (
    position bigint generated always as identity primary key,
    event_id uuid not null unique,
    subject text not null,
    payload bytea not null,
    created_at timestamptz not null default now(),
    published_at timestamptz
);
create index outbox_unpublished on outbox (position) where published_at is null;

create table inbox (
    consumer text not null,
    event_id text not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);
create index inbox_received on inbox (received_at);

-- Each migration that creates a table with tenants' content says: call protect_tenant_table('name');
-- Without a tenant the setting is absent or empty, so no row is visible and none can be written.
create procedure protect_tenant_table(name regclass) language plpgsql as $$
begin
    execute format('alter table %s enable row level security', name);
    execute format('alter table %s force row level security', name);
    execute format(
        'create policy tenant on %s'
        ' using (client_uuid = nullif(current_setting(''app.client_uuid'', true), '''')::uuid)'
        ' with check (client_uuid = nullif(current_setting(''app.client_uuid'', true), '''')::uuid)',
        name
    );
end
$$;
revoke all on procedure protect_tenant_table(regclass) from public;

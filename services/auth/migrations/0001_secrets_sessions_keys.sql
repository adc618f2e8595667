-- Client secrets and sessions of the tenants; signing keys, revocations and the look-up of secrets of the platform.

-- A secret is known by its hash before its tenant is: only this table may be asked without one.
create table secret_lookup (
    secret_hash bytea primary key,
    client_uuid uuid not null,
    client_secret_uuid uuid not null unique
);

create table client_secret (
    -- The operator's INTERNAL secrets, which belong to no client, have the nil UUID here.
    client_uuid uuid not null,
    client_secret_uuid uuid not null,
    role text not null check (role in ('INTERNAL', 'OWNER', 'ADMIN', 'MEMBER', 'SERVICE_MEMBER', 'SUB_MEMBER')),
    prefix text not null,
    description text not null,
    user_uuid uuid,
    is_first boolean not null default false,
    created_at timestamptz not null default now(),
    last_used timestamptz,
    revoked_at timestamptz,
    primary key (client_uuid, client_secret_uuid)
);
create index client_secret_newest on client_secret (client_uuid, created_at desc, client_secret_uuid desc)
    where revoked_at is null;
create unique index client_secret_first on client_secret (client_uuid) where is_first and revoked_at is null;
call protect_tenant_table('client_secret');

create table session (
    client_uuid uuid not null,
    session_uuid uuid not null,
    user_uuid uuid not null,
    client_secret_uuid uuid not null,
    -- The user's role when the session began. Another one later means that the session has ended.
    role text not null check (role in ('OWNER', 'ADMIN', 'MEMBER', 'SERVICE_MEMBER', 'SUB_MEMBER')),
    token_hash bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (client_uuid, session_uuid),
    foreign key (client_uuid, client_secret_uuid) references client_secret
);
create index session_of_user on session (client_uuid, user_uuid) where revoked_at is null;
create index session_of_secret on session (client_uuid, client_secret_uuid);
call protect_tenant_table('session');

-- What the other services must learn within seconds. Written with the row that is revoked, then put into KV; a row is
-- kept for as long as a token can live that the services verify by themselves.
create table revocation (
    name text primary key,
    revoked_at timestamptz not null default now(),
    published_at timestamptz
);
create index revocation_unpublished on revocation (revoked_at) where published_at is null;

create table signing_key (
    kid text primary key,
    public_jwk jsonb not null,
    sealed_private_key bytea not null,
    created_at timestamptz not null,
    -- Not used before, so that every service has the public key by then; nor before it is published.
    active_from timestamptz not null,
    published_at timestamptz
);

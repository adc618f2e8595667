-- Clients (tenants), their users, teams and memberships. Every table with a client's content hides it from the others.

-- Which clients there are, for the operator to walk through: no content of theirs.
create table client_directory (
    client_uuid uuid primary key,
    created_at timestamptz not null default now()
);
create index client_directory_newest on client_directory (created_at desc, client_uuid desc);

create table client (
    client_uuid uuid primary key,
    client_name text not null,
    description text not null,
    verify_mode text not null default 'EXPLORE' check (verify_mode in ('STRICT', 'EXPLORE')),
    created_at timestamptz not null default now()
);
call protect_tenant_table('client');

create table client_user (
    client_uuid uuid not null references client on delete cascade,
    user_uuid uuid not null,
    username text not null,
    role text not null check (role in ('OWNER', 'ADMIN', 'MEMBER', 'SERVICE_MEMBER', 'SUB_MEMBER')),
    email_address text,
    service_user_uuid uuid,
    created_at timestamptz not null default now(),
    primary key (client_uuid, user_uuid),
    -- The tenant is part of every key, so that no row can point into another tenant.
    foreign key (client_uuid, service_user_uuid) references client_user on delete set null (service_user_uuid)
);
create index client_user_newest on client_user (client_uuid, created_at desc, user_uuid desc);
create index client_user_service on client_user (client_uuid, service_user_uuid) where service_user_uuid is not null;
create index client_user_owners on client_user (client_uuid) where role = 'OWNER';
call protect_tenant_table('client_user');

create table team (
    client_uuid uuid not null references client on delete cascade,
    team_uuid uuid not null,
    team_name text not null,
    team_desc text not null,
    created_at timestamptz not null default now(),
    primary key (client_uuid, team_uuid)
);
create index team_newest on team (client_uuid, created_at desc, team_uuid desc);
call protect_tenant_table('team');

create table membership (
    client_uuid uuid not null,
    team_uuid uuid not null,
    user_uuid uuid not null,
    created_at timestamptz not null default now(),
    primary key (client_uuid, team_uuid, user_uuid),
    foreign key (client_uuid, team_uuid) references team on delete cascade,
    foreign key (client_uuid, user_uuid) references client_user on delete cascade
);
create index membership_of_user on membership (client_uuid, user_uuid);
call protect_tenant_table('membership');

-- depends: 0003_client_state
-- What the operator gives one client in place of the installation's limits; what is absent is the installation's.
alter table client add column quota jsonb not null default '{}';

-- From which origins web pages may call, of all clients: a preflight names no client. Written with the settings.
create table client_origin (
    client_uuid uuid not null,
    origin text not null,
    primary key (origin, client_uuid)
);
create index client_origin_of_client on client_origin (client_uuid);

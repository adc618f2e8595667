-- depends: 0001_clients_users_teams
-- A client is suspended and resumed by the operator; one that is deleted is erased by a job, everywhere.
alter table client add column state text not null default 'active'
    check (state in ('active', 'suspended', 'erasing'));

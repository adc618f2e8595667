-- depends: 0001_clients_users_teams
-- ClientSettings of the contract; what is absent has its default.
alter table client add column settings jsonb not null default '{}';

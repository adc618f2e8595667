-- depends: 0001_databases
-- How many statements a client has running is counted whenever one begins.
create index run_running on run (client_uuid, lease_until) where state = 'running';

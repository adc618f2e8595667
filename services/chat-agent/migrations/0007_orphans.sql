-- depends: 0006_saved_results
-- What a result lost of what it was asked in: it is marked, and some of it expires early.
alter table result add column orphan_type text;
create index result_of_team on result (client_uuid, team_uuid);
create index result_of_connection on result (client_uuid, conn_uuid);

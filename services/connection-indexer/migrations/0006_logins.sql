-- depends: 0004_narrowed_grants
-- Which of the database's schemas a login reads, with its own values; null: all, as the database has them.
alter table connection add column schemas jsonb, add column schema_maps jsonb;

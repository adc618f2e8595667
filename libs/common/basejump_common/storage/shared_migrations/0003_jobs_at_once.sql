-- depends: 0002_idempotency
-- How many jobs of its client may run at once, this one included, where that is less than the workers' own limit.
alter table job add column at_once integer;

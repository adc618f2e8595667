-- depends: 0003_jobs_at_once
-- The operator's calls are no client's, but their answers may be about one: they go when it is erased, the key stays bound.
alter table idempotency add column about uuid;
create index idempotency_about on idempotency (about) where about is not null;

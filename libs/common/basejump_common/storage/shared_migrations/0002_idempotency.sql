-- depends: 0001_jobs_and_events
-- What calls with an Idempotency-Key were answered: work, not tenants' content. `call` is a hash of caller, operation
-- and key; `request` (its digest) and `answer` are sealed under the master key. `answer` is absent while the call is
-- at work (the row isn't committed then) and once it may no longer be shown.

create table idempotency (
    call bytea primary key,
    client_uuid uuid not null,
    request bytea,
    answer bytea,
    answer_until timestamptz,
    created_at timestamptz not null default now()
);
create index idempotency_created on idempotency (created_at);
create index idempotency_answer_until on idempotency (answer_until) where answer is not null;

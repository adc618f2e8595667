-- depends: 0009_orphaned_chats
-- Looking for results to expire begins with the first question that is answered. For those that were answered before
-- there was such a look it begins here: a night of a client for which it has begun already is the same night.
alter table result no force row level security;
insert into job (job_uuid, client_uuid, kind, payload, run_after)
    select gen_random_uuid(), client_uuid, 'expire', '{}', now() + random() * interval '6 hours'
    from (select distinct client_uuid from result) having_results;
alter table result force row level security;

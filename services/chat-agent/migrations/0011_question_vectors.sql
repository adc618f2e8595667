-- depends: 0010_awaiting_verification
-- What an embeddings model says of the question of a verified result, as 32-bit numbers; another model's replaces it.
create table question_vector (
    result_uuid uuid primary key references result on delete cascade,
    client_uuid uuid not null,
    model text not null,
    vector bytea not null
);
call protect_tenant_table('question_vector');

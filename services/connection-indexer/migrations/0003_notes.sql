-- depends: 0002_running
-- Who wrote last about a table, and when. A table that was written about stays when the database drops it (no
-- connection sees it then, and its fingerprint is empty), so that it is known again when it comes back.
alter table indexed_table add column changed_by uuid, add column changed_at timestamptz;

-- What an admin changed about a table, field by field; `column_name` is null where it is the table's own.
create table table_change (
    client_uuid uuid not null,
    change_uuid uuid not null,
    tbl_uuid uuid not null,
    column_name text,
    field text not null,
    before jsonb,
    after jsonb,
    changed_by uuid not null,
    changed_at timestamptz not null,
    primary key (client_uuid, change_uuid),
    foreign key (client_uuid, tbl_uuid) references indexed_table on delete cascade
);
create index table_change_newest on table_change (client_uuid, tbl_uuid, changed_at desc, change_uuid desc);

-- Functions that queries may call because an admin says so.
alter table database add column functions text[] not null default '{}';

call protect_tenant_table('table_change');

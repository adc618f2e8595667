"""What the catalogue says about a schema: asked by the tests that pin which tables hold no tenant's content."""

from basejump_common.storage.database import Transaction

# The bookkeeping of the migrations and the tables that every service has.
PLATFORM_TABLES = (
    "_yoyo_log",
    "_yoyo_migration",
    "_yoyo_version",
    "idempotency",
    "inbox",
    "job",
    "outbox",
    "yoyo_lock",
)

_UNPROTECTED = """
    select relname from pg_class
    where relnamespace = $1::regnamespace and relkind in ('r', 'p', 'm', 'f')
      and not (
          relrowsecurity and relforcerowsecurity
          and exists (select from pg_policy where polrelid = pg_class.oid)
      )
    order by relname
"""


async def tables_without_row_security(tx: Transaction, schema: str) -> list[str]:
    """Names of the tables in `schema` whose rows are not hidden from other tenants, in order."""
    return [row["relname"] for row in await tx.fetch(_UNPROTECTED, schema)]

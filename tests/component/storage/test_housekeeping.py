"""Old rows are forgotten, young ones and those still needed are not."""

from uuid import uuid4

from basejump_common.storage import inbox, outbox
from basejump_common.storage.database import Database
from basejump_common.storage.housekeeping import clean
from basejump_common.storage.outbox import OutboxMessage


async def test_only_what_nobody_needs_is_forgotten(notes: Database) -> None:
    old, young, unpublished = uuid4(), uuid4(), uuid4()
    async with notes.platform() as tx:
        await clean(tx)
        for event in (old, young, unpublished):
            await outbox.add(tx, OutboxMessage(id=event, subject="x", payload=b"{}"))
            await inbox.first_time(tx, event, "housekeeping")
        await tx.execute("update outbox set published_at = now() - interval '40 days' where event_id = $1", old)
        await tx.execute("update outbox set published_at = now() where event_id = $1", young)
        await tx.execute("update inbox set received_at = now() - interval '40 days' where event_id = $1", str(old))
        assert await clean(tx) == 2
        left = {
            row["event_id"]
            for row in await tx.fetch("select event_id from outbox where event_id = any($1)", [old, young, unpublished])
        }
        assert left == {young, unpublished}
        await tx.execute("delete from outbox where event_id = any($1)", [young, unpublished])

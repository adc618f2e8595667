"""What another service of the operator's says to an installation."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec

from basejump_common.bus.events import CloudEvent
from basejump_common.contracts.operation import Data, EventType
from installation import Installation


async def say(installation: Installation, event: EventType[Data], client_uuid: UUID, data: Data) -> None:
    """Publish it, under an id that is a text of the service's own."""
    message = CloudEvent(
        id=f"migration {uuid4()}",
        source="migrations",
        type=event.name,
        subject="",
        time=datetime.now(UTC),
        clientuuid=client_uuid,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )
    async with installation.bus("external") as bus:
        await bus.jetstream.publish(event.subject(client_uuid), msgspec.json.encode(message))

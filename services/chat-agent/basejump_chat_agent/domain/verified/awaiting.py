"""What a STRICT client's members can't be told until somebody verifies it."""

from uuid import UUID

import msgspec

from basejump_chat_agent.domain.verified.wording import said_as, words_of


class Awaiting(msgspec.Struct, frozen=True, kw_only=True):
    """A question over a database; `said_as` is the same however it is opened, spaced or spelled."""

    db_uuid: UUID
    said_as: str


def awaiting(db_uuid: UUID, question: str) -> Awaiting | None:
    """None for a question by which no verified answer could be found: verifying one wouldn't help."""
    words = words_of(question)
    return Awaiting(db_uuid=db_uuid, said_as=said_as(words)) if words else None

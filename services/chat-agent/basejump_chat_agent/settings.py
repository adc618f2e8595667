"""Settings of chat-agent: BASEJUMP_<FIELD>."""

from typing import Annotated

from msgspec import Meta

from basejump_common.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """What every service with tables needs, and how prompts are worked on."""

    prompts_at_once: Annotated[int, Meta(description="Prompts that one process answers at the same time.", ge=1)] = 16
    prompts_per_client: Annotated[
        int, Meta(description="Prompts of one client answered at the same time, over all processes.", ge=1)
    ] = 8
    index_wait_seconds: Annotated[
        float, Meta(description="How long a question waits for a database that is being indexed.", ge=0)
    ] = 600.0
    patience_seconds: Annotated[
        float, Meta(description="How long a prompt tries again while a service that it needs is away.", ge=0)
    ] = 30.0

"""Vectors of questions, by the embeddings model that the operator chose.

What happens while that is away is decided here: nobody waits for it longer than `embeddings_seconds`, and once it has
failed it isn't asked for half a minute. Meanwhile, and until its library is imported, questions are told by their words
alone.
"""

import asyncio
import importlib
import logging
import math
import os
from array import array
from collections.abc import Sequence
from typing import Any, TypeAlias

from basejump_chat_agent.adapters.importing import alone
from basejump_chat_agent.settings import ModelSettings

Vector: TypeAlias = "array[float]"

MOST_AT_ONCE = 100
"""Texts of one call; what is left gets its vector with a later question."""

LONGEST = 4_096
"""Numbers of a vector."""

REST_SECONDS = 30.0

log = logging.getLogger(__name__)


class Embeddings:
    """`model` is `provider:model`, empty for none."""

    def __init__(self, settings: ModelSettings) -> None:
        self.model = settings.embeddings
        self._settings = settings
        self._client: Any = None
        self._asked_from = 0.0

    async def warm_up(self) -> None:
        """Import what the model needs, which takes seconds."""
        if not self.model:
            return
        try:
            self._client = await asyncio.to_thread(alone, lambda: _made(self._settings))
        except Exception:
            # Each provider checks its settings in its own way. Questions are answered without it; the log learns why.
            log.exception("the embeddings model %s can't be used", self.model)

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        """Of each of at most MOST_AT_ONCE texts, in their order; None when there is no model, or it is away."""
        if self._client is None or _now() < self._asked_from:
            return None
        try:
            async with asyncio.timeout(self._settings.embeddings_seconds):
                return _checked(await self._client.aembed_documents(list(texts)), len(texts))
        except Exception as error:  # noqa: BLE001 - providers fail in ways of their own, none of which ends a question
            log.warning("the embeddings model %s failed: %s", self.model, type(error).__name__)
            self._asked_from = _now() + REST_SECONDS
            return None


def _made(settings: ModelSettings) -> Any:
    provider = settings.embeddings.partition(":")[0]
    given: dict[str, Any] = {}
    if provider in ("openai", "azure_openai"):
        # A question is short enough; to count its tokens the client would fetch a table from the network.
        given = {"check_embedding_ctx_length": False, "max_retries": 0, "timeout": settings.embeddings_seconds}
    if provider == "openai":
        address = settings.openai_base_url or os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
        if address:
            given["base_url"] = address
        if settings.openai_api_key is not None:
            given["api_key"] = settings.openai_api_key.reveal()
    return importlib.import_module("langchain.embeddings").init_embeddings(settings.embeddings, **given)


def _checked(vectors: Sequence[Sequence[float]], count: int) -> list[Vector]:
    """Raises ValueError for what can't be compared."""
    checked = [array("f", vector) for vector in vectors]
    sizes = {len(vector) for vector in checked}
    if len(checked) != count or len(sizes) != 1 or not 1 <= max(sizes) <= LONGEST:
        raise ValueError("not one vector of one length for each text")
    if not all(math.isfinite(number) for vector in checked for number in vector):
        raise ValueError("a vector with what is no number")
    return checked


def _now() -> float:
    return asyncio.get_running_loop().time()

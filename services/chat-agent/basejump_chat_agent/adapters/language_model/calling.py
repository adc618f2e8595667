"""One call of a language model: asked again with back-off while it is busy or away, then its fallback is asked."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain_core.exceptions import (
    ModelAuthenticationError,
    ModelError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
)
from langchain_core.messages import AIMessage

from basejump_chat_agent.adapters.language_model import bounds
from basejump_chat_agent.adapters.language_model.models import Models
from basejump_chat_agent.domain import failures
from basejump_chat_agent.domain.failures import CannotGoOn

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
_MISCONFIGURED = (ModelAuthenticationError, ModelPermissionDeniedError, ModelNotFoundError)

Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
Tell = Callable[[str], Awaitable[None]]

log = logging.getLogger(__name__)


class Calling:
    """`retries`: how often a model is asked again; `seconds`: how long one call may take."""

    def __init__(self, models: Models, retries: int, seconds: float) -> None:
        self._models = models
        self._retries = retries
        self._seconds = seconds

    async def call(
        self, names: tuple[str, ...], request: ModelRequest[Any], handler: Handler, tell: Tell
    ) -> tuple[str, AIMessage]:
        """The model that answered and its answer. Raises CannotGoOn, of the first model's failure, and OutOfBounds."""
        failed: CannotGoOn | None = None
        for name in names:
            try:
                model = await self._models.get(name)
                return name, await self._patiently(name, request.override(model=model), handler)
            except CannotGoOn as failure:
                failed = failed or failure
                if name != names[-1]:
                    await tell("The language model doesn't answer; another one is asked.")
        raise failed or failures.no_answer()

    async def _patiently(self, name: str, request: ModelRequest[Any], handler: Handler) -> AIMessage:
        for attempt in range(self._retries + 1):
            try:
                async with asyncio.timeout(self._seconds):
                    return _message(await handler(request))
            except bounds.OutOfBounds:
                raise
            except Exception as error:
                # Providers fail in ways of their own; what langchain doesn't know may pass like a broken connection.
                failure = _failure(name, error)
                log.warning("%s failed: %s", name, type(error).__name__)
                if attempt == self._retries or not _may_pass(error):
                    raise failure from error
                pause = _pause(attempt, error)
            await asyncio.sleep(pause)
        raise failures.model_unavailable(name)


def _message(response: ModelResponse[Any]) -> AIMessage:
    message = response.result[0]
    if not isinstance(message, AIMessage):
        raise TypeError("a model answers with a message of its own")
    bounds.check(message)
    return message


def _may_pass(error: Exception) -> bool:
    return error.is_retryable if isinstance(error, ModelError) else True


def _failure(name: str, error: Exception) -> CannotGoOn:
    if isinstance(error, _MISCONFIGURED):
        return failures.model_misconfigured(name)
    if isinstance(error, ModelRateLimitError):
        return failures.model_rate_limited(name)
    return failures.model_unavailable(name)


def _pause(attempt: int, error: Exception) -> float:
    """Doubling, with jitter; or what the provider asks for, within reason."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    asked = str(headers.get("retry-after", ""))
    pause: float = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) * random.uniform(0.5, 1)  # noqa: S311 - no secret
    return max(pause, min(float(asked), LONGEST_PAUSE)) if asked.replace(".", "", 1).isdigit() else pause

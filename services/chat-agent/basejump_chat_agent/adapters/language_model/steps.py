"""Around every call of the model and of a tool: each is a finished step or becomes one, and none is one too many.

An attempt that resumes runs the agent from its beginning; what earlier attempts finished is taken from the rows, so
that the model and the tools are only asked for what is new.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, message_to_dict, messages_from_dict
from langgraph.prebuilt.tool_node import ToolCallRequest

from basejump_chat_agent import prompts
from basejump_chat_agent.adapters.language_model.bounds import OutOfBounds
from basejump_chat_agent.adapters.language_model.calling import Calling, Handler
from basejump_chat_agent.adapters.language_model.tools import AT_WORK, SHOWING_ROWS, described_tools, run_sql
from basejump_chat_agent.adapters.language_model.work import AtWork, Ended, ModelTurn, ToolReply
from basejump_chat_agent.adapters.prices import Prices
from basejump_chat_agent.domain import failures, rendering
from basejump_chat_agent.domain.answerer import ModelCall
from basejump_chat_agent.domain.failures import TryAgain
from basejump_chat_agent.domain.meter import Spent

_TOOLS_TOKENS = 400
"""About what the descriptions of our tools take."""
_LONGEST_COMPLAINT = 1_000
"""Of langchain about the arguments of a tool, which it repeats."""

Request: TypeAlias = ModelRequest[AtWork]
ToolHandler: TypeAlias = Callable[[ToolCallRequest], Awaitable[Any]]


class Steps(AgentMiddleware[AgentState[Any], AtWork, Any]):
    """The middleware of every question."""

    def __init__(self, calling: Calling, prices: Prices, output_tokens: int) -> None:
        super().__init__()
        self._output_tokens = output_tokens
        self._calling = calling
        self._prices = prices

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[ModelResponse[Any]]]
    ) -> AIMessage:
        """The model's next turn."""
        work = _work(request.runtime.context)
        permitted = _permitted(request, work)
        message = await self._turn(work, permitted, handler)
        silent = not work.words and not message.tool_calls
        if silent or work.invents(work.words):
            hint = HumanMessage(work.objection or prompts.text("nudge"))
            again = [*request.messages, *([] if silent else [message]), hint]
            message = await self._turn(work, permitted.override(messages=again), handler)
            if work.objection:
                raise failures.out_of_bounds(work.objection)
        return message

    async def _turn(self, work: AtWork, request: Request, handler: Handler) -> AIMessage:
        work.check_limits()
        work.turns += 1
        tokens = rendering.tokens("".join(str(said.content) for said in request.messages)) + _TOOLS_TOKENS
        turn = await work.tools.call_model(
            f"model {work.turns}",
            ModelCall(
                tokens=tokens + self._output_tokens,
                cost=self._prices.cost(work.rules.llm, tokens, self._output_tokens) or 0.0,
                outcome=ModelTurn,
                perform=lambda: self._ask(work, request, handler),
                spent=self._spent,
                statements=lambda turn: _statements(turn, work.turns),
            ),
        )
        message = messages_from_dict([turn.message])[0]
        assert isinstance(message, AIMessage)
        work.objection = turn.objection
        work.open_calls = len(message.tool_calls)
        work.words = "" if message.tool_calls else rendering.plain(message.content).strip()
        return message

    async def _ask(self, work: AtWork, request: Request, handler: Handler) -> ModelTurn:
        names = tuple(dict.fromkeys(name for name in (work.rules.llm, work.rules.fallback_llm) if name))
        guess = rendering.tokens("".join(str(said.content) for said in request.messages)) + _TOOLS_TOKENS
        try:
            model, message = await self._calling.call(names, request, handler, work.tools.tell)
        except OutOfBounds as beyond:
            # Where nobody says what the turn took, nor which model it was: the most that the first one may take.
            refused = AIMessage(content="", usage_metadata=beyond.used)
            return _model_turn(names[0], refused, (guess, self._output_tokens), str(beyond))
        return _model_turn(model, message, (guess, rendering.tokens(str(message.content))))

    def _spent(self, turn: ModelTurn) -> Spent:
        cost = self._prices.cost(turn.model, turn.input_tokens, turn.output_tokens)
        return Spent(model=turn.model, input_tokens=turn.input_tokens, output_tokens=turn.output_tokens, cost=cost)

    async def awrap_tool_call(self, request: ToolCallRequest, handler: ToolHandler) -> ToolMessage:
        """What the tool says; one at a time, so that what came of them has one order in every attempt. Raises Ended
        with the last reply of a turn after which nothing is left to do."""
        work = _work(request.runtime.context)
        async with work.one_at_a_time:
            reply = await self._reply(work, request, handler)
            work.open_calls -= 1
        if work.done and not work.open_calls:
            raise Ended
        return ToolMessage(
            content=reply.said,
            name=request.tool_call["name"],
            tool_call_id=request.tool_call["id"],
            status="error" if reply.failed else "success",
        )

    async def _reply(self, work: AtWork, request: ToolCallRequest, handler: ToolHandler) -> ToolReply:
        call = request.tool_call
        if work.note(call["name"], call["args"]) > 1:
            reply = ToolReply(said="You did exactly that before, and its outcome is the same. Do something else.")
        else:
            work.call = f"{work.turns}.{_place(request)}"
            reply = await work.tools.step(f"tool {work.call}", ToolReply, lambda: _perform(work, request, handler))
            if reply.ran is not None:
                work.tools.meter.statement_ran(reply.ran)
        work.replies.append(reply)
        if reply.told_missing:
            work.may_repeat(call["name"], call["args"])
        return reply


async def _perform(work: AtWork, request: ToolCallRequest, handler: ToolHandler) -> ToolReply:
    """*Try again* is told to the model, with why; *stop* passes through."""
    AT_WORK.set(work)
    if not _may_call(work, request.tool_call["name"]):
        return ToolReply(said="There is no such tool.", failed=True)
    try:
        message = await handler(request)
    except TryAgain as failure:
        work.check_repairs(failure)
        # What a database says about a statement may quote its rows.
        told = work.tools.shows_rows or failure.code != "query_failed"
        return ToolReply(said=f"{failure.code}: {failure.reason if told else 'it failed in the database'}", failed=True)
    if isinstance(message, ToolMessage) and isinstance(message.artifact, ToolReply):
        return message.artifact
    said = rendering.plain(getattr(message, "content", ""))[:_LONGEST_COMPLAINT]
    return ToolReply(said=said or "That can't be called so.", failed=True)


def _model_turn(model: str, message: AIMessage, guess: tuple[int, int], objection: str = "") -> ModelTurn:
    used = message.usage_metadata
    return ModelTurn(
        message=message_to_dict(message),
        model=model,
        input_tokens=used["input_tokens"] if used else guess[0],
        output_tokens=used["output_tokens"] if used else guess[1],
        objection=objection,
    )


def _permitted(request: Request, work: AtWork) -> Request:
    return request.override(tools=[tool for name, tool in described_tools().items() if _may_call(work, name)])


def _may_call(work: AtWork, tool: str) -> bool:
    """A tool that isn't offered is not carried out either: a model may well know of it."""
    return work.tools.shows_rows or tool not in SHOWING_ROWS


def _statements(turn: ModelTurn, number: int) -> dict[str, str]:
    """What a turn wants to run, by the keys that its calls will have."""
    calls = enumerate(turn.message["data"].get("tool_calls") or ())
    asked = {f"{number}.{place}": call["args"].get("sql") for place, call in calls if call["name"] == run_sql.__name__}
    return {key: sql for key, sql in asked.items() if isinstance(sql, str)}


def _place(request: ToolCallRequest) -> int:
    """Which of its turn's calls it is."""
    latest = next((said for said in reversed(request.state["messages"]) if isinstance(said, AIMessage)), None)
    calls = latest.tool_calls if latest is not None else []
    return next((place for place, call in enumerate(calls) if call["id"] == request.tool_call["id"]), 0)


def _work(context: AtWork | None) -> AtWork:
    assert context is not None, "the agent is run with a question at work"
    return context

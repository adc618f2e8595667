"""Answers without a language model: no network, no key, the same answer every time."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

import basejump_planner as builtin
from basejump_chat_agent.domain import failures
from basejump_chat_agent.domain.answerer import Answered, Asked, Toolbox
from basejump_chat_agent.domain.failures import NeedsPerson, NoSuchValue
from basejump_chat_agent.domain.missing import put_right, which_is_meant, which_word_is_meant
from basejump_common.contracts.connection import Column, FoundValue, Likeness, MissingValue, Table

Values: TypeAlias = tuple[builtin.ValueHit, ...]


class BuiltinAnswerer:
    """`basejump_planner` behind the port. It takes milliseconds of CPU, so it works in a thread."""

    async def answer(self, asked: Asked, tools: Toolbox) -> Answered:
        """See `Answerer.answer`."""
        question = _Question(asked, tools)
        plan: builtin.Plan = await tools.step("built-in plan", builtin.Plan, question.plan)
        await tools.think(f"I understand the question as: {plan.reading}", plan.sql)
        try:
            ran = await tools.run_sql("1", plan.sql)
        except NoSuchValue as failure:
            values = failure.values
            plan = await tools.step("plan put right", builtin.Plan, lambda: question.put_right(plan, values))
            await tools.think(f"I understand the question as: {plan.reading}", plan.sql)
            ran = await tools.run_sql("2", plan.sql, tuple(value.value for value in values))
        tools.meter.statement_ran(ran)
        return Answered(reading=plan.reading, ran=ran)


class _Question:
    """One question, planned with what its words are found to be in the data."""

    def __init__(self, asked: Asked, tools: Toolbox) -> None:
        self._asked = asked
        self._tools = tools
        self._tables = _tables(asked.tables)

    async def plan(self) -> builtin.Plan:
        """Raises CannotGoOn, and NeedsPerson where values like a word would be understood."""
        asked = self._asked
        place = builtin.nth(asked.question)
        # The latest list: "the third one" after "the second one" is of the same.
        earlier = next((turn for turn in reversed(asked.turns) if turn.row_count > 1), None)
        if place is not None and earlier is not None and earlier.sql:
            columns = [column.name for column in earlier.columns]
            return _planned(
                builtin.row_of(place, earlier.question, earlier.sql, columns, earlier.rows, dialect=asked.dialect)
            )
        return _planned(await self._planned(asked.meant))

    async def put_right(self, plan: builtin.Plan, missing: Sequence[MissingValue]) -> builtin.Plan:
        """The plan with values that differ from missing ones in form alone; as it was where nothing is like them.

        Raises NeedsPerson where other values are near.
        """
        same = {value.value: value.same for value in missing if value.same is not None and not value.pattern}
        asked_back = which_is_meant(value for value in missing if value.value not in same)
        if asked_back is not None:
            raise NeedsPerson(asked_back)
        again = await self._planned(put_right(self._asked.meant, same)) if same else plan
        return plan if isinstance(again, builtin.CannotAnswer) else _taking(again, same)

    async def _planned(self, question: str) -> builtin.Plan | builtin.CannotAnswer:
        """By values that are there; else by what the question says of a column; else by values like its words."""
        phrases = await asyncio.to_thread(builtin.value_phrases, question, self._tables)
        found = _values(await self._tools.find_values(phrases, self._asked.tables))
        plan = await self._plan_with(question, found)
        if isinstance(plan, builtin.Plan) or not plan.not_understood:
            return plan
        said = await asyncio.to_thread(builtin.values_as_said, question, self._tables)
        supposed = await self._plan_with(question, (*found, *said)) if said else plan
        return (
            supposed if isinstance(supposed, builtin.Plan) else await self._by_likeness(question, plan, phrases, found)
        )

    async def _by_likeness(
        self, question: str, refusal: builtin.CannotAnswer, phrases: Sequence[str], found: Values
    ) -> builtin.Plan | builtin.CannotAnswer:
        """Taking a value for a word that differs from it in form alone; asking when it is another word."""
        unknown = _words(refusal.not_understood)
        wanted = tuple(phrase for phrase in phrases if unknown & _words([phrase]))
        if not unknown <= _words(wanted) or unknown & builtin.FIGURES:
            return refusal
        alike = await self._tools.find_values(wanted, self._asked.tables, closest=True)
        forms = _forms(alike)
        known = (*found, *_values(forms))
        if forms and isinstance(plan := await self._plan_with(question, known), builtin.Plan):
            return _taking(plan, {one.phrase: one.value for one in forms})
        near = [one for one in alike if one not in forms and one.likeness is not Likeness.EQUAL]
        fitting = [one for one in near if await self._fits(question, (*known, *_values([one])))]
        if fitting:
            raise NeedsPerson(which_word_is_meant([one for one in fitting if one.phrase == fitting[0].phrase]))
        return refusal

    async def _fits(self, question: str, values: Values) -> bool:
        return isinstance(await self._plan_with(question, values), builtin.Plan)

    async def _plan_with(self, question: str, values: Values) -> builtin.Plan | builtin.CannotAnswer:
        return await asyncio.to_thread(builtin.plan, question, self._tables, values, dialect=self._asked.dialect)


def _forms(alike: Sequence[FoundValue]) -> list[FoundValue]:
    """Those that are the only value of their phrase's form."""
    forms = [one for one in alike if one.likeness is Likeness.FORM]
    return [one for one in forms if {other.value for other in forms if other.phrase == one.phrase} == {one.value}]


def _words(phrases: Iterable[str]) -> set[str]:
    return {word for phrase in phrases for word in re.findall(r"\w+", phrase.lower())}


def _taking(plan: builtin.Plan, values: Mapping[str, str]) -> builtin.Plan:
    """The plan, saying what was taken for what."""
    taken = " and ".join(f"“{word}” as “{value}”" for word, value in values.items() if word != value)
    return msgspec.structs.replace(plan, reading=f"{plan.reading}, taking {taken}") if taken else plan


def _planned(plan: builtin.Plan | builtin.CannotAnswer) -> builtin.Plan:
    if isinstance(plan, builtin.CannotAnswer):
        raise failures.needs_language_model(plan.reason)
    return plan


def _tables(tables: tuple[Table, ...]) -> tuple[builtin.Table, ...]:
    return tuple(
        builtin.Table(
            schema=table.schema_name,
            name=table.table_name,
            description=table.context,
            columns=tuple(_column(column) for column in table.columns if not column.ignore),
            foreign_keys=tuple(
                builtin.ForeignKey(
                    columns=key.columns,
                    references_schema=key.references_schema,
                    references_table=key.references_table,
                    references_columns=key.references_columns,
                )
                for key in table.foreign_keys
            ),
            row_estimate=table.row_estimate,
        )
        for table in tables
        if not table.ignore
    )


def _column(column: Column) -> builtin.Column:
    return builtin.Column(
        name=column.column_name,
        type=column.column_type,
        description=column.description,
        primary_key=column.primary_key,
        distinct_values=column.distinct_values,
    )


def _values(values: Sequence[FoundValue]) -> Values:
    return tuple(
        builtin.ValueHit(
            phrase=found.phrase,
            schema=found.schema_name,
            table=found.table_name,
            column=found.column_name,
            value=found.value,
        )
        for found in values
    )

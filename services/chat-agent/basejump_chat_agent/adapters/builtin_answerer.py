"""Answers without a language model: no network, no key, the same answer every time."""

import asyncio

import basejump_planner as builtin
from basejump_chat_agent.domain import failures
from basejump_chat_agent.domain.answerer import Answered, Asked, Toolbox
from basejump_common.contracts.connection import Column, FoundValue, Table


class BuiltinAnswerer:
    """`basejump_planner` behind the port. It takes milliseconds of CPU, so it works in a thread."""

    async def answer(self, asked: Asked, tools: Toolbox) -> Answered:
        """See `Answerer.answer`."""
        plan: builtin.Plan = await tools.step("built-in plan", builtin.Plan, lambda: self._plan(asked, tools))
        await tools.think(f"I understand the question as: {plan.reading}", plan.sql)
        ran = await tools.run_sql("1", plan.sql)
        tools.meter.statement_ran(ran)
        return Answered(reading=plan.reading, ran=ran)

    async def _plan(self, asked: Asked, tools: Toolbox) -> builtin.Plan:
        place, earlier = builtin.nth(asked.question), asked.turns[-1] if asked.turns else None
        if place is not None and earlier is not None and earlier.sql:
            columns = [column.name for column in earlier.columns]
            return _planned(
                builtin.row_of(place, earlier.question, earlier.sql, columns, earlier.rows, dialect=asked.dialect)
            )
        tables = _tables(asked.tables)
        phrases = await asyncio.to_thread(builtin.value_phrases, asked.meant, tables)
        values = _values(await tools.find_values(phrases, asked.tables))
        return _planned(await asyncio.to_thread(builtin.plan, asked.meant, tables, values, dialect=asked.dialect))


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


def _values(values: tuple[FoundValue, ...]) -> tuple[builtin.ValueHit, ...]:
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

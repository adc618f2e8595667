"""The planner without a language model: no network, no key, the same answer every time."""

import asyncio

import basejump_planner as builtin
from basejump_chat_agent.domain.planner import CannotAnswer, Planned, PlannedSql, Turn
from basejump_common.contracts.connection import Column, FoundValue, Table


class BuiltinPlanner:
    """`basejump_planner` behind the port. It takes milliseconds of CPU, so it works in a thread."""

    name = "built-in"

    async def phrases(self, question: str, tables: tuple[Table, ...]) -> tuple[str, ...]:
        """See `Planner.phrases`."""
        return await asyncio.to_thread(builtin.value_phrases, question, _tables(tables))

    async def plan(
        self,
        question: str,
        tables: tuple[Table, ...],
        values: tuple[FoundValue, ...],
        history: tuple[Turn, ...],  # noqa: ARG002 - every question is read by itself
        dialect: str,
    ) -> Planned:
        """See `Planner.plan`."""
        plan = await asyncio.to_thread(builtin.plan, question, _tables(tables), _values(values), dialect=dialect)
        if isinstance(plan, builtin.CannotAnswer):
            return CannotAnswer(reason=plan.reason)
        return PlannedSql(sql=plan.sql, reading=plan.reading)


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

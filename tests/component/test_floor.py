"""The floor alone: with a proof that accepts everything, nothing is written, no file is read, nothing is left."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import basejump_sqlguard as guard
from basejump_common.contracts.connection import CreatedDatabase, RunResult
from basejump_common.errors import BasejumpError, QueryFailed, StatementTimeout
from connection_house import Desk, Office, connected
from customers import Customers, MariadbCustomers, PostgresCustomers
from installation import Installation
from victims import CANARY, MariaDBVictim, PostgresVictim, Victim, changed, leaks, reachable_folder

MOST_SECONDS = 0.4


def accept_everything(sql: str, dialect: str, catalog: guard.Catalog, policy: guard.Policy) -> guard.Proof:
    """A proof with the largest hole there can be."""
    return guard.Proof(dialect=dialect, sql=sql, fingerprint="", limit=policy.row_limit)


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("floor")
    settings = {"statement_seconds": str(MOST_SECONDS), "results_url": (folder / "results").as_uri()}
    async with connected(installation, folder / "tls", {"prover": accept_everything}, **settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with reachable_folder() as opened:
        yield opened


@pytest.fixture(scope="module")
async def victim(customers: Customers, desk: Desk, folder: Path) -> Victim:
    if isinstance(customers, MariadbCustomers):
        return await MariaDBVictim.make(await customers.customer(), folder)
    assert isinstance(customers, PostgresCustomers)
    return await PostgresVictim.make(await customers.customer(), desk.server, folder)


@pytest.fixture(scope="module")
async def database(customers: Customers, office: Office, victim: Victim) -> CreatedDatabase:
    return await office.add(customers.fields(victim.customer))


async def attempt(office: Office, database: CreatedDatabase, sql: str) -> RunResult | BasejumpError:
    try:
        return await office.run(database, sql)
    except (QueryFailed, StatementTimeout) as error:
        return error


@pytest.mark.soak
async def test_hostile_statements_change_nothing(
    office: Office, database: CreatedDatabase, victim: Victim, caplog: pytest.LogCaptureFixture
) -> None:
    before = await victim.snapshot()
    (fresh,) = (await office.run(database, victim.PROBE)).preview
    sessions, wrong = [], []
    for number, sql in enumerate(victim.statements()):
        outcome = await attempt(office, database, sql)
        if CANARY in str(outcome):
            wrong.append(f"{sql}: read the file")
        # A session is closed after an error: looking at some is enough, since what stays in one stays.
        if isinstance(outcome, RunResult) or number % 10 == 0:
            (probed,) = (await office.run(database, victim.PROBE)).preview
            wrong += [f"{sql}: left {leak}" for leak in leaks(fresh, probed)]
            sessions.append(probed[0])
    assert not wrong
    assert await victim.others_left() == []
    assert [record for record in caplog.records if "full_name" in record.getMessage()] == []
    assert changed(before, await victim.snapshot()) == set()
    assert len(set(sessions)) < len(sessions)  # otherwise none was lent twice, and nothing could leak

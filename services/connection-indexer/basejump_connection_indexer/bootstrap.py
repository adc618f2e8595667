"""Composes connection-indexer: the only place that constructs anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from basejump_common.bus import on
from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.bus.remembered import REMEMBER_SECONDS
from basejump_common.contracts.account import MEMBERSHIP_REMOVED, TEAM_DELETED
from basejump_common.contracts.connection import SCHEMA_CHANGED, Estimate
from basejump_common.runtime import Base, Service, foundation
from basejump_common.storage.job_worker import JobWorker
from basejump_connection_indexer.access import Gate
from basejump_connection_indexer.adapters.buckets import OpenBuckets
from basejump_connection_indexer.adapters.connector import Connector
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.egress import Egress
from basejump_connection_indexer.adapters.folder_lock import used_alone
from basejump_connection_indexer.adapters.internal_http import address_of, listener, serving
from basejump_connection_indexer.adapters.result_store import Place, ResultStore
from basejump_connection_indexer.adapters.teams import Teams
from basejump_connection_indexer.adapters.vault import Vault
from basejump_connection_indexer.checking import Schedule, schema_changed
from basejump_connection_indexer.connections import Connections
from basejump_connection_indexer.databases import Databases
from basejump_connection_indexer.domain.guard import Prover
from basejump_connection_indexer.domain.limits import Limits
from basejump_connection_indexer.downloads import Downloads, Tickets
from basejump_connection_indexer.erasing import Erasing
from basejump_connection_indexer.grants import Grants
from basejump_connection_indexer.handlers import (
    handlers,
    handlers_of_notes,
    handlers_of_questions,
    handlers_of_storages,
)
from basejump_connection_indexer.importing import Imports
from basejump_connection_indexer.indexing import Indexing
from basejump_connection_indexer.looking_up import LookUps
from basejump_connection_indexer.migrating import Migrating
from basejump_connection_indexer.notes import Notes
from basejump_connection_indexer.prepared import PreparedCatalogs
from basejump_connection_indexer.retrieving import Retrieving
from basejump_connection_indexer.runs import Runs
from basejump_connection_indexer.settings import Settings
from basejump_connection_indexer.statements import Statements
from basejump_connection_indexer.storages import Storages
from basejump_connection_indexer.stored import Stored
from basejump_connection_indexer.tables import Tables
from basejump_connection_indexer.trying import Trying
from basejump_sqlguard import prove


@asynccontextmanager
async def bootstrap(
    settings: Settings, prover: Prover = prove, membership_seconds: float = REMEMBER_SECONDS
) -> AsyncIterator[Service]:
    """The service, its connections open for as long as the block lasts. Tests of the floor give another `prover`, those
    of who leaves a team longer `membership_seconds`."""
    async with foundation(settings, "connection-indexer") as base, _keeping(settings, base) as (buckets, store):
        connect = Connector(allow_private_hosts=settings.allow_private_hosts).connect
        trying, vault = Trying(connect), Vault(base.envelope)
        pools = CustomerPools(connect, per_login=settings.statements_per_database)
        teams = Teams(base.bus, base.database.bells, membership_seconds)
        catalogs = PreparedCatalogs(base.database, settings.prepared_tables)
        gate = Gate(base, teams, SettingsOfClients(base.bus), catalogs, vault)
        grants = Grants(base.database, teams)
        look_ups = LookUps(gate, pools)
        limits = _limits(settings)
        runs = Runs(base.database, gate, store, limits, settings.statement_wait_seconds)
        socket = listener(settings.downloads_host, settings.downloads_port)
        tickets = Tickets(base.envelope, settings.downloads_url or address_of(socket))
        downloads = Downloads(base.database, store, tickets, settings.downloads_at_once)
        connections = Connections(base.database, trying, vault, pools, catalogs)
        schedule = Schedule(settings.schema_check_seconds)
        worker = JobWorker(base.database, Indexing(base.database, connect, vault, schedule).kinds())
        migrating = Migrating(base.database, store, settings.moved_results_seconds)
        mover = JobWorker(base.database, migrating.kinds(), concurrency=2, per_client=1)
        storages = Storages(base.database, buckets, vault, plain_http=settings.storage_plain_http)
        service = base.service(
            endpoints=(
                *handlers(
                    Databases(base.database, trying, vault, pools),
                    connections,
                    Imports(connections),
                    grants,
                    Tables(base.database, teams),
                    Erasing(base.database, pools, store),
                ),
                *handlers_of_notes(Notes(base.database)),
                *handlers_of_storages(storages),
                *handlers_of_questions(
                    Retrieving(base.database, teams, catalogs),
                    look_ups,
                    Statements(gate, pools, look_ups, runs, limits, prover),
                    Stored(base.database, gate, store, prover, tickets),
                ),
            ),
            reactions=(
                on(TEAM_DELETED, grants.team_deleted),
                on(MEMBERSHIP_REMOVED, teams.left),
                on(SCHEMA_CHANGED, schema_changed),
            ),
            background=(worker.run, mover.run, pools.sweep, runs.end_with_the_service, teams.forget_who_left),
        )
        async with serving(downloads, socket):
            yield service


@asynccontextmanager
async def _keeping(settings: Settings, base: Base) -> AsyncIterator[tuple[OpenBuckets, ResultStore]]:
    """Where results are kept: our own storage, which a folder is for one replica alone, and clients' buckets."""
    egress = Egress(allow_private=settings.allow_private_hosts)
    with used_alone(settings.results_url):
        async with egress.serving():
            buckets = OpenBuckets(base.database, Vault(base.envelope), egress)
            yield buckets, ResultStore(Place.at(settings.results_url), buckets)


def _limits(settings: Settings) -> Limits:
    return Limits(
        seconds=settings.statement_seconds,
        rows=settings.result_rows,
        bytes=settings.result_bytes,
        estimate=Estimate(rows=settings.estimated_rows, cost=settings.estimated_cost),
        per_client=settings.statements_per_client,
        per_database=settings.statements_per_database,
    )

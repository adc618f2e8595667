"""Settings of connection-indexer."""

from typing import Annotated

from msgspec import Meta

from basejump_common.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """BASEJUMP_<FIELD> in the environment."""

    results_url: Annotated[
        str,
        Meta(description="Where rows of results are kept: file:///folder (one replica), s3://, gs:// or az:// bucket."),
    ] = "file:///var/lib/basejump/results"
    allow_private_hosts: Annotated[
        bool,
        Meta(description="Whether customers' databases and buckets may have private and loopback addresses."),
    ] = False
    storage_plain_http: Annotated[
        bool, Meta(description="Whether clients' own buckets may be reached without TLS.")
    ] = False
    moved_results_seconds: Annotated[
        float,
        Meta(
            description="How long results that have moved stay where they were too: for downloads that had begun.", ge=0
        ),
    ] = 30.0
    statement_seconds: Annotated[
        float, Meta(description="How long a statement may run in a customer's database.", gt=0, le=3600)
    ] = 60.0
    result_rows: Annotated[int, Meta(description="Rows of a result at most; more are cut.", ge=1)] = 1_000_000
    result_bytes: Annotated[
        int, Meta(description="Bytes of a result's rows at most; a larger one fails.", ge=1_000)
    ] = 500_000_000
    estimated_rows: Annotated[
        int, Meta(description="Rows that the plan of a statement may read and give, all its steps together.", ge=1)
    ] = 10_000_000_000
    estimated_cost: Annotated[
        float, Meta(description="Cost that the plan of a statement may have, in its database's own units.", gt=0)
    ] = 1e12
    statements_per_client: Annotated[
        int, Meta(description="Statements of one client that run at once, over all replicas.", ge=1)
    ] = 20
    statements_per_database: Annotated[
        int, Meta(description="Statements that run at once in one customer's database, over all replicas.", ge=1)
    ] = 8
    statement_wait_seconds: Annotated[
        float, Meta(description="How long a statement waits for one of those places before it is refused.", ge=0, le=60)
    ] = 10.0
    downloads_host: Annotated[
        str, Meta(description="Address at which gateways fetch whole results; 0.0.0.0 for all.")
    ] = "0.0.0.0"  # noqa: S104 (gateways are other machines)
    downloads_port: Annotated[
        int, Meta(description="Port of that; 0 picks a free one. Only gateways need to reach it.", ge=0, le=65_535)
    ] = 8081
    downloads_url: Annotated[
        str, Meta(description="URL under which gateways reach it; empty: this machine's own address and that port.")
    ] = ""
    downloads_at_once: Annotated[
        int, Meta(description="Whole results that one replica sends at once; more are told to come again.", ge=1)
    ] = 100
    schema_check_seconds: Annotated[
        float,
        Meta(description="How often each database is looked at for changes of its schema; 0 for never.", ge=0),
    ] = 21_600.0
    prepared_tables: Annotated[
        int,
        Meta(
            description="Tables kept in memory for retrieval and proof, over all connections; about 6 KB each.", ge=100
        ),
    ] = 50_000

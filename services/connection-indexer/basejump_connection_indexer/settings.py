"""Settings of connection-indexer."""

from typing import Annotated

from msgspec import Meta

from basejump_common.security.secret import Secret
from basejump_common.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """BASEJUMP_<FIELD> in the environment."""

    master_keys: Annotated[
        Secret, Meta(description="Keys that customers' passwords are sealed under, id:base64 each; the first seals.")
    ]
    results_url: Annotated[
        str,
        Meta(description="Where rows of results are kept: file:///folder (one replica), s3://, gs:// or az:// bucket."),
    ] = "file:///var/lib/basejump/results"
    allow_private_hosts: Annotated[
        bool,
        Meta(description="Whether customers' databases may have private and loopback addresses."),
    ] = False
    statement_seconds: Annotated[
        float, Meta(description="How long a statement may run in a customer's database.", gt=0, le=3600)
    ] = 60.0
    result_rows: Annotated[int, Meta(description="Rows of a result at most; more are cut.", ge=1)] = 1_000_000
    result_bytes: Annotated[
        int, Meta(description="Bytes of a result's rows at most; a larger one fails.", ge=1_000)
    ] = 500_000_000
    prepared_tables: Annotated[
        int, Meta(description="Tables kept in memory for retrieval and proof, over all connections.", ge=100)
    ] = 50_000

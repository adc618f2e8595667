"""Whole results: the gateway pipes their rows, which never travel through NATS."""

import msgspec

from basejump_common.contracts.operation import Operation
from basejump_common.contracts.result.results import ByResult
from basejump_common.errors import NotFound, Unavailable
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a result, however many, as a file named after its title. `X-Row-Count` is the true number of rows;
    `X-Truncated` says whether the row cap cut the result.

    CSV is RFC 4180 in UTF-8 with a row of names: numbers exact, times RFC 3339, bytes base64, `NULL` an empty field and
    an empty text `""`. Text is data and comes as it is, also where a spreadsheet would take it for a formula. Of
    columns named alike the later ones are numbered.
    """

    url: Secret
    file_name: str
    row_count: int
    truncated: bool


DOWNLOAD_CSV = Operation(
    "basejump.v1.result.result.csv",
    takes=ByResult,
    gives=Download,
    allow=Role.MEMBER,
    errors=(NotFound, Unavailable),
)
DOWNLOAD_PARQUET = Operation(
    "basejump.v1.result.result.parquet",
    takes=ByResult,
    gives=Download,
    allow=Role.MEMBER,
    errors=(NotFound, Unavailable),
)

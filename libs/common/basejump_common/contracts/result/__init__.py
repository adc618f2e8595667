"""result: what an answer rests on: its SQL, its proof, its preview. The rows themselves are connection-indexer's.

results.py    results: list, read
downloads.py  all rows of a result
"""

from basejump_common.contracts.result.downloads import DOWNLOAD_CSV, DOWNLOAD_PARQUET, Download
from basejump_common.contracts.result.results import (
    GET_RESULT,
    LIST_RESULTS,
    RESULT_CREATED,
    ByResult,
    Result,
    ResultCreated,
    ResultPage,
)

__all__ = [
    "DOWNLOAD_CSV",
    "DOWNLOAD_PARQUET",
    "GET_RESULT",
    "LIST_RESULTS",
    "RESULT_CREATED",
    "ByResult",
    "Download",
    "Result",
    "ResultCreated",
    "ResultPage",
]

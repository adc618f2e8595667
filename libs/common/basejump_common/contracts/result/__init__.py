"""result: what an answer rests on: its SQL, its proof, its preview. The rows themselves are connection-indexer's.

results.py    results: list, read
"""

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
    "GET_RESULT",
    "LIST_RESULTS",
    "RESULT_CREATED",
    "ByResult",
    "Result",
    "ResultCreated",
    "ResultPage",
]

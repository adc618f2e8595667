"""result: what an answer rests on: its SQL, its proof, its preview. The rows themselves are connection-indexer's.

results.py    results: list, read, change, refresh, delete
comparing.py  two results side by side
saved.py      results that are saved, and shared with teams
downloads.py  all rows of a result
verified.py   verification
"""

from basejump_common.contracts.result.comparing import COMPARE_RESULTS, ComparedResults, CompareResults, Likeness
from basejump_common.contracts.result.downloads import DOWNLOAD_CSV, DOWNLOAD_PARQUET, Download
from basejump_common.contracts.result.results import (
    DELETE_RESULT,
    GET_RESULT,
    LIST_RESULTS,
    MANY_RESULTS,
    REFRESH_RESULT,
    RESULT_CREATED,
    RESULT_DELETED,
    RESULT_REFRESHED,
    UPDATE_RESULT,
    ByResult,
    ListResults,
    ManyResults,
    RefreshResult,
    Result,
    ResultChanged,
    ResultCreated,
    ResultOrphanType,
    ResultPage,
    ResultsFound,
    UpdateResult,
)
from basejump_common.contracts.result.saved import (
    DELETE_SAVED,
    GET_SAVED,
    SAVE_RESULT,
    SEARCH_SAVED,
    UPDATE_SAVED,
    BySavedResult,
    SavedPage,
    SavedResult,
    SavedSort,
    SaveResult,
    SearchSaved,
    UpdateSavedResult,
)
from basejump_common.contracts.result.verified import RESULT_UNVERIFIED, RESULT_VERIFIED, ResultVerified

__all__ = [
    "COMPARE_RESULTS",
    "DELETE_RESULT",
    "DELETE_SAVED",
    "DOWNLOAD_CSV",
    "DOWNLOAD_PARQUET",
    "GET_RESULT",
    "GET_SAVED",
    "LIST_RESULTS",
    "MANY_RESULTS",
    "REFRESH_RESULT",
    "RESULT_CREATED",
    "RESULT_DELETED",
    "RESULT_REFRESHED",
    "RESULT_UNVERIFIED",
    "RESULT_VERIFIED",
    "SAVE_RESULT",
    "SEARCH_SAVED",
    "UPDATE_RESULT",
    "UPDATE_SAVED",
    "ByResult",
    "BySavedResult",
    "CompareResults",
    "ComparedResults",
    "Download",
    "Likeness",
    "ListResults",
    "ManyResults",
    "RefreshResult",
    "Result",
    "ResultChanged",
    "ResultCreated",
    "ResultOrphanType",
    "ResultPage",
    "ResultVerified",
    "ResultsFound",
    "SaveResult",
    "SavedPage",
    "SavedResult",
    "SavedSort",
    "SearchSaved",
    "UpdateResult",
    "UpdateSavedResult",
]

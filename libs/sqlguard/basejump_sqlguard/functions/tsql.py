"""SQL Server. Left out: external readers (openrowset, opendatasource, openquery, openxml), what reads the server
or the session (suser_name, object_id, serverproperty, db_name, has_perms_by_name, @@variables, session_context,
fn_* functions), and NEXT VALUE FOR."""

from __future__ import annotations

from basejump_sqlguard.functions import standard

NAMES = (
    standard.NAMES
    + standard.NOT_SQLITE
    + """
atn2 log10 rand square
charindex concat_ws difference format len nchar patindex quotename replicate soundex space str string_agg
string_escape stuff translate unicode datalength checksum binary_checksum hashbytes compress decompress
current_timestamp dateadd datediff datediff_big datefromparts datename datepart datetime2fromparts
datetimefromparts datetimeoffsetfromparts date_bucket datetrunc day eomonth getdate getutcdate isdate month
smalldatetimefromparts switchoffset sysdatetime sysdatetimeoffset sysutcdatetime timefromparts
todatetimeoffset year at_time_zone
choose iif isnull greatest least convert parse try_cast try_convert try_parse isnumeric
approx_count_distinct approx_percentile_cont approx_percentile_disc checksum_agg count_big grouping grouping_id
percentile_cont percentile_disc stdev stdevp var varp
isjson json_array json_arrayagg json_modify json_object json_objectagg json_path_exists json_query json_value newid
bit_count get_bit left_shift right_shift
"""
)

TABLES: dict[str, tuple[str, ...] | None] = {
    "openjson": None,
    "string_split": ("value", "ordinal"),
    "generate_series": ("value",),
}

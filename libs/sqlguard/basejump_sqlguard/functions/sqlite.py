"""SQLite. Left out: load_extension, readfile, writefile, edit, fts3_tokenizer, randomblob, zeroblob, pragma_*
table functions, sqlite_* functions, last_insert_rowid and changes."""

from __future__ import annotations

from basejump_sqlguard.functions import standard

NAMES = (
    standard.NAMES
    + """
acos acosh asin asinh atan atan2 atanh ceil char concat_ws cos cosh degrees format glob hex if ifnull iif instr
length like likelihood likely ln log log10 log2 mod nullif octet_length pi pow power printf quote radians random
sin sinh soundex string_agg substr tan tanh trunc typeof unhex unicode unlikely
date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
group_concat total median percentile percentile_cont percentile_disc nth_value
bm25 highlight snippet unistr
jsonb jsonb_array jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch
jsonb_remove jsonb_replace jsonb_set json_array_insert subtype
json json_array json_array_length json_error_position json_extract json_group_array json_group_object json_insert
json_object json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid
"""
)

TABLES: dict[str, tuple[str, ...] | None] = {"json_each": None, "json_tree": None, "generate_series": None}

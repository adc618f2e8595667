"""MySQL 8 and MariaDB. Left out: what waits, locks or reads the server (sleep, benchmark, get_lock, load_file,
user, database, version, @@variables, master_pos_wait, last_insert_id, uuid_short, sys_exec)."""

from __future__ import annotations

from basejump_sqlguard.functions import standard

NAMES = (
    standard.NAMES
    + standard.NOT_SQLITE
    + """
atan2 ceil conv crc32 ln log10 log2 mod pow rand truncate
bin bit_length bit_count char_length character_length concat_ws elt export_set field find_in_set format
from_base64 hex insert instr lcase length locate lpad make_set mid oct octet_length ord position quote
regexp_instr regexp_like regexp_replace regexp_substr repeat rpad soundex space strcmp substr substring_index
to_base64 ucase unhex weight_string md5 sha sha1 sha2 match convert
adddate addtime convert_tz curdate current_date current_time current_timestamp curtime date date_add date_format
date_sub datediff day dayname dayofmonth dayofweek dayofyear extract from_days from_unixtime get_format hour
last_day localtime localtimestamp makedate maketime microsecond minute month monthname now period_add period_diff
quarter sec_to_time second str_to_date subdate subtime sysdate time time_format time_to_sec timediff timestamp
timestampadd timestampdiff to_days to_seconds unix_timestamp utc_date utc_time utc_timestamp week weekday
weekofyear year yearweek
if ifnull greatest least interval isnull row
values any_value bit_and bit_or bit_xor group_concat json_arrayagg json_objectagg std stddev variance grouping nth_value
json_array json_array_append json_array_insert json_contains json_contains_path json_depth json_extract
json_insert json_keys json_length json_merge_patch json_merge_preserve json_object json_overlaps json_pretty
json_quote json_remove json_replace json_schema_valid json_search json_set json_storage_size json_type
json_unquote json_valid json_value
inet_aton inet_ntoa inet6_aton inet6_ntoa is_ipv4 is_ipv6 is_uuid uuid uuid_to_bin bin_to_uuid
st_area st_asgeojson st_astext st_centroid st_contains st_distance st_distance_sphere st_geomfromtext
st_intersects st_length st_within st_x st_y point
"""
)

TABLES: dict[str, tuple[str, ...] | None] = {"json_table": None}

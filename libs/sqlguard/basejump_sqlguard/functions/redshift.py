"""Amazon Redshift. Left out: what reads the cluster, the session or other systems (pg_*, current_setting,
has_*_privilege, version, stl_*, external and lambda functions, ml functions), nextval and set_config."""

from __future__ import annotations

from basejump_sqlguard.functions import standard

NAMES = (
    standard.NAMES
    + standard.NOT_SQLITE
    + """
atan2 cbrt ceil dexp dlog1 dlog10 exp ln mod pow random trunc width_bucket to_hex checksum
btrim bpcharcmp bttext_pattern_cmp charindex char_length character_length chr collate crc32 difference
get_byte initcap len length lpad md5 octet_length position quote_ident quote_literal regexp_count regexp_instr
regexp_replace regexp_substr repeat replicate rpad sha sha1 sha2 func_sha1 fnv_hash farmfingerprint64 soundex
split_part strpos strtol substr textlen translate space ltrim
add_months add_month age convert_timezone current_date current_time current_timestamp dateadd date_add datediff
date_diff date_cmp date_cmp_timestamp date_part date_part_year date_trunc extract getdate interval_cmp last_day
months_between next_day sysdate timeofday timestamp_cmp timezone to_timestamp to_char to_date to_number trunc now
convert try_cast decode greatest least nvl nvl2 isnull
any_value approximate approx_count_distinct approximate_count_distinct
bit_and bit_or bool_and bool_or listagg median percentile_cont
percentile_disc approximate_percentile_disc stddev variance ratio_to_report nth_value group_concat string_agg
count_if grouping hll hll_cardinality hll_combine
array array_concat array_flatten array_length array_contains array_distinct get_array_length split_to_array
subarray object object_transform is_array is_bigint is_boolean is_char is_decimal is_float is_integer is_object
is_scalar is_smallint is_varchar json_parse json_serialize json_size json_typeof is_valid_json is_valid_json_array
json_array_length json_extract_array_element_text json_extract_path_text can_json_parse lower_attribute_names
upper_attribute_names size
st_area st_asgeojson st_astext st_centroid st_contains st_distance st_distancesphere st_dwithin st_intersects
st_makepoint st_point st_within st_x st_y
"""
)

TABLES: dict[str, tuple[str, ...] | None] = {"generate_series": None, "unnest": None}

TYPES = "super hllsketch geometry geography varbyte bpchar timetz"

"""BigQuery. Left out: external_query, ML.* and AI.*, session_user, @@variables, keys.*, aead.*, table functions
other than UNNEST, remote functions."""

from __future__ import annotations

from basejump_sqlguard.functions import standard

NAMES = (
    standard.NAMES.replace("ceiling", "ceiling ceil")
    + """
acos acosh asin asinh atan atan2 atanh cbrt cos cosh cot coth csc csch div exp greatest ieee_divide is_inf is_nan
least ln log log10 mod pi pow power radians rand range_bucket safe_add safe_divide safe_multiply safe_negate
safe_subtract sec sech sin sinh tan tanh trunc cosine_distance euclidean_distance
ascii byte_length char_length character_length chr code_points_to_bytes code_points_to_string collate
contains_substr edit_distance ends_with format from_base32 from_base64 from_hex initcap instr left length lpad
normalize normalize_and_casefold octet_length regexp_contains regexp_extract regexp_extract_all regexp_instr
regexp_replace regexp_substr repeat reverse right rpad safe_convert_bytes_to_string soundex split starts_with
strpos substr to_base32 to_base64 to_code_points to_hex translate unicode unistr generate_uuid
farm_fingerprint md5 sha1 sha256 sha512 bit_count
current_date current_datetime current_time current_timestamp date date_add date_bucket date_diff
date_from_unix_date date_sub date_trunc datetime datetime_add datetime_bucket datetime_diff datetime_sub
datetime_trunc extract format_date format_datetime format_time format_timestamp generate_date_array
generate_timestamp_array last_day make_interval justify_days justify_hours justify_interval parse_date
parse_datetime parse_time parse_timestamp string time time_add time_diff time_sub time_trunc timestamp timestamp_add
timestamp_bucket timestamp_diff week timestamp_micros timestamp_millis timestamp_seconds timestamp_sub timestamp_trunc
unix_date unix_micros unix_millis unix_seconds
if ifnull safe_cast parse_numeric parse_bignumeric nullifzero zeroifnull
any_value approx_count_distinct approx_quantiles approx_top_count approx_top_sum array_agg array_concat_agg bit_and
bit_or bit_xor corr count_if countif covar_pop covar_samp grouping logical_and logical_or max_by min_by nth_value
percentile_cont percentile_disc stddev stddev_pop stddev_samp string_agg var_pop var_samp variance hll_count
array array_concat array_first array_includes array_is_distinct array_last array_length array_max array_min
array_reverse array_slice array_sum array_to_string generate_array generate_range_array offset ordinal safe_offset
safe_ordinal struct range range_contains range_end range_overlaps range_start
bool int64 float64 json_array json_array_append json_array_insert json_extract json_extract_array
json_extract_scalar json_extract_string_array json_keys json_object json_query json_query_array json_remove json_set
json_strip_nulls json_type json_value json_value_array lax_bool lax_float64 lax_int64 lax_string parse_json to_json
to_json_string
net.host net.ip_from_string net.ip_to_string net.ip_net_mask net.ip_trunc net.ipv4_from_int64 net.ipv4_to_int64
net.public_suffix net.reg_domain net.safe_ip_from_string hll_count.init hll_count.merge hll_count.merge_partial
hll_count.extract
st_area st_asgeojson st_astext st_centroid st_contains st_distance st_dwithin st_geogfromtext st_geogpoint
st_intersects st_length st_within st_x st_y
"""
)

TABLES: dict[str, tuple[str, ...] | None] = {"unnest": None}

"""Snowflake. Left out: SYSTEM$…, stages and files (get_presigned_url, build_scoped_file_url, infer_schema),
session and account (current_user, current_role, result_scan, information_schema functions), cortex and ai
functions, get_ddl, sequences, external functions."""

from __future__ import annotations

from basejump_sqlguard.functions import standard

NAMES = (
    standard.NAMES
    + standard.NOT_SQLITE
    + """
acosh asinh atan2 atanh cbrt ceil cosh div0 div0null factorial haversine ln mod pow random sinh square tanh trunc
truncate uniform normal width_bucket bitand bitor bitxor bitnot bitshiftleft bitshiftright getbit
base64_decode_string base64_encode bit_length char_length character_length charindex chr collate collation
concat_ws contains editdistance endswith hash hex_decode_string hex_encode ilike insert initcap
jarowinkler_similarity len length lpad md5 md5_hex md5_number_lower64 md5_number_upper64 octet_length parse_ip
parse_url position regexp regexp_count regexp_instr regexp_like regexp_replace regexp_substr regexp_substr_all
randstr repeat rlike rpad rtrimmed_length sha1 sha1_hex sha2 sha2_hex soundex space split split_part startswith strtok
strtok_to_array substr translate unicode uuid_string like_all like_any zeroifnull
add_months convert_timezone current_date current_time current_timestamp date date_from_parts datefromparts
date_part date_trunc dateadd datediff day dayname dayofmonth dayofweek dayofweekiso dayofyear extract getdate hour
last_day localtime localtimestamp minute month monthname months_between next_day previous_day quarter second
sysdate systimestamp time time_from_parts time_slice timeadd timediff timefromparts timestamp_from_parts
timestamp_ltz_from_parts timestamp_ntz_from_parts timestamp_tz_from_parts timestampadd timestampdiff
timestampfromparts to_date to_time to_timestamp to_timestamp_ltz to_timestamp_ntz to_timestamp_tz trunc week
weekiso weekofyear year yearofweek yearofweekiso
boolean_and booland boolnot boolor boolxor decode equal_null greatest greatest_ignore_nulls iff ifnull is_null_value
isnull least least_ignore_nulls nullifzero nvl nvl2 regr_valx regr_valy case
convert to_binary to_boolean to_char to_decimal to_double to_geography to_json to_number to_numeric to_object
to_array to_variant to_varchar to_xml try_cast try_to_binary try_to_boolean try_to_date try_to_decimal
try_to_double try_to_number try_to_numeric try_to_time try_to_timestamp try_to_timestamp_ltz try_to_timestamp_ntz
try_to_timestamp_tz try_parse_json try_base64_decode_string try_hex_decode_string
any_value approx_count_distinct approx_percentile approx_top_k approximate_count_distinct array_agg
array_union_agg array_unique_agg bitand_agg bitor_agg bitxor_agg booland_agg boolor_agg boolxor_agg
conditional_change_event conditional_true_event corr count_if covar_pop covar_samp grouping grouping_id hash_agg hll
kurtosis listagg max_by median min_by minhash mode nth_value object_agg percentile_cont percentile_disc
ratio_to_report regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy skew
stddev string_agg var_pop var_samp variance variance_pop variance_samp width_bucket
array_append array_cat array_compact array_construct array_construct_compact array_contains array_distinct
array_except array_flatten array_generate_range array_insert array_intersection array_max array_min array_position
array_prepend array_remove array_remove_at array_reverse array_size array_slice array_sort array_to_string
array_unique arrays_overlap arrays_to_object arrays_zip as_array as_boolean as_char as_date as_decimal as_double
as_integer as_number as_object as_time as_varchar check_json filter get get_path is_array is_boolean is_char
is_date is_decimal is_double is_integer is_object is_real is_timestamp_ntz is_varchar json_extract_path_text
map_cat map_keys map_size object_construct object_construct_keep_null object_delete object_insert object_keys
object_pick parse_json reduce strip_null_value transform typeof seq1 seq2 seq4 seq8
st_area st_asgeojson st_astext st_contains st_distance st_dwithin st_intersects st_length st_makepoint st_point
st_within st_x st_y h3_latlng_to_cell
"""
)

TABLES: dict[str, tuple[str, ...] | None] = {
    "flatten": None,
    "generator": None,
    "split_to_table": None,
    "strtok_split_to_table": None,
    "unnest": None,
}

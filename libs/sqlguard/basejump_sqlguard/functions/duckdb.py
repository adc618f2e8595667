"""DuckDB. Left out: everything that reads files or the network (read_*, parquet_*, glob, sniff_csv, *_scan),
the instance (duckdb_*, pragma_*, current_setting, getenv, query, query_table), and sequences."""

from __future__ import annotations

from basejump_sqlguard.functions import standard

NAMES = (
    standard.NAMES
    + standard.NOT_SQLITE.replace("char ", "")
    + """
acosh asinh atan2 atanh bit_count cbrt ceil cosh even factorial fdiv fmod gamma gcd greatest isfinite isinf isnan lcm
least lgamma ln log10 log2 mod nextafter pow random sinh tanh trunc xor
array_extract bar base64 bin bit_length chr concat_ws contains damerau_levenshtein editdist3 ends_with format
format_bytes formatreadablesize from_base64 hamming hash hex ilike_escape instr jaccard jaro_similarity
jaro_winkler_similarity lcase left_grapheme len length levenshtein like_escape lpad md5 mismatches nfc_normalize
ord position prefix printf regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace
regexp_split_to_array repeat right_grapheme rpad sha1 sha256 split split_part starts_with str_split str_split_regex
string_split string_split_regex string_to_array strip_accents strlen strpos substr suffix to_base64 to_hex translate
ucase unhex unicode url_decode url_encode uuid gen_random_uuid
age century current_date current_localtimestamp current_time current_timestamp date_add date_diff date_part date_sub
date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear decade epoch epoch_ms
epoch_ns epoch_us era extract get_current_timestamp hour isodow isoyear julian last_day localtime localtimestamp
make_date make_time make_timestamp make_timestamptz microsecond millennium millisecond minute month monthname now
quarter second strftime strptime time_bucket timezone to_days to_hours to_minutes to_months to_seconds to_timestamp
to_weeks to_years today transaction_timestamp try_strptime week weekday weekofyear year yearweek
bit_position bitstring bitstring_agg days_in_month decode encode enum_code enum_first enum_last enum_range
enum_range_boundary equi_width_bins fill from_binary from_hex from_json_strict geometric_mean get_bit
get_current_time grade_up greatest_common_divisor histogram_exact json_deep_merge json_insert json_normalize
json_pretty json_remove json_replace json_set json_strip_nulls json_transform_strict least_common_multiple
length_grapheme list_approx_count_distinct list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or
list_cosine_distance list_dot_product list_entropy list_histogram list_inner_product list_kurtosis list_mad list_mode
list_sem list_skewness list_stddev_pop list_stddev_samp list_var_pop list_var_samp lttb make_timestamp_ms
make_timestamp_ns map_contains_entry map_contains_value map_extract_value md5_number md5_number_lower
md5_number_upper mean nanosecond normalized_interval octet_length overlay parse_dirname parse_dirpath parse_filename
parse_path path_join pg_size_pretty pg_typeof rank_dense regexp_escape regexp_split_to_table round_even roundbankers
set_bit signbit struct_concat struct_contains struct_has struct_keys struct_position struct_update struct_values
substring_grapheme sum_no_overflow switch timezone_hour timezone_minute to_base to_binary to_centuries to_decades
to_microseconds to_millennia to_milliseconds to_quarters unbin uuid_extract_timestamp uuid_extract_version uuidv4
uuidv7 variant_extract variant_typeof wavg weighted_avg ago array_cosine_distance array_cross_product
array_dot_product array_inner_product arg_max_nulls_last arg_min_nulls_last current_localtime char_length
character_length add subtract multiply divide array_aggr array_push_back array_push_front array_pop_front
st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_distance st_dwithin st_geomfromtext st_intersects
st_makepoint st_point st_within st_x st_y
if ifnull iif try try_cast typeof error_free_divide
any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min arg_min_null
argmax argmin array_agg bit_and bit_or bit_xor bool_and bool_or corr count_if count_star covar_pop covar_samp entropy
favg first fsum geomean grouping grouping_id group_concat histogram kahan_sum kurtosis kurtosis_pop last list listagg
mad max_by median min_by mode nth_value percentile_cont percentile_disc product quantile quantile_cont quantile_disc
regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile
sem skewness stddev string_agg stringagg sumkahan var_pop var_samp variance countif
apply array_aggregate array_append array_apply array_cat array_concat array_contains array_cosine_similarity
array_distance array_distinct array_filter array_has array_has_all array_has_any array_indexof array_intersect
array_length array_pop_back array_position array_prepend array_reduce array_resize array_reverse array_reverse_sort
array_select array_slice array_sort array_sum array_to_string array_transform array_unique array_value array_where
array_zip cardinality element_at filter flatten generate_series generate_subscripts list_aggr list_aggregate
list_any_value list_append list_apply list_avg list_cat list_concat list_contains list_count list_cosine_similarity
list_distance list_distinct list_element list_extract list_filter list_first list_grade_up list_has list_has_all
list_has_any list_indexof list_intersect list_last list_max list_median list_min list_pack list_position list_prepend
list_product list_reduce list_resize list_reverse list_reverse_sort list_select list_slice list_sort list_string_agg
list_sum list_transform list_unique list_value list_where list_zip map map_concat map_contains map_entries
map_extract map_from_entries map_keys map_values range reduce row struct_extract struct_insert struct_pack transform
array_to_json from_json json json_array json_array_length json_contains json_exists json_extract json_extract_path
json_extract_path_text json_extract_string json_group_array json_group_object json_group_structure json_keys
json_merge_patch json_object json_quote json_structure json_transform json_type json_valid json_value row_to_json
to_json unnest union_extract union_tag union_value array lambda
"""
)

TABLES: dict[str, tuple[str, ...] | None] = {
    "unnest": None,
    "generate_series": None,
    "range": None,
    "generate_subscripts": None,
    "json_each": None,
    "json_tree": None,
    "flatten": None,
}

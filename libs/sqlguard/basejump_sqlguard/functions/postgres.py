"""PostgreSQL (through 18) and the pure parts of pg_trgm, fuzzystrmatch, unaccent and PostGIS.

Left out on purpose, although they look harmless: what reads the server, the session or the catalogs (pg_*,
current_setting, version, has_*_privilege, to_reg*, inet_*), what runs text as SQL (query_to_xml, ts_stat,
ts_rewrite, crosstab, dblink), what changes anything (set_config, nextval, setseed, lo_*, txid_current).
"""

from __future__ import annotations

NAMES = """
abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd
degrees div erf erfc exp factorial floor gamma gcd lcm lgamma ln log log10 min_scale mod pi pow power radians
random random_normal round scale sign sin sind sinh sqrt tan tand tanh trim_scale trunc width_bucket

ascii bit_length btrim casefold char_length character_length chr concat concat_ws convert_from convert_to crc32
crc32c decode encode format initcap left length lower lpad ltrim md5 normalize octet_length overlay parse_ident
position quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match
regexp_replace regexp_split_to_array regexp_substr repeat replace reverse right rpad rtrim sha224 sha256 sha384
sha512 split_part starts_with strpos string_to_array substr substring to_ascii to_bin to_hex to_oct translate
trim unistr upper get_bit get_byte set_bit set_byte bit_count

age clock_timestamp date_add date_bin date_part date_subtract date_trunc extract isfinite justify_days
justify_hours justify_interval localtime localtimestamp make_date make_interval make_time make_timestamp
make_timestamptz now overlaps statement_timestamp timeofday timezone to_char to_date to_number to_timestamp
transaction_timestamp current_date current_time current_timestamp

row all some coalesce greatest least nullif num_nonnulls num_nulls cast

array_agg any_value avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every grouping
max min mode percentile_cont percentile_disc range_agg range_intersect_agg regr_avgx regr_avgy regr_count
regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp string_agg sum
var_pop var_samp variance
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number

array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
array_positions array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort
array_to_string array_upper cardinality trim_array array

xmlagg xmlattributes xmlcomment xmlconcat xmlelement xmlforest xpath xpath_exists xml_is_well_formed
pg_typeof pg_size_pretty pg_column_size

array_to_json json_agg json_agg_strict json_array json_array_length json_arrayagg json_build_array
json_build_object json_exists json_extract_path json_extract_path_text json_object json_object_agg
json_object_agg_strict json_object_agg_unique json_objectagg json_query json_scalar json_serialize
json_strip_nulls json_typeof json_value jsonb_agg jsonb_agg_strict jsonb_array_length jsonb_build_array
jsonb_build_object jsonb_exists jsonb_exists_all jsonb_exists_any jsonb_extract_path jsonb_extract_path_text
jsonb_insert jsonb_object jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique jsonb_path_exists
jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query_array jsonb_path_query_array_tz
jsonb_path_query_first jsonb_path_query_first_tz jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls
jsonb_typeof row_to_json to_json to_jsonb

isempty lower_inc lower_inf multirange range_merge upper_inc upper_inf int4range int8range numrange tsrange
tstzrange daterange int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange

array_to_tsvector numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector
ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsquery_phrase tsvector_to_array websearch_to_tsquery

area box bound_box center circle diagonal diameter height isclosed isopen line lseg npoints path point polygon
radius slope width pclose popen

abbrev broadcast family host hostmask inet_merge inet_same_family macaddr8_set7bit masklen netmask network
set_masklen

gen_random_uuid uuidv4 uuidv7 uuid_extract_timestamp uuid_extract_version

similarity word_similarity strict_word_similarity show_trgm unaccent levenshtein levenshtein_less_equal soundex
difference metaphone dmetaphone dmetaphone_alt daitch_mokotoff cosine_distance inner_product l2_distance
l1_distance vector_dims vector_norm

st_area st_asgeojson st_astext st_azimuth st_boundary st_buffer st_centroid st_contains st_convexhull st_covers
st_coveredby st_crosses st_difference st_disjoint st_distance st_distancesphere st_dwithin st_envelope st_equals
st_geomfromgeojson st_geomfromtext st_intersection st_intersects st_isvalid st_length st_makeenvelope
st_makepoint st_numpoints st_overlaps st_perimeter st_point st_pointfromtext st_polygon st_setsrid st_simplify
st_srid st_touches st_transform st_union st_within st_x st_y st_z
"""

TABLES: dict[str, tuple[str, ...] | None] = {
    "generate_series": ("",),
    "generate_subscripts": ("",),
    "unnest": ("",),
    "xmltable": (),
    "string_to_table": ("",),
    "regexp_matches": ("",),
    "regexp_split_to_table": ("",),
    "json_array_elements": ("value",),
    "json_array_elements_text": ("value",),
    "json_each": ("key", "value"),
    "json_each_text": ("key", "value"),
    "json_object_keys": ("",),
    "json_to_recordset": (),
    "json_to_record": (),
    "jsonb_array_elements": ("value",),
    "jsonb_array_elements_text": ("value",),
    "jsonb_each": ("key", "value"),
    "jsonb_each_text": ("key", "value"),
    "jsonb_object_keys": ("",),
    "jsonb_path_query": ("",),
    "jsonb_path_query_tz": ("",),
    "jsonb_to_recordset": (),
    "jsonb_to_record": (),
    "json_table": (),
}

TYPES = """
cidr macaddr macaddr8 tsvector tsquery jsonpath citext hstore ltree lquery vector halfvec sparsevec line lseg box path
polygon circle point pg_lsn geography geometry int4multirange int8multirange nummultirange tsmultirange tstzmultirange
datemultirange bpchar
"""

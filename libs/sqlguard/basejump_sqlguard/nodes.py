"""The kinds of syntax-tree node a query may be made of, by sqlglot's class name.

An allow-list: what a newer parser adds is refused until somebody has read what it does. Nothing here writes,
locks, names a file, reads the session or carries text that isn't understood.
"""

from __future__ import annotations

_QUERY = """
Alias Aliases CTE Except Fetch From Group GroupingSets Cube Rollup Having Intersect Join Lateral Limit
LimitOptions Offset Order Ordered Paren Qualify Select Star Subquery Table TableAlias TableSample Tuple Union
Values Where Window WindowSpec With Distinct HistoricalData Version Pivot PivotAlias PivotAny UnpivotColumns
ColumnDef ColumnConstraint PathColumnConstraint Schema TableFromRows PositionalColumn Identifier Column TableColumn
Columns Partition RecursiveWithSearch ForClause QueryOption XMLKeyValueOption
"""

_EXPRESSION = """
Add Adjacent All And Any Array AtTimeZone AtIndex Between BitString BitwiseAnd BitwiseLeftShift BitwiseNot
BitwiseOr BitwiseRightShift BitwiseXor Boolean Bracket ByteString Case If Cast TryCast Collate Comprehension DPipe
DataType
DataTypeParam Distance Div Dot EQ Escape Exists ExtendsLeft ExtendsRight Filter FormatJson GT GTE Glob HavingMax
HexString ILike IgnoreNulls In IntDiv Interval IntervalOp IntervalSpan Introducer Is JSON JSONColumnDef
JSONExtractQuote JSONKeyValue JSONPath JSONPathKey JSONPathRecursive JSONPathRoot JSONPathSelector JSONPathSlice
JSONPathSubscript JSONPathUnion JSONPathWildcard JSONPathFilter JSONSchema JSONValue Kwarg LT LTE Lambda Like
Literal Match Mod Mul NEQ National Neg Not Null NullSafeEQ NullSafeNEQ OnCondition OpenJSONColumnDef Or
OverflowTruncateBehavior Overlaps PropertyEQ RawString Reference RespectNulls SimilarTo Slice Sub TimeUnit UnicodeString
Var Variadic WithinGroup Xor
"""

# Typed function nodes. Their written names are checked besides, against the dialect's own list.
_FUNCTION = """
Anonymous AnonymousAggFunc CombinedAggFunc ParameterizedAgg CombinedParameterizedAgg SafeFunc
Abs Acos Acosh AddMonths AnyValue ApproxDistinct ApproxPercentileAccumulate ApproxPercentileCombine
ApproxPercentileEstimate ApproxQuantile ApproxQuantiles ApproxTopK ApproxTopSum ApproximateSimilarity ArgMax
ArgMin ArrayAgg ArrayAll ArrayAny ArrayAppend ArrayCompact ArrayConcat ArrayConcatAgg ArrayConstructCompact
ArrayContainedBy ArrayContains ArrayContainsAll ArrayDistinct ArrayExcept ArrayFilter ArrayFirst ArrayInsert
ArrayIntersect ArrayLast ArrayMax ArrayMin ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayRemoveAt
ArrayReverse ArraySize ArraySlice ArraySort ArraySum ArrayToString ArrayUnionAgg ArrayUniqueAgg ArraysZip Ascii
Asin Asinh Atan Atan2 Atanh Avg Base64DecodeBinary Base64DecodeString Base64Encode BitLength BitmapBitPosition
BitmapBucketNumber BitmapConstructAgg BitmapCount BitmapOrAgg BitwiseAndAgg BitwiseCount BitwiseOrAgg
BitwiseXorAgg Booland Boolnot Boolor BoolxorAgg ByteLength CastToStrType Cbrt Ceil CheckJson Chr CityHash64
Coalesce CodePointsToBytes CodePointsToString Compress Concat ConcatWs Contains Convert ConvertTimezone
ConvertToCharset Corr Cos Cosh CosineDistance Cot Coth Count CountIf CovarPop CovarSamp Csc Csch CumeDist
CurrentDate CurrentDatetime CurrentTime CurrentTimestamp CurrentTimestampLTZ Date DateAdd DateBin DateDiff
DateFromParts DateFromUnixDate DateStrToDate DateSub DateToDateStr DateToDi DateTrunc Datetime DatetimeAdd
DatetimeDiff DatetimeSub DatetimeTrunc Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Dayname Decode DecodeCase
Host NetFunc RegDomain
Degrees DenseRank DiToDate DotProduct Elt Encode EndsWith EqualNull EuclideanDistance Exp Explode ExplodeOuter
ExplodingGenerateSeries Extract Factorial FarmFingerprint First FirstValue Flatten Float64 Floor Format FromBase
FromBase32 FromBase64 FromISO8601Date FromISO8601Timestamp FromJson GenerateDateArray GenerateSeries
GenerateTimestampArray Generator GetExtract GetIgnoreCase Getbit Greatest GroupConcat Grouping GroupingId HashAgg
Hex HexDecodeString Hll Hour Initcap Int64 IsArray IsAscii IsInf IsNan IsNullValue JSONArray
JSONArrayAgg JSONArrayAppend JSONArrayContains JSONArrayInsert JSONBContains JSONBContainsAllTopKeys
JSONBContainsAnyTopKeys JSONBContainsTopKey JSONBDeleteAtPath JSONBExists JSONBExtract JSONBExtractScalar
JSONBObjectAgg JSONBPathExists JSONBool JSONCast JSONExists JSONExtract JSONExtractArray JSONExtractScalar
JSONFormat JSONKeys JSONKeysAtDepth JSONObject JSONObjectAgg JSONRemove JSONSet JSONStripNulls JSONTable JSONType
JSONValueArray JarowinklerSimilarity JustifyDays JustifyHours JustifyInterval Kurtosis Lag Last LastDay LastValue
LaxBool LaxFloat64 LaxInt64 LaxString Lead Least Left Length Levenshtein List Ln Localtime Localtimestamp Log
LogicalAnd LogicalOr Lower LowerHex MD5 MD5Digest MD5NumberLower64 MD5NumberUpper64 MakeInterval
ManhattanDistance Map MapCat MapContainsKey MapDelete MapFromEntries MapInsert MapKeys MapPick MapSize
MatchAgainst Max Median Min Minhash MinhashCombine Minute Mode Month Monthname MonthsBetween Nanvl Negative
NextDay Normal Normalize NthValue Ntile Nullif NumberToStr Nvl2 ObjectAgg ObjectInsert OpenJSON Overlay Pad
ParseBignumeric ParseDatetime ParseIp ParseJSON ParseNumeric ParseTime ParseUrl PercentRank PercentileCont
PercentileDisc Pi Posexplode PosexplodeOuter Pow PreviousDay Quantile Quarter Radians Rand Randn Randstr RangeBucket
RangeN Rank Reduce RegexpCount RegexpExtract RegexpExtractAll RegexpFullMatch RegexpILike RegexpInstr RegexpLike
RegexpReplace RegexpSplit RegexpSubstr RegrAvgx RegrAvgy RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy
RegrSyy RegrValx RegrValy Repeat Replace Reverse Right Rint Round RowNumber RtrimmedLength SHA SHA1Digest SHA2
SHA2Digest SafeAdd SafeConvertBytesToString SafeDivide SafeMultiply SafeNegate SafeSubtract Sec Sech Second Seq1
Seq2 Seq4 Seq8 Shuffle Sign Sin Sinh Skewness Soundex SoundexP123 Space Split SplitPart SplitToTable Sqrt
StDistance StPoint StandardHash StartsWith Stddev StddevPop StddevSamp StrPosition StrToDate StrToMap StrToTime
StrToUnix String StringToArray StripNullValue Strtok StrtokSplitToTable StrtokToArray Struct StructExtract Stuff
Substring SubstringIndex Sum Systimestamp Tan Tanh Time TimeAdd TimeDiff TimeFromParts TimeSlice TimeStrToDate
TimeStrToTime TimeStrToUnix TimeSub TimeToStr TimeToTimeStr TimeToUnix TimeTrunc Timestamp TimestampAdd
TimestampDiff TimestampFromParts TimestampLtzFromParts TimestampSub TimestampTrunc TimestampTzFromParts ToArray
ToBase32 ToBase64 ToBinary ToBoolean ToChar ToCodePoints ToDays ToDecfloat ToDouble ToMap ToNumber ToVariant
Transform Translate TranslateCharacters Trim Trunc Try TryBase64DecodeBinary TryBase64DecodeString
TryHexDecodeBinary TryHexDecodeString TryToDecfloat TsOrDiToDi TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToDateStr
TsOrDsToDatetime TsOrDsToTime TsOrDsToTimestamp Typeof Unhex Unicode Uniform UnixDate UnixMicros UnixMillis
UnixSeconds UnixToStr UnixToTime UnixToTimeStr Unnest Upper UtcDate UtcTime UtcTimestamp Uuid VarMap Variance
VariancePop Week WeekOfYear WeekStart WidthBucket XMLElement XMLTable Year YearOfWeek YearOfWeekIso Zipf
"""

ALLOWED_NODES = frozenset((_QUERY + _EXPRESSION + _FUNCTION).split())

# Arguments that turn an allowed node into something else; a node with one of them set is refused.
FORBIDDEN_ARGUMENTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Select": (
        ("into", "writes_table", "SELECT INTO writes a table"),
        ("locks", "locking_clause", "locking clauses change what others can do"),
        ("hint", "hint", "optimizer hints aren't allowed"),
        ("operation_modifiers", "hint", "statement modifiers aren't allowed"),
        ("connect", "unsupported_syntax", "CONNECT BY isn't supported"),
        ("match", "unsupported_syntax", "MATCH_RECOGNIZE isn't supported"),
        ("prewhere", "unsupported_syntax", "PREWHERE isn't supported"),
        ("cluster", "unsupported_syntax", "CLUSTER BY isn't supported"),
        ("distribute", "unsupported_syntax", "DISTRIBUTE BY isn't supported"),
        ("sort", "unsupported_syntax", "SORT BY isn't supported"),
        ("settings", "unsupported_syntax", "SETTINGS isn't allowed"),
        ("format", "unsupported_syntax", "FORMAT isn't allowed"),
    ),
    "Table": (
        ("hints", "locking_clause", "table hints may lock"),
        ("format", "external_reader", "files and stages can't be read"),
        ("pattern", "external_reader", "files and stages can't be read"),
        ("changes", "unsupported_syntax", "CHANGES isn't supported"),
        ("indexed", "hint", "index hints aren't allowed"),
        ("system_time", "unsupported_syntax", "FOR SYSTEM_TIME isn't supported"),
    ),
    "With": (
        ("cycle", "unsupported_syntax", "CYCLE isn't supported"),
        ("udfs", "unsupported_syntax", "functions can't be defined in a query"),
    ),
}
FORBIDDEN_ARGUMENTS["Union"] = FORBIDDEN_ARGUMENTS["Select"]
FORBIDDEN_ARGUMENTS["Except"] = FORBIDDEN_ARGUMENTS["Select"]
FORBIDDEN_ARGUMENTS["Intersect"] = FORBIDDEN_ARGUMENTS["Select"]
FORBIDDEN_ARGUMENTS["Subquery"] = FORBIDDEN_ARGUMENTS["Select"]

# What sqlglot reads or would write as something else where the dialect doesn't have it; which does.
CLAUSES_OF: dict[str, frozenset[str]] = {
    "QUALIFY": frozenset({"redshift", "snowflake", "bigquery", "duckdb"}),
    "DISTINCT ON": frozenset({"postgres", "duckdb"}),
    "SEMI JOIN": frozenset({"duckdb"}),
    "ANTI JOIN": frozenset({"duckdb"}),
    "IN without parentheses": frozenset({"bigquery", "duckdb"}),  # SQLite means a table by it
    "{…}": frozenset({"snowflake", "duckdb"}),
    "FULL JOIN": frozenset({"postgres", "redshift", "tsql", "snowflake", "bigquery", "duckdb", "sqlite"}),
}

# What a refused node most likely is, for the person.
NODE_CODES: dict[str, tuple[str, str]] = {
    "Insert": ("writes_data", "INSERT writes data"),
    "Update": ("writes_data", "UPDATE writes data"),
    "Delete": ("writes_data", "DELETE writes data"),
    "Merge": ("writes_data", "MERGE writes data"),
    "Into": ("writes_table", "SELECT INTO writes a table"),
    "Lock": ("locking_clause", "locking clauses change what others can do"),
    "Command": ("not_a_query", "this statement isn't a query"),
    "Operator": ("forbidden_operator", "OPERATOR(…) can name any operator"),
    "ObjectIdentifier": ("forbidden_cast", "casts to reg* types read the system catalog"),
    "PseudoType": ("forbidden_cast", "casts to pseudo-types aren't allowed"),
    "Parameter": ("parameter", "parameters have no value here"),
    "Placeholder": ("parameter", "parameters have no value here"),
    "SessionParameter": ("forbidden_function", "session settings can't be read"),
    "NextValueFor": ("forbidden_function", "NEXT VALUE FOR advances a sequence"),
    "Pseudocolumn": ("unknown_column", "system columns can't be read"),
    "ListStage": ("external_reader", "files and stages can't be read"),
    "DirectoryStage": ("external_reader", "files and stages can't be read"),
    "ReadCSV": ("external_reader", "files can't be read"),
    "ReadParquet": ("external_reader", "files can't be read"),
}

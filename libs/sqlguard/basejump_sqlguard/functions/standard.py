"""What every dialect here has under these names."""

from __future__ import annotations

NAMES = """
abs ceiling floor round sqrt sign exp
lower upper ltrim rtrim trim replace substring concat cast coalesce nullif
avg count max min sum
cume_dist dense_rank first_value lag last_value lead ntile percent_rank rank row_number
"""

NOT_SQLITE = """
acos asin atan cos cot degrees log pi power radians sin tan left right reverse ascii char stddev_pop stddev_samp
var_pop var_samp
"""

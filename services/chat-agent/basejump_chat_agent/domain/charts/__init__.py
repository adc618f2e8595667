"""From a result to a chart: a Plotly figure as plain data, never code; or an honest "no chart fits, because …".

asking      the wish for a chart in the words of a question
additive    which columns of a statement may be added up, from its SQL
fields      what each column of the result can be on a chart
choosing    kind, axes and series, from the wish or by default; which rows of the stored result to draw from
shaping     rows to traces: sorted, the 20 largest and the rest, one point a place
figure      traces to Plotly's words, every size bounded
"""

from basejump_chat_agent.domain.charts.additive import additive_columns
from basejump_chat_agent.domain.charts.asking import AskedChart, asked_chart, without_wishes
from basejump_chat_agent.domain.charts.choosing import READ_ROWS, NoChart, Reading, Wish, choose, reading
from basejump_chat_agent.domain.charts.drawing import Chart, Visual, draw
from basejump_chat_agent.domain.charts.fields import Kind, Table

__all__ = [
    "READ_ROWS",
    "AskedChart",
    "Chart",
    "Kind",
    "NoChart",
    "Reading",
    "Table",
    "Visual",
    "Wish",
    "additive_columns",
    "asked_chart",
    "choose",
    "draw",
    "reading",
    "without_wishes",
]

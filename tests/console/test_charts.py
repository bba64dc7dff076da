"""Charts drawn on the server. Mirrors src/talktime/console/theme/charts.py."""

import re
from xml.etree import ElementTree

from talktime.console.theme.charts import Bar, bar_chart, row_chart

DAYS = [Bar("1 Nov", (6, 2), "8 calls"), Bar("2 Nov", (0, 0), "0 calls"), Bar("3 Nov", (4, 0), "4")]


def parsed(markup):
    return ElementTree.fromstring(f"<div>{markup}</div>")


def test_a_bar_chart_has_a_bar_for_each_part_that_is_not_nothing():
    drawn = parsed(bar_chart(DAYS, title="Calls", legend=("Out", "In"), height=118))
    bars = [
        (bar.get("class"), bar.get("y"), bar.get("height"))
        for bar in drawn.iter("rect")
        if bar.get("class") != "room"
    ]
    # 80 pixels for the 8 calls of the highest day, on an axis at 98.
    assert bars == [("bar", "38", "60"), ("bar other", "18", "20"), ("bar", "58", "40")]


def test_a_chart_says_in_words_what_it_shows():
    drawn = parsed(bar_chart(DAYS, title="Calls a day"))
    picture = drawn.find("svg")
    assert (picture.get("role"), picture.get("aria-label")) == ("img", "Calls a day")
    assert [each.text for each in drawn.find("ul").findall("li")] == [
        "1 Nov: 8 calls",
        "2 Nov: 0 calls",
        "3 Nov: 4",
    ]
    assert drawn.findtext(".//title") == "1 Nov: 8 calls"


def test_a_chart_of_many_bars_labels_few_and_a_phone_fewer():
    drawn = parsed(bar_chart([Bar(str(n), (n,), str(n)) for n in range(365)], title="Year"))
    labels = [
        (each.get("class"), each.text) for each in drawn.iter("text") if "class" in each.attrib
    ]
    assert [text for kept, text in labels if not kept] == ["0", "182", "364"]
    assert [text for kept, text in labels if kept] == ["60", "121", "242", "303"]


def test_a_chart_of_nothing_is_drawn_all_the_same():
    assert "<rect" not in bar_chart([], title="Calls")
    assert "<li>" not in row_chart([], title="Countries")
    assert "<rect" not in row_chart([Bar("Norway", (0,), "0")], title="Countries")


def test_rows_are_as_long_as_their_share_of_the_longest():
    drawn = parsed(row_chart([Bar("Norway", (3, 1), "4"), Bar("Chad", (-2, 1), "1")], title="x"))
    widths = [bar.get("width") for bar in drawn.iter("rect")]
    assert widths == ["75.000%", "25.000%", "25.000%"]


def test_charts_need_no_inline_style_and_escape_what_they_show():
    hostile = [Bar('<script>"', (1, 2, 3), "</title>&")]
    for drawn in (
        bar_chart(hostile, title='"><b>', legend=("<i>",)),
        row_chart(hostile, title='"><b>'),
    ):
        assert parsed(drawn) is not None
        assert not re.search(r"<script|<b>|<i>|style=| on[a-z]+=", drawn)

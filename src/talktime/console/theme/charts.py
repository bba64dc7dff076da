"""Charts drawn on the server: SVG in percent of the page's width, so that their words keep their
size on a phone, coloured by the style sheet. Beside each picture stand the same figures as a list.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SERIES = ("bar", "bar other", "bar third")
DOTS = ("dot", "dot other", "dot third")
LABELS_DRAWN_MAX = 7
HEAD_PX, FOOT_PX = 18, 20
"""Room above the bars for the highest figure, and below for the labels."""
WHOLE = 100_000
"""A hundred percent, in thousandths."""
GAP_PERCENT = 20


class Bar(NamedTuple):
    """One bar: what it stands for, the sizes of its parts from the axis on (at most three; below
    zero counts as nothing), and its figures in words, with the exact figure where these are
    rounded."""

    label: str
    values: tuple[int, ...]
    shown: str
    exact: str = ""

    @property
    def in_full(self) -> str:
        """The figures, the exact one behind them."""
        return f"{self.shown} ({self.exact})" if self.exact else self.shown


def bar_chart(
    bars: Sequence[Bar], *, title: str, legend: Sequence[str] = (), height: int = 160
) -> SafeString:
    """Upright bars in a row, as of days. `height` is in pixels; `legend` names the parts."""
    most = max((_sum(bar) for bar in bars), default=0)
    highest = max(bars, key=_sum).shown if most else ""
    floor_px = height - FOOT_PX
    drawn = format_html_join(
        "",
        "{}",
        ((_upright(bar, place, len(bars), most, floor_px),) for place, bar in enumerate(bars)),
    )
    return format_html(
        '<svg class="chart" role="img" aria-label="{}" width="100%" height="{}">'
        '<line class="grid" x1="0" x2="100%" y1="{}" y2="{}"/>'
        '<text x="0" y="12">{}</text>{}'
        '<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>{}</svg>{}{}',
        *(title, height, HEAD_PX, HEAD_PX, highest, drawn, floor_px, floor_px),
        *(_labels(bars, height - 5), _legend(legend), _figures(bars, title)),
    )


def row_chart(
    bars: Sequence[Bar], *, title: str, legend: Sequence[str] = (), whole: int = 0
) -> SafeString:
    """Lying bars below each other, each with its label before and its figures after, as of
    countries. `whole` is what fills a row; without it, the longest bar does. It is a list, and read
    as one."""
    most = whole or max((_sum(bar) for bar in bars), default=0)
    rows = format_html_join(
        "",
        '<li><span>{}</span><svg class="strip" aria-hidden="true" focusable="false">{}</svg>'
        '<span class="money">{}{}</span></li>',
        ((bar.label, _lying(bar, most), bar.shown, _exact(bar)) for bar in bars),
    )
    return format_html(
        '<ul class="bars rows" aria-label="{}">{}</ul>{}', title, rows, _legend(legend)
    )


def _sum(bar: Bar) -> int:
    return sum(max(value, 0) for value in bar.values)


def _exact(bar: Bar) -> SafeString:
    return format_html(' <bdi class="exact">{}</bdi>', bar.exact) if bar.exact else SafeString("")


def _upright(bar: Bar, place: int, bars: int, most: int, floor_px: int) -> SafeString:
    """One bar with its parts on each other; the whole column tells its figures when pointed at."""
    room = WHOLE // bars
    left = room * place + room * GAP_PERCENT // 200
    wide = room * (100 - GAP_PERCENT) // 100
    parts, top_px = [], floor_px
    for value, series in zip(bar.values, SERIES, strict=False):
        tall_px = _share(value, most, floor_px - HEAD_PX)
        top_px -= tall_px
        if tall_px:
            parts.append((series, _percent(left), top_px, _percent(wide), tall_px))
    return format_html(
        '<g><title>{}: {}</title><rect class="room" x="{}" y="0" width="{}" height="{}"/>{}</g>',
        *(bar.label, bar.in_full, _percent(room * place), _percent(room), floor_px),
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', parts),
    )


def _lying(bar: Bar, most: int) -> SafeString:
    parts, left = [], 0
    for value, series in zip(bar.values, SERIES, strict=False):
        wide = _share(value, most, WHOLE)
        if wide:
            parts.append((series, _percent(left), _percent(wide)))
        left += wide
    return format_html_join("", '<rect class="{}" x="{}" width="{}" height="100%"/>', parts)


def _share(value: int, most: int, room: int) -> int:
    """How much of the room a value takes: of what is not nothing, something is seen."""
    if value <= 0:
        return 0
    return max(value * room // most, room // 200, 1)


def _labels(bars: Sequence[Bar], base_px: int) -> SafeString:
    """So many labels as can be read; a phone leaves out all but the outer ones and the middle."""
    last = len(bars) - 1
    shown = min(len(bars), LABELS_DRAWN_MAX)
    places = sorted({last * step // max(shown - 1, 1) for step in range(shown)})
    kept = {0, places[len(places) // 2], last} if places else set()
    return format_html_join(
        "",
        '<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>',
        (
            (
                "" if place in kept else "spare",
                *_anchored(place, len(bars), base_px),
                bars[place].label,
            )
            for place in places
        ),
    )


def _anchored(place: int, bars: int, base_px: int) -> tuple[str, int, str]:
    if bars > 1 and place == 0:
        return "0%", base_px, "start"
    if bars > 1 and place == bars - 1:
        return "100%", base_px, "end"
    return _percent(WHOLE * (2 * place + 1) // (2 * bars)), base_px, "middle"


def _legend(legend: Sequence[str]) -> SafeString:
    if not legend:
        return SafeString("")
    entries = format_html_join(
        "", '<li><span class="{}"></span>{}</li>', zip(DOTS, legend, strict=False)
    )
    return format_html('<ul class="legend">{}</ul>', entries)


def _figures(bars: Sequence[Bar], title: str) -> SafeString:
    rows = format_html_join("", "<li>{}: {}</li>", ((bar.label, bar.in_full) for bar in bars))
    return format_html('<ul class="hidden" aria-label="{}">{}</ul>', title, rows)


def _percent(thousandths: int) -> str:
    """Thousandths of a percent as SVG writes them.

    >>> _percent(33_333), _percent(100_000)
    ('33.333%', '100.000%')
    """
    return f"{thousandths // 1000}.{thousandths % 1000:03}%"

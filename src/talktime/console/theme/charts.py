"""Charts drawn by the server: SVG whose texts a screen reader finds, without script."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, MARGIN, FOOT = 480, 6, 18
LABELS_MAX = 6
COLOURS = ("bar", "bar other", "bar third")


class Bar(NamedTuple):
    """One bar: the text below it, its parts from the bottom up (none below zero), and what it says
    in words."""

    label: str
    values: Sequence[int]
    shown: str


def bar_chart(bars: Sequence[Bar], *, title: str, height: int) -> SafeString:
    """A chart of bars, the highest of which fills `height`; each says what it is when it is
    pointed at, and to a screen reader."""
    most = max((sum(bar.values) for bar in bars), default=0)
    step = WIDTH / max(len(bars), 1)
    every = -(-len(bars) // LABELS_MAX) or 1
    drawn = format_html_join(
        "",
        '<g class="column" role="listitem" aria-label="{}"><title>{}</title>'
        '<rect class="point" x="{}" y="0" width="{}" height="{}"/>{}</g>{}',
        (
            (
                bar.shown,
                bar.shown,
                f"{place * step:.1f}",
                f"{step:.1f}",
                height,
                _parts(bar, place * step, step, most, height),
                _label(bar.label, place * step, step, height)
                if (len(bars) - 1 - place) % every == 0
                else "",
            )
            for place, bar in enumerate(bars)
        ),
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="list" aria-label="{}">'
        '<line class="axis" x1="0" y1="{}" x2="{}" y2="{}"/>{}</svg>',
        *(WIDTH, height + FOOT, title, height, WIDTH, height, drawn),
    )


def _parts(bar: Bar, left: float, step: float, most: int, height: int) -> SafeString:
    gap, top, parts = min(step * 0.15, MARGIN), float(height), []
    for colour, value in zip(COLOURS, bar.values, strict=False):
        tall = value * (height - MARGIN) / most if most and value > 0 else 0.0
        tall = max(tall, 1.5) if value > 0 else 0.0
        top -= tall
        parts.append(
            (colour, f"{left + gap:.1f}", f"{top:.1f}", f"{step - 2 * gap:.1f}", f"{tall:.1f}")
        )
    return format_html_join(
        "", '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="1.5"/>', parts
    )


def _label(text: str, left: float, step: float, height: int) -> SafeString:
    """In the middle below its bar; the last ends with it, to stay within the picture."""
    last = left + step > WIDTH - step / 2
    at, anchor = (left + step, "end") if last else (left + step / 2, "middle")
    return format_html(
        '<text x="{}" y="{}" text-anchor="{}">{}</text>', f"{at:.1f}", height + 14, anchor, text
    )

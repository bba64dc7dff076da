"""How much the service does now: from the engine's own counts where it runs in this process, and
from what was settled otherwise."""

import time
from collections import Counter, deque
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

from django.http import HttpResponse
from django.utils.translation import gettext as _

from talktime.console.doors import OperatorDesk, Shown, operator_page
from talktime.console.operator.places import all_cells
from talktime.console.roles import FINANCE
from talktime.console.theme.charts import Bar, bar_chart
from talktime.core.ids import made_ms
from talktime.core.limits import LIVE_CALLS_MAX
from talktime.engine.measures import LoadNow, published
from talktime.store.attention import newest_usage_ids, waiting

SAMPLES_SHOWN = 60
SAMPLE_S_MIN = 1
MINUTES = 30
MINUTE_MS = 60_000


class Sample(NamedTuple):
    """What the engine had done at a moment of this process's own clock, in seconds."""

    at_s: float
    load: LoadNow


class Rate(NamedTuple):
    """Between two samples: requests a second, those half and 99 of 100 of which were quicker (in
    milliseconds, 0: none), commands in a transaction, commands that wait."""

    at_s: float
    requests: int
    half_ms: float
    most_ms: float
    batch: int
    waiting: int


_samples: deque[Sample] = deque(maxlen=SAMPLES_SHOWN + 1)
_lock = Lock()


def sampled() -> list[Rate]:
    """The rates between the samples taken so far, one of now with them."""
    load = published()
    if load is None:
        return []
    with _lock:
        if _samples and load.requests < _samples[-1].load.requests:
            _samples.clear()  # another engine than before
        if not _samples or time.monotonic() - _samples[-1].at_s >= SAMPLE_S_MIN:
            _samples.append(Sample(time.monotonic(), load))
        taken = list(_samples)
    return [rate_between(one, other) for one, other in pairwise(taken)]


def rate_between(one: Sample, other: Sample) -> Rate:
    """What was done between two samples."""
    seconds = max(other.at_s - one.at_s, 0.001)
    counts = [
        after - before for before, after in zip(one.load.counts, other.load.counts, strict=True)
    ]
    batches = other.load.batches - one.load.batches
    commands = other.load.commands - one.load.commands
    return Rate(
        other.at_s,
        round((other.load.requests - one.load.requests) / seconds),
        within_ms(counts, other.load.bounds, 50),
        within_ms(counts, other.load.bounds, 99),
        round(commands / batches) if batches else 0,
        other.load.waiting,
    )


def within_ms(counts: list[int], bounds: tuple[float, ...], percent: int) -> float:
    """In how many milliseconds so many of a hundred were done: the bound of their bucket.

    >>> within_ms([90, 9, 1], (0.001, 0.01), 50), within_ms([90, 9, 1], (0.001, 0.01), 99)
    (1.0, 10.0)
    """
    so_far = 0
    for count, bound in zip(counts, (*bounds, 2 * bounds[-1]), strict=True):
        so_far += count
        if so_far and so_far * 100 >= sum(counts) * percent:
            return bound * 1000
    return 0.0


@operator_page(may=FINANCE)
def live(desk: OperatorDesk) -> HttpResponse:
    """The page; or one part of it, for the page that is open."""
    part = desk.request.GET.get("part", "")
    shown = now_shown(desk)
    if part in ("now", "brief"):
        return desk.page(f"operator/live_{part}.html", shown)
    shown |= charts_shown(desk)
    return desk.page(
        "operator/live_charts.html" if part == "charts" else "operator/live.html", shown
    )


def now_shown(desk: OperatorDesk) -> Shown:
    """The latest figures of the engine, where it is in this process."""
    rates = sampled()
    here = published() is not None
    if not rates:
        return {"here": here, "rate": None}
    last = rates[-1]

    def ms(value: float) -> str:
        return _("%(number)s ms") % {"number": f"{value:g}"} if value else "-"

    return {
        "here": here,
        "rate": {
            "requests": desk.wording.decimal(last.requests),
            "half": ms(last.half_ms),
            "most": ms(last.most_ms),
            "batch": desk.wording.decimal(last.batch),
            "waiting": desk.wording.decimal(last.waiting),
        },
    }


def charts_shown(desk: OperatorDesk) -> Shown:
    """Calls settled by minute, and what was sampled."""
    settled: Counter[int] = Counter()
    since_ms = desk.now_ms // MINUTE_MS * MINUTE_MS - MINUTES * MINUTE_MS
    running = 0
    with all_cells() as cells:
        for cell in cells.open.values():
            with cell.reading():
                ids = newest_usage_ids(cell, since_ms, LIVE_CALLS_MAX)
                running += waiting(cell, desk.now_ms).running_calls
            if len(ids) == LIVE_CALLS_MAX:
                since_ms = max(since_ms, made_ms(ids[-1]) // MINUTE_MS * MINUTE_MS + MINUTE_MS)
            settled.update(made_ms(id_) // MINUTE_MS for id_ in ids)
    minutes = range(since_ms // MINUTE_MS, desk.now_ms // MINUTE_MS + 1)
    bars = [
        Bar(
            desk.wording.clock(minute * MINUTE_MS),
            (settled[minute],),
            desk.wording.decimal(settled[minute]),
        )
        for minute in minutes
    ]
    rates = sampled()
    shown: Shown = {
        "away": cells.away,
        "running": desk.wording.decimal(running),
        "settled": bar_chart(bars, title=_("Calls settled by the minute")),
        "any_settled": any(settled[minute] for minute in minutes),
    }
    if rates:
        now_s = rates[-1].at_s
        bars = [Bar("", (0,), "0")] * (SAMPLES_SHOWN - len(rates))
        bars += [
            Bar(
                _("%(seconds)s s ago") % {"seconds": round(now_s - rate.at_s)},
                (rate.requests,),
                desk.wording.decimal(rate.requests),
            )
            for rate in rates[-SAMPLES_SHOWN:]
        ]
        shown["requests"] = bar_chart(bars, title=_("Requests a second"))
    return shown

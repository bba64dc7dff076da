"""Where the usage report looks for records: as many days at once as one statement can take.

Mirrors src/talktime/operations/usage_report.py. What it finds: tests/console/test_usage.py.
"""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from talktime.operations.usage_report import (
    SLICE_RECORDS,
    Added,
    Span,
    spans_to_search,
)
from talktime.store.usage_days import DAY_MS
from talktime.store.usage_rows import Place

PAGE = 51


def added(by_day, *, behind=False):
    """The sums of days: of each, how many records there are and how many are wanted."""
    wanted = {day: wanted for day, (_, wanted) in by_day.items()}
    return Added({}, {}, behind, wanted, {day: all_ for day, (all_, _) in by_day.items()})


def span(first, last, records, wanted):
    return Span(first * DAY_MS, (last + 1) * DAY_MS, records, wanted)


def searched(by_day, before=None, *, choosy=True, behind=False):
    days = range(min(by_day), max(by_day) + 1)
    return spans_to_search(days, added(by_day, behind=behind), before, PAGE, choosy=choosy)


def test_a_quiet_year_is_looked_through_at_once():
    quiet = dict.fromkeys(range(365), (3, 0)) | {4: (5, 1), 200: (7, 2)}
    assert searched(quiet) == [span(4, 200, 5 + 7 + 195 * 3, 3)]


def test_all_records_are_read_from_the_newest_however_many_there_are():
    busy = dict.fromkeys(range(90), (1_000_000, 1_000_000))
    assert searched(busy, choosy=False) == [span(0, 89, 90_000_000, 90_000_000)]


def test_busy_days_are_looked_through_one_by_one():
    busy = dict.fromkeys(range(3), (SLICE_RECORDS, 1))
    assert searched(busy) == [span(day, day, SLICE_RECORDS, 1) for day in (2, 1, 0)]


def test_no_more_days_are_looked_through_than_a_page_needs():
    days = dict.fromkeys(range(4), (100, 30))
    assert searched(days) == [span(2, 3, 200, 60), span(0, 1, 200, 60)]


def test_days_after_the_place_are_not_looked_through():
    days = dict.fromkeys(range(4), (100, 30))
    assert searched(days, Place(2 * DAY_MS, 0)) == [span(0, 1, 200, 60)]
    assert searched(days, Place(2 * DAY_MS, 1)) == [span(1, 2, 200, 60), span(0, 0, 100, 30)]


def test_days_that_the_sums_may_not_know_are_looked_through_one_by_one():
    days = {0: (0, 0), 1: (5, 1), 2: (0, 0)}
    found = [span(2, 2, 0, 0), span(1, 1, 5, 1), span(0, 0, 0, 0)]
    assert searched(days, behind=True) == found
    assert searched(days, behind=True, choosy=False) == [span(0, 2, 5, 1)]


@given(
    st.dictionaries(
        st.integers(0, 30),
        st.integers(0, 15_000).flatmap(lambda all_: st.tuples(st.just(all_), st.integers(0, all_))),
        min_size=1,
    ),
    st.none() | st.builds(Place, st.integers(0, 31 * DAY_MS), st.integers(0, 9)),
    st.booleans(),
    st.booleans(),
)
def test_each_day_of_interest_is_in_one_span(by_day, before, choosy, behind):
    spans = searched(by_day, before, choosy=choosy, behind=behind)
    assert all(newer.from_ms >= older.to_ms for newer, older in pairwise(spans))
    for day, (_, wanted) in by_day.items():
        there = [each for each in spans if each.from_ms <= day * DAY_MS < each.to_ms]
        reached = before is None or before > (day * DAY_MS, 0)
        assert bool(there) or not (wanted and reached)
    for each in spans:
        one_day = each.to_ms - each.from_ms == DAY_MS
        assert not choosy or one_day or each.records <= SLICE_RECORDS
    assert choosy or len(spans) <= 1

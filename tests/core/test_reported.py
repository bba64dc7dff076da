"""What a switch may report of a call. Mirrors src/talktime/core/reported.py."""

from copy import deepcopy

import pytest

from talktime.core.books import Terms
from talktime.core.limits import CALL_SECONDS_MAX
from talktime.core.outcomes import Granted, Noted, Refused, Replayed, Settled
from talktime.core.refusal import Refusal
from tests.commands import (
    FREE,
    NOW_MS,
    UNIT,
    Desk,
    answer,
    authorize,
    call_of,
    expire_hold,
    extend,
    fund,
    funded,
    money,
    settle,
)

OUT_OF_RANGE = "used_seconds_out_of_range"


def refused_without_a_trace(desk: Desk, command) -> Refusal:
    """The refusal, of which the books keep nothing."""
    before = deepcopy((desk.wallet, call_of(desk), desk.books.answers, desk.books.usage))
    told = desk.do(command)
    assert type(told) is Refused
    assert (desk.wallet, call_of(desk), desk.books.answers, desk.books.usage) == before
    return told.refusal


@pytest.mark.parametrize("report", [extend, settle])
def test_a_slice_and_the_grace_beyond_the_grant_are_accepted_and_no_second_more(report):
    """D7: 300 s granted, 300 s of a slice, 60 s of grace."""
    desk = funded(10 * UNIT)
    desk.do(authorize())
    assert refused_without_a_trace(desk, report(used_s=661)) == Refusal(
        OUT_OF_RANGE, "661 s are reported; 300 s were granted, and at most 660 s are accepted"
    )
    assert refused_without_a_trace(desk, report(used_s=864_000)).code == OUT_OF_RANGE
    # The number is not used up: the corrected request takes it.
    assert type(desk.do(report(used_s=660))) in (Granted, Settled)


def test_the_bound_follows_the_operators_settings():
    desk = Desk(fund(10 * UNIT), terms=Terms(slice_s=120, grace_s=10))
    desk.do(authorize())
    assert refused_without_a_trace(desk, settle(used_s=251)).code == OUT_OF_RANGE
    assert desk.do(settle(used_s=250)).billed_s == 300


def test_a_report_right_after_authorize_cannot_drain_the_wallet():
    """What the reviewer tried: ten days of talking in the first second."""
    desk = funded(UNIT)
    desk.do(authorize())
    refused_without_a_trace(desk, settle(used_s=864_000))
    assert money(desk) == (UNIT, 75_000, 0)


def test_the_overshoot_of_a_call_at_the_end_of_the_money_is_bounded():
    """Extends that are refused for want of money grant nothing, so the bound stays."""
    desk = funded(75_000)
    desk.do(authorize())
    assert desk.do(extend(sequence=1, used_s=660)).refusal.code == "insufficient_credit"
    assert refused_without_a_trace(desk, extend(sequence=2, used_s=661)).code == OUT_OF_RANGE
    assert desk.do(settle(sequence=2, used_s=660)).charge_micros == 11 * 15_000
    assert money(desk) == (-90_000, 0, 90_000)


@pytest.mark.parametrize(
    ("reported_s", "charged_s"),
    [pytest.param(661, 0, id="out of range"), pytest.param(660, 660, id="for want of money")],
)
def test_supervision_charges_nothing_beyond_the_bound(reported_s, charged_s):
    """A refused extend is remembered where it can be true, and forgotten where it cannot."""
    desk = funded(75_000)
    desk.do(authorize())
    assert type(desk.do(extend(used_s=reported_s))) is Refused
    assert call_of(desk).reported_s == charged_s
    desk.do(expire_hold(), at_s=10_000)
    assert desk.books.usage[0].billed_s == charged_s


def test_a_late_report_is_bounded_by_what_was_granted():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    desk.do(expire_hold(), at_s=10_000)
    assert refused_without_a_trace(desk, settle(used_s=661)).code == OUT_OF_RANGE
    assert desk.do(settle(used_s=660)).charge_micros == 11 * 15_000
    # Repeated, it is the first answer, whatever it says: it is not a report any more.
    assert type(desk.do(settle(sequence=2, used_s=864_000))) is Replayed


def test_a_call_of_hours_is_reported_long_after_it_was_made_or_in_an_instant():
    """The clock is no bound: a replay has none, and an outage only ends."""
    desk = funded(100 * UNIT)
    desk.do(authorize())
    for number in range(1, 48):
        assert desk.do(extend(sequence=number, used_s=300 * number)).granted_s == 300
    assert desk.do(settle(sequence=48, used_s=14_400)).billed_s == 14_400


def test_a_free_call_may_last_as_long_as_the_longest_whatever_was_granted():
    desk = Desk()
    desk.do(authorize(rate=FREE))
    most_s = CALL_SECONDS_MAX + 300 + 60
    assert refused_without_a_trace(desk, settle(used_s=most_s + 1)) == Refusal(
        OUT_OF_RANGE,
        "86761 s are reported; 300 s were granted, and at most 86760 s are accepted",
    )
    assert desk.do(settle(used_s=most_s)).charge_micros == 0


def test_a_refused_call_owes_nothing_whatever_is_reported():
    desk = Desk()
    desk.do(authorize())
    assert desk.do(settle(used_s=864_000)).charge_micros == 0


# When it was answered


def test_an_answer_more_than_a_minute_before_the_call_is_refused():
    desk = funded(UNIT)
    desk.do(authorize())
    early = answer(answered_ms=NOW_MS - 60_001)
    assert refused_without_a_trace(desk, early) == Refusal(
        "time_out_of_range", "'answered_at' may be at most 60 s before the call"
    )
    assert type(desk.do(answer(answered_ms=NOW_MS - 60_000))) is Noted


def test_a_record_never_begins_before_its_call():
    """The switch's clock is half a minute behind the service's."""
    desk = funded(UNIT)
    desk.do(authorize())
    desk.do(answer(answered_ms=NOW_MS - 30_000))
    desk.do(settle(sequence=2, used_s=61), at_s=61)
    (record,) = desk.books.usage
    assert (record.started_ms, record.ended_ms) == (NOW_MS, NOW_MS + 61_000)

"""Dialects that number or count otherwise, and calls that are to end. Mirrors core/ending.py, and
what core/decide.py counts."""

from dataclasses import replace

from talktime.core.commands import NEXT, EndCall, SetLimits
from talktime.core.outcomes import (
    CallEnding,
    Granted,
    HoldExpired,
    LimitsSet,
    Noted,
    Refused,
    Replayed,
    Settled,
)
from tests.commands import (
    ORGANISATION,
    SWITCH,
    UNIT,
    authorize,
    call_of,
    expire_hold,
    extend,
    funded,
    money,
    settle,
)


def since_last(command):
    return replace(command, since_last=True)


def end(code="organisation_inactive", call="C1"):
    return EndCall(SWITCH, call, ORGANISATION, code)


def test_the_next_number_is_found_by_the_books():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    outcomes = [desk.do(extend(sequence=NEXT, used_s=used_s)) for used_s in (100, 50, 100)]
    assert [outcome.sequence for outcome in outcomes] == [1, 2, 3]
    assert call_of(desk).reported_s == 100
    assert type(desk.do(settle(sequence=2**31 - 1, used_s=120))) is Settled
    refused = desk.do(extend(sequence=NEXT, used_s=130))
    assert type(refused) is Refused
    assert refused.refusal.code == "call_settled"


def test_seconds_since_the_last_report_add_up_in_any_order_and_once():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    third, first = since_last(extend(sequence=3, used_s=20)), since_last(extend(used_s=100))
    assert type(desk.do(third)) is Granted
    assert type(desk.do(first)) is Granted
    assert type(desk.do(first)) is Replayed
    assert call_of(desk).reported_s == 120
    reused = desk.do(since_last(extend(sequence=3, used_s=21)))
    assert type(reused) is Refused
    assert reused.refusal.code == "sequence_reused"
    settled = desk.do(since_last(settle(sequence=4, used_s=1)))
    assert type(settled) is Settled
    assert (settled.billed_s, settled.charge_micros) == (180, 45_000)
    assert money(desk) == (10 * UNIT - 45_000, 0, 0)


def test_seconds_since_the_last_report_are_bounded_as_all_are():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    desk.do(since_last(extend(used_s=300)))
    refused = desk.do(since_last(extend(sequence=2, used_s=700)))
    assert type(refused) is Refused
    assert refused.refusal.code == "used_seconds_out_of_range"
    assert call_of(desk).reported_s == 300


def test_a_late_report_of_the_last_seconds_is_booked_as_the_difference():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    desk.do(since_last(extend(used_s=60)))
    assert desk.do(expire_hold(), at_s=900) == HoldExpired("C1", True)
    settled = desk.do(since_last(settle(sequence=2, used_s=61)))
    assert type(settled) is Settled
    assert (settled.billed_s, settled.charge_micros) == (180, 45_000)


def test_what_is_held_is_kept_as_long_as_the_switch_may_take_to_ask_again():
    desk = funded(10 * UNIT)
    desk.do(replace(authorize(), keep_s=1_000))
    assert call_of(desk).deadline_ms == desk.now_ms + 1_000_000
    desk.do(replace(extend(used_s=10), keep_s=5))
    assert call_of(desk).deadline_ms == desk.now_ms + 1_000_000
    desk.do(replace(extend(sequence=2, used_s=20), keep_s=2_000))
    assert call_of(desk).deadline_ms == desk.now_ms + 2_000_000


def test_who_only_reports_is_granted_nothing_and_told_when_the_call_is_to_end():
    desk = funded(75_000)
    desk.do(authorize())
    report = replace(extend(used_s=300), keep_s=2_000, only_reports=True)
    noted = desk.do(report, at_s=300)
    assert noted == Noted("C1", 1, desk.now_ms + 2_000_000)
    assert (call_of(desk).reported_s, call_of(desk).granted_s) == (300, 300)
    assert money(desk) == (75_000, 75_000, 0)
    desk.do(end())
    refused = desk.do(replace(extend(sequence=2, used_s=310), only_reports=True), at_s=310)
    assert refused.refusal.code == "organisation_inactive"
    assert call_of(desk).reported_s == 310


def test_a_call_that_is_to_end_keeps_its_grant_and_gets_no_other():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    assert desk.do(end()) == CallEnding("C1", True)
    assert desk.do(end("user_inactive")) == CallEnding("C1", False)
    held = money(desk)
    refused = desk.do(extend(used_s=290))
    assert type(refused) is Refused
    assert refused.refusal.code == "organisation_inactive"
    assert money(desk) == held
    settled = desk.do(settle(sequence=2, used_s=291))
    assert type(settled) is Settled
    assert settled.billed_s == 300


def test_only_running_calls_are_to_end():
    desk = funded(10 * UNIT)
    assert desk.do(end()) == CallEnding("C1", False)
    desk.do(authorize())
    desk.do(settle(used_s=1))
    assert desk.do(end()) == CallEnding("C1", False)
    assert call_of(desk).ending is None


def test_money_that_came_in_between_keeps_a_call_going():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    assert desk.do(end("insufficient_credit")) == CallEnding("C1", False)
    desk.wallet.balance_micros = -1
    assert desk.do(end("insufficient_credit")) == CallEnding("C1", True)


def test_a_report_that_is_too_much_counts_as_the_most_that_is_accepted_and_gets_no_more():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    refused = desk.do(replace(extend(used_s=50_000), capped=True))
    assert refused.refusal.code == "used_seconds_out_of_range"
    assert desk.do(replace(extend(used_s=50_000), capped=True)).answer.outcome == refused
    assert desk.books.calls[SWITCH, "C1"].reported_s == 300 + 300 + 60
    settled = desk.do(replace(settle(sequence=2, used_s=5), capped=True, since_last=True))
    assert settled.billed_s == 300 + 300 + 60


def test_a_report_that_cannot_be_corrected_is_charged_as_the_most_that_is_accepted():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    settled = desk.do(replace(settle(used_s=50_000), capped=True))
    assert type(settled) is Settled
    assert settled.billed_s == 300 + 300 + 60
    within = funded(10 * UNIT)
    within.do(authorize())
    assert within.do(replace(settle(used_s=61), capped=True)).billed_s == 120


def limits(spend_limit_micros, post_usage_cap_micros=None):
    return SetLimits(SWITCH, "C1", ORGANISATION, spend_limit_micros, post_usage_cap_micros)


def test_limits_of_a_running_call_are_changed_once_and_of_one_that_is_over_not_at_all():
    desk = funded(10 * UNIT)
    assert desk.do(limits(5)) == LimitsSet("C1", False)
    desk.do(authorize())
    assert desk.do(limits(5, 7)) == LimitsSet("C1", True)
    assert desk.do(limits(5, 7)) == LimitsSet("C1", False)
    payers = call_of(desk).payers
    assert (payers.spend_limit_micros, payers.post_usage_cap_micros) == (5, 7)
    desk.do(settle(used_s=10))
    assert desk.do(limits(None)) == LimitsSet("C1", False)
    assert call_of(desk).payers == payers

"""What is charged at once, and given back: a debit is permitted whole and settled, then corrected
once."""

from dataclasses import replace

import pytest

from talktime.core.commands import Refund, Settle
from talktime.core.debits import DEBIT, REFUND
from talktime.core.outcomes import Granted, Outcome, Refused, Replayed, Settled
from tests.commands import (
    GERMANY_WITH_FEE,
    NOW_MS,
    ORGANISATION,
    SWITCH,
    UNIT,
    Desk,
    authorize,
    extend,
    fund,
    funded,
    money,
    settle,
)


def debit(desk: Desk, seconds: int) -> Outcome:
    """Charge so many seconds at once."""
    asked = replace(authorize(rate=GERMANY_WITH_FEE, requested_s=seconds), whole=True)
    granted = desk.do(asked)
    if type(granted) is not Granted:
        return granted
    return desk.do(debiting(asked.body_hash, seconds))


def debiting(body_hash: int, seconds: int) -> Settle:
    """The settle of a debit, of a request with this hash."""
    return replace(settle(sequence=DEBIT, used_s=seconds), body_hash=body_hash)


def refund(desk: Desk, seconds: int = 0, body_hash: int = 5) -> Outcome:
    """Give so many seconds back."""
    return desk.do(Refund(SWITCH, "C1", REFUND, body_hash, seconds, ORGANISATION))


def code(outcome: Outcome) -> str:
    """Why it was refused."""
    assert type(outcome) is Refused
    return outcome.refusal.code


def kinds(desk: Desk) -> list[tuple[str, int, int, tuple[str, ...]]]:
    """The usage records: kind, seconds, charge, flags."""
    return [(u.kind, u.used_s, u.charge_micros, u.flags) for u in desk.books.usage]


def test_a_debit_is_granted_beyond_a_slice_or_not_at_all() -> None:
    desk = funded(UNIT)
    done = debit(desk, 900)
    assert type(done) is Settled
    assert done.charge_micros == 20_000 + 15 * 15_000
    assert money(desk) == (UNIT - 245_000, 0, 0)
    poor = funded(200_000)
    refused = debit(poor, 900)
    assert code(refused) == "insufficient_credit"
    assert refused.refusal.detail == "900 s to Germany cost 0.245 USD; 0.2 USD is available"
    assert money(poor) == (200_000, 0, 0)
    assert code(debit(funded(100 * UNIT), 86_401)) == "call_too_long"


def test_all_of_a_debit_goes_back_with_its_fee() -> None:
    desk = funded(UNIT)
    debit(desk, 900)
    back = refund(desk)
    assert type(back) is Settled
    assert (back.charge_micros, back.billed_s) == (0, 0)
    assert money(desk) == (UNIT, 0, 0)
    assert kinds(desk) == [("call", 900, 245_000, ()), ("correction", -900, -245_000, ("refund",))]
    assert desk.books.usage[1].fee_micros == -20_000
    assert desk.books.usage[1].because[-1] == "900 of 900 s are given back"


def test_a_part_of_a_debit_leaves_what_fewer_seconds_cost() -> None:
    desk = funded(UNIT)
    debit(desk, 900)
    assert type(refund(desk, 300)) is Settled
    assert money(desk) == (UNIT - 20_000 - 10 * 15_000, 0, 0)


def test_never_more_goes_back_than_was_charged() -> None:
    desk = funded(UNIT)
    debit(desk, 60)
    refund(desk, 10_000)
    assert money(desk) == (UNIT, 0, 0)


def test_a_debit_is_given_back_once_and_told_again() -> None:
    desk = funded(UNIT)
    debit(desk, 60)
    refund(desk)
    assert type(refund(desk)) is Replayed
    assert code(refund(desk, body_hash=6)) == "nothing_to_refund"
    assert money(desk) == (UNIT, 0, 0)


def test_only_a_debit_that_cost_something_is_given_back() -> None:
    desk = funded(UNIT)
    assert code(refund(desk)) == "unknown_call"
    desk.do(authorize())
    assert code(refund(desk)) == "nothing_to_refund"
    desk.do(settle(used_s=60))
    assert code(refund(desk)) == "nothing_to_refund"
    nothing = funded(UNIT)
    debit(nothing, 0)
    assert code(refund(nothing)) == "nothing_to_refund"


def test_what_goes_back_pays_the_debt_of_other_calls_first() -> None:
    desk = funded(100_000)
    debit(desk, 240)
    assert money(desk) == (20_000, 0, 0)
    desk.do(authorize("C2"))
    desk.do(settle("C2", used_s=120))
    assert money(desk) == (-10_000, 0, 10_000)
    refund(desk)
    assert money(desk) == (70_000, 0, 0)


def test_what_goes_back_after_its_lot_has_expired_is_there_to_be_forfeited() -> None:
    desk = Desk(fund(UNIT, expires_ms=NOW_MS + 1_000))
    debit(desk, 60)
    desk.now_ms = NOW_MS + 2_000
    assert type(refund(desk)) is Settled
    assert desk.wallet.balance_micros == UNIT
    assert desk.wallet.available_micros(desk.now_ms) == 0


@pytest.mark.parametrize(("used_s", "billed_s"), [(60, 60), (61, 60), (62, 120)])
def test_a_second_above_the_grant_is_no_seconds_of_the_next_increment(
    used_s: int, billed_s: int
) -> None:
    """A client that counts since its last report rounds the length of a call up, once."""
    desk = funded(UNIT)
    desk.do(authorize(requested_s=60))
    done = desk.do(replace(settle(used_s=used_s), since_last=True))
    assert type(done) is Settled
    assert done.billed_s == billed_s


def test_a_second_above_the_grant_counts_where_seconds_are_counted_from_the_answer() -> None:
    desk = funded(UNIT)
    desk.do(authorize(requested_s=60))
    done = desk.do(settle(used_s=61))
    assert type(done) is Settled
    assert done.billed_s == 120


def test_a_call_that_goes_on_is_counted_to_the_second() -> None:
    desk = funded(UNIT)
    desk.do(authorize(requested_s=60))
    asked = replace(extend(used_s=61, requested_s=60), since_last=True)
    granted = desk.do(asked)
    assert type(granted) is Granted
    assert desk.books.calls[SWITCH, "C1"].reported_s == 61


def test_a_call_that_runs_is_not_settled_as_a_debit() -> None:
    desk = funded(UNIT)
    desk.do(authorize())
    asked = replace(authorize(requested_s=3), whole=True)
    assert code(desk.do(asked)) == "sequence_reused"
    assert code(desk.do(debiting(asked.body_hash, 3))) == "call_not_granted"
    assert desk.books.calls[SWITCH, "C1"].state == "open"
    assert code(refund(desk)) == "nothing_to_refund"
    settled = desk.do(settle(used_s=60))
    assert type(settled) is Settled
    assert settled.billed_s == 60


def test_a_debit_that_was_refused_is_settled_by_nothing() -> None:
    desk = funded(10_000)
    asked = replace(authorize(requested_s=900), whole=True)
    assert code(desk.do(asked)) == "insufficient_credit"
    assert code(desk.do(debiting(asked.body_hash, 900))) == "call_not_granted"
    assert desk.books.calls[SWITCH, "C1"].settle_sequence is None
    assert money(desk) == (10_000, 0, 0)

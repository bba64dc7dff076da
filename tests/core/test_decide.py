"""Who is asked first, what was answered before, and in which order. Mirrors core/decide.py."""

from dataclasses import replace

import pytest

from talktime.core.outcomes import (
    Granted,
    HoldExpired,
    Noted,
    NothingToSettle,
    Refused,
    Replayed,
    Settled,
)
from talktime.core.refusal import Refusal
from tests.commands import (
    FREE,
    GERMANY_WITH_FEE,
    SWITCH,
    UNIT,
    Desk,
    answer,
    authorize,
    expire_hold,
    extend,
    fund,
    settle,
)

NO_LICENCE = Refusal("no_user_credit_capability", "front-desk@contoso.example has no licence")


@pytest.fixture
def desk() -> Desk:
    """A wallet of 10."""
    return Desk(fund(10 * UNIT))


def facts(desk: Desk) -> tuple[object, ...]:
    """All that a refusal must not change."""
    wallet, books = desk.wallet, desk.books
    return (
        (wallet.balance_micros, wallet.held_micros, wallet.debt_micros),
        [(call.call_key, call.state, call.last_sequence) for call in books.calls.values()],
        (len(books.new_answers), len(books.transfers), len(books.usage), len(books.new_lots)),
    )


def refused_unchanged(desk: Desk, command, code: str) -> None:
    """The command is refused with this code, and nothing has changed."""
    before = facts(desk)
    outcome = desk.do(command)
    assert type(outcome) is Refused
    assert outcome.refusal.code == code
    assert facts(desk) == before


def test_a_whole_call_goes_through(desk):
    kinds = [
        type(desk.do(command))
        for command in (
            authorize(),
            answer(sequence=1),
            extend(sequence=2, used_s=290),
            settle(sequence=3, used_s=400),
        )
    ]
    assert kinds == [Granted, Noted, Granted, Settled]
    assert desk.wallet.balance_micros == 10 * UNIT - 105_000
    assert desk.books.calls[SWITCH, "C1"].last_sequence == 3


@pytest.mark.parametrize(
    ("before", "again"),
    [
        ([], authorize()),
        ([authorize()], answer(sequence=1)),
        ([authorize()], extend(sequence=1, used_s=10)),
        ([authorize()], settle(sequence=1, used_s=10)),
        ([], authorize(refusal=NO_LICENCE)),
    ],
    ids=["authorize", "answer", "extend", "settle", "a refused authorize"],
)
def test_the_same_request_again_gets_the_same_answer_and_changes_nothing(desk, before, again):
    """R69."""
    for command in before:
        desk.do(command)
    first = desk.do(again)
    changed = facts(desk)
    replayed = desk.do(again, at_s=3_000)
    assert type(replayed) is Replayed
    assert replayed.answer.outcome is first
    assert facts(desk) == changed


@pytest.mark.parametrize("over", [settle(sequence=9), expire_hold()], ids=["settled", "expired"])
@pytest.mark.parametrize("again", [authorize(), extend(used_s=10)], ids=["authorize", "extend"])
def test_what_is_repeated_only_while_the_call_runs_is_granted_nothing_after_its_end(
    desk, over, again
):
    """Nothing is held any more: who took the answer for a new grant would talk for nothing."""
    only_while_open = replace(again, while_open=True)
    desk.do(authorize())
    desk.do(again)
    assert type(desk.do(only_while_open)) is Replayed
    desk.do(over, at_s=3_000)
    refused_unchanged(desk, only_while_open, "call_settled")
    assert type(desk.do(again)) is Replayed


@pytest.mark.parametrize(
    ("before", "other"),
    [
        ([authorize()], authorize(requested_s=60)),
        ([authorize()], extend(sequence=0, used_s=10)),
        ([authorize(), extend(used_s=10)], extend(used_s=20)),
        ([authorize(), extend(used_s=10)], settle(sequence=1, used_s=20)),
        ([authorize(), settle(used_s=10)], settle(sequence=0, used_s=10)),
        ([authorize(), settle(used_s=10)], settle(used_s=20)),
    ],
    ids=[
        "authorize",
        "extend for authorize",
        "extend",
        "settle for extend",
        "settle for authorize",
        "settle",
    ],
)
def test_a_sequence_number_with_another_body_is_refused(desk, before, other):
    for command in before:
        desk.do(command)
    refused_unchanged(desk, other, "sequence_reused")


def test_a_gap_in_the_numbers_is_refused_and_says_which_number_is_next(desk):
    desk.do(authorize())
    refused_unchanged(desk, extend(sequence=2), "sequence_skipped")
    assert desk.do(extend(sequence=7)).refusal.detail == (
        "the next sequence number of this call is 1"
    )
    refused_unchanged(desk, answer(sequence=3), "sequence_skipped")
    assert type(desk.do(extend(sequence=1, used_s=5))) is Granted


def test_the_first_request_on_a_call_is_number_0(desk):
    refused_unchanged(desk, authorize(sequence=1), "sequence_skipped")


@pytest.mark.parametrize("command", [extend(), answer()], ids=["extend", "answer"])
def test_a_call_that_was_never_authorized_is_not_known(desk, command):
    refused_unchanged(desk, command, "unknown_call")


def test_a_settle_of_a_call_never_seen_is_answered_and_charges_nothing(desk):
    before = facts(desk)
    assert desk.do(settle(sequence=4, used_s=100)) == NothingToSettle("C1", 4)
    assert facts(desk) == before


def test_a_settle_that_overtakes_its_authorize_must_be_sent_again(desk):
    """The call of the late authorize is open: the same settle then charges it, under its number."""
    overtaking = settle(sequence=1, used_s=61)
    assert type(desk.do(overtaking)) is NothingToSettle
    assert type(desk.do(authorize(), at_s=1)) is Granted
    assert (desk.wallet.held_micros, desk.wallet.balance_micros) == (75_000, 10 * UNIT)
    settled = desk.do(overtaking, at_s=2)
    assert (type(settled), settled.billed_s, settled.charge_micros) == (Settled, 120, 30_000)
    assert (desk.wallet.held_micros, desk.wallet.balance_micros) == (0, 10 * UNIT - 30_000)


def test_a_settle_that_overtook_its_authorize_and_is_not_sent_again_leaves_a_call_uncharged(desk):
    """Its hold ends by its deadline, and the record says so; a late settle still charges."""
    desk.do(settle(sequence=1, used_s=61))
    desk.do(authorize(), at_s=1)
    assert desk.do(expire_hold(), at_s=360).closed is False
    assert desk.do(expire_hold(), at_s=361).closed is True
    (record,) = desk.books.usage
    assert (record.charge_micros, record.flags) == (0, ("expired",))
    assert (desk.wallet.held_micros, desk.wallet.balance_micros) == (0, 10 * UNIT)
    assert desk.do(settle(sequence=1, used_s=61), at_s=400).charge_micros == 30_000


def test_an_organisation_without_a_wallet_is_refused(desk):
    refused_unchanged(desk, authorize(organisation_id=9), "unknown_organisation")


def test_calls_of_two_switches_are_two_calls_under_one_name(desk):
    desk.do(authorize())
    assert type(desk.do(authorize(switch_id=12))) is Granted
    assert desk.wallet.held_micros == 150_000


def test_a_running_call_is_not_authorized_again(desk):
    desk.do(authorize())
    refused_unchanged(desk, authorize(sequence=1), "call_already_authorized")


def test_a_refused_call_can_be_authorized_again_on_other_terms(desk):
    """The licence was assigned, the number and the conference corrected."""
    refused = authorize(refusal=NO_LICENCE, conference_id="room 1")
    assert desk.do(refused).refusal == NO_LICENCE
    refused_unchanged(desk, extend(sequence=1), "call_not_granted")
    refused_unchanged(desk, answer(sequence=1), "call_not_granted")
    other = {"to_digits": "4930999999", "conference_id": "room 2"}
    granted = desk.do(authorize(sequence=1, rate=GERMANY_WITH_FEE, **other))
    assert granted.rate == GERMANY_WITH_FEE
    desk.do(settle(sequence=2, used_s=1))
    (record,) = desk.books.usage
    assert (record.to_digits, record.charge_micros) == ("4930999999", 35_000)
    assert record.conference_id == "room 2"


def test_a_call_refused_for_money_is_granted_after_a_funding():
    desk = Desk()
    assert desk.do(authorize()).refusal.code == "no_tenant_credit_capability"
    desk.do(fund(UNIT))
    assert type(desk.do(authorize())) is Replayed  # the same question: the same answer
    assert desk.do(authorize(sequence=1)).granted_s == 300


def test_a_call_id_stays_with_its_organisation(desk):
    desk.open(2)
    desk.do(fund(UNIT, "F2", organisation_id=2))
    desk.do(authorize(refusal=NO_LICENCE))
    refused_unchanged(desk, authorize(sequence=1, organisation_id=2), "call_id_taken")
    refused_unchanged(desk, authorize(organisation_id=2), "sequence_reused")


def test_the_first_settle_charges_and_all_later_ones_get_its_answer(desk):
    desk.do(authorize())
    first = desk.do(settle(sequence=1, used_s=61))
    changed = facts(desk)
    for other in (settle(sequence=2, used_s=61), settle(sequence=9, used_s=6000)):
        assert desk.do(other).answer.outcome is first
    assert facts(desk) == changed


def test_a_settle_may_come_before_requests_that_were_sent_earlier(desk):
    desk.do(authorize())
    assert type(desk.do(settle(sequence=5, used_s=400))) is Settled
    refused_unchanged(desk, extend(sequence=1, used_s=290), "call_settled")
    refused_unchanged(desk, answer(sequence=6), "call_settled")
    refused_unchanged(desk, authorize(sequence=6), "call_settled")


def test_after_its_deadline_a_call_takes_a_settle_alone(desk):
    desk.do(authorize())
    desk.do(expire_hold(), at_s=360)
    for command in (extend(), answer(), authorize(sequence=1)):
        refused_unchanged(desk, command, "call_settled")
    assert type(desk.do(settle(used_s=61))) is Settled
    assert desk.do(expire_hold(), at_s=999) == HoldExpired("C1", False)


def test_a_settled_call_does_not_expire(desk):
    desk.do(authorize())
    desk.do(settle(used_s=61))
    changed = facts(desk)
    assert desk.do(expire_hold(), at_s=999) == HoldExpired("C1", False)
    assert facts(desk) == changed


def test_a_refused_extend_is_an_answer_too_and_the_call_goes_on_being_settled():
    desk = Desk(fund(75_000))
    desk.do(authorize())
    assert desk.do(extend(used_s=300)).refusal.code == "insufficient_credit"
    assert type(desk.do(extend(used_s=300))) is Replayed
    assert desk.do(settle(sequence=2, used_s=300)).charge_micros == 75_000


def test_a_refused_call_that_was_settled_is_over(desk):
    desk.do(authorize(refusal=NO_LICENCE))
    desk.do(settle(used_s=0))
    refused_unchanged(desk, authorize(sequence=2), "call_settled")


def test_a_free_call_is_settled_like_any_other(desk):
    desk.do(authorize(rate=FREE))
    assert desk.do(settle(used_s=61)).billed_s == 120
    assert type(desk.do(settle(sequence=2, used_s=61))) is Replayed

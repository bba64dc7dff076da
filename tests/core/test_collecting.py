"""What a provider's answer comes to. Mirrors src/talktime/core/collecting.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.charges import Misconfigured
from talktime.core.collecting import CONFIRM_ASK_MS
from talktime.core.recharging import NotWanted
from tests.commands import NOW_MS, UNIT, fund
from tests.tills import (
    ABSENT,
    AT_A_PAGE,
    DAY_MS,
    HARD,
    HOUR_MS,
    MINUTE_MS,
    NO_ANSWER,
    NOBODY_THERE,
    PAID,
    SOFT,
    Office,
    card,
    copy_of,
)


def paused(office):
    """The code for which auto-recharge is paused; '' where it is not."""
    return office.recharge.paused_code


def turn_off(office):
    """Auto-recharge is turned off, nothing else."""
    office.recharge = copy_of(office.recharge, enabled=False)


def test_money_that_was_taken_is_a_lot_of_the_payments_kind():
    """R2, R9, R15, R18: a purchase is possible while a recharge is on its way."""
    office = Office(99)
    bought = office.buy(50)
    with office.at_the_till() as collector:
        collector.answered(bought, office.tries[bought.id][0], PAID)
    office.answer(PAID)
    lots = office.books.new_lots[1:]
    assert [(lot.source, lot.amount_micros, lot.reason, lot.actor) for lot in lots] == [
        ("purchase", 50 * UNIT, "Purchase", "admin"),
        ("recharge", 200 * UNIT, "Auto-recharge", "service"),
    ]
    assert [(b.payment.lot_id, b.method) for b in office.bought] == [
        (lots[0].id, "Visa ending 0001"),
        (lots[1].id, "Visa ending 0001"),
    ]
    assert office.wallet.balance_micros == 349 * UNIT
    assert (bought.state, office.attempt.state) == ("succeeded", "succeeded")


def test_no_answer_is_no_decline_and_is_asked_about_after_5_minutes_an_hour_then_daily():
    """D3: never charged again, nobody is told of a failure."""
    office = Office(99, card(1), card(2))
    office.answer(NO_ANSWER)
    asked = []
    for _ in range(5):
        asked.append((office.attempt.due_ms - NOW_MS) // MINUTE_MS)
        assert office.attempt.state == "unknown"
        office.now_ms = office.attempt.due_ms
        office.answer(NO_ANSWER)
    assert asked == [5, 60, 24 * 60, 2 * 24 * 60, 3 * 24 * 60]
    assert office.tried() == [(1, "unknown")]
    assert office.standing == NotWanted("open_attempt")
    assert office.kinds() == []
    office.answer(PAID)
    assert office.wallet.balance_micros == 299 * UNIT


def test_questions_that_a_downtime_missed_are_not_made_up_for():
    """D3."""
    office = Office(99)
    office.answer(NO_ANSWER)
    office.answer(NO_ANSWER, after_ms=10 * DAY_MS + HOUR_MS)
    assert office.attempt.due_ms == NOW_MS + 11 * DAY_MS


def test_a_provider_that_takes_no_requests_of_ours_is_an_outage_with_its_reason():
    """D3."""
    office = Office(99)
    office.answer(Misconfigured("the key is not valid"))
    assert (office.attempt.state, office.attempt.detail) == ("unknown", "the key is not valid")
    assert office.attempt.due_ms == NOW_MS + 5 * MINUTE_MS


def test_a_charge_that_the_provider_does_not_know_is_sent_again_as_the_same_try():
    """D3: with the same key, so that it cannot be charged twice."""
    office = Office(99)
    office.answer(NO_ANSWER)
    [first] = office.tries[office.attempt.id]
    office.answer(ABSENT, after_ms=5 * MINUTE_MS)
    [again] = office.tries[office.attempt.id]
    assert (again.id, again.state, again.asked) == (first.id, "sending", 1)
    assert (office.attempt.state, office.attempt.due_ms) == ("charging", office.now_ms)
    office.answer(NO_ANSWER)
    assert office.attempt.due_ms == NOW_MS + HOUR_MS


@pytest.mark.parametrize(("late_ms", "state"), [(-1, "charging"), (0, "failed")])
def test_after_twenty_hours_a_charge_that_nobody_knows_is_given_up(late_ms, state):
    """D3: providers forget keys after a day. Recharge is not paused: nothing was declined."""
    office = Office(99)
    first = office.attempt
    office.answer(NO_ANSWER)
    office.answer(ABSENT, after_ms=20 * HOUR_MS + late_ms)
    assert first.state == state
    assert paused(office) == ""
    assert len(office.attempts) == (2 if state == "failed" else 1)


def test_a_failed_payment_that_was_paid_after_all_is_credited():
    """R18, D3: money that was taken is always credited."""
    office = Office(99)
    first = office.attempt
    office.answer(NO_ANSWER)
    office.answer(ABSENT, after_ms=20 * HOUR_MS)
    office.answer(HARD)
    with office.at_the_till(first.id) as collector:
        collector.answered(first, office.tries[first.id][0], PAID)
    assert (first.state, first.code, first.closed_ms) == ("succeeded", "", NOW_MS + 20 * HOUR_MS)
    assert first.lot_id == office.bought[0].lot.id
    assert office.wallet.balance_micros == 299 * UNIT


def test_two_tries_of_one_payment_that_both_took_money_are_two_lots():
    """R2, D3: the second becomes a payment of its own, which holds nothing up."""
    office = Office(99, card(1), card(2))
    office.answer(SOFT)
    office.answer(PAID)
    first = office.attempt
    office.answer(PAID, number=1)
    other = office.attempt
    assert other.id != first.id
    assert [(b.payment.id, b.lot.amount_micros, b.method) for b in office.bought] == [
        (first.id, 200 * UNIT, "Visa ending 0002"),
        (other.id, 200 * UNIT, "Visa ending 0001"),
    ]
    assert (other.kind, other.state, other.closed_ms) == ("recharge", "succeeded", NOW_MS)
    assert [each.number for each in office.tries[other.id]] == [1]
    assert office.wallet.balance_micros == 499 * UNIT


def test_the_same_success_twice_is_one_lot():
    """R16, R69."""
    office = Office(99)
    office.answer(PAID)
    office.answer(PAID, number=1)
    assert office.wallet.balance_micros == 299 * UNIT
    assert len(office.bought) == 1


def test_a_success_of_the_first_card_while_the_second_is_asked_stays_a_success():
    """D3: whatever becomes of the second."""
    for answer in (SOFT, HARD, NO_ANSWER, NOBODY_THERE, ABSENT):
        office = Office(99, card(1), card(2))
        office.answer(SOFT)
        office.answer(PAID, number=1)
        office.answer(answer, number=2)
        assert (office.attempt.state, paused(office)) == ("succeeded", "")
        assert office.attempt.due_ms is None
        assert office.wallet.balance_micros == 299 * UNIT


def test_a_purchase_by_a_person_fails_at_once_and_says_why():
    """R18, D3, D4: whoever is there chooses another card."""
    for answer, code in ((SOFT, "insufficient_funds"), (HARD, "lost_card")):
        office = Office(300, card(1), card(2))
        bought = office.buy(50)
        with office.at_the_till() as collector:
            collector.answered(bought, office.tries[bought.id][0], answer)
        assert (bought.state, bought.code, bought.due_ms) == ("failed", code, None)
        told = office.last("purchase.failed").facts
        assert (told["code"], told["next_ms"], told["po_number"]) == (code, None, None)
        assert office.wallet.balance_micros == 300 * UNIT
        assert paused(office) == ""


def test_a_purchase_waits_for_its_cardholder_with_the_page():
    """D3."""
    office = Office(300)
    bought = office.buy(50)
    [asked] = office.tries[bought.id]
    with office.at_the_till() as collector:
        collector.answered(bought, asked, AT_A_PAGE)
    assert (bought.state, bought.action_url) == ("confirming", AT_A_PAGE.url)
    assert bought.due_ms == NOW_MS + CONFIRM_ASK_MS
    with office.at_the_till() as collector:
        collector.answered(bought, asked, PAID)
    assert (bought.state, bought.action_url) == ("succeeded", "")
    assert office.wallet.balance_micros == 350 * UNIT


def test_turned_off_before_the_answer_the_charge_is_finished():
    """R20."""
    office = Office(99)
    turn_off(office)
    office.answer(PAID)
    assert office.wallet.balance_micros == 299 * UNIT
    assert office.standing == NotWanted("off")


def test_turned_off_before_a_decline_no_other_card_is_asked():
    """R20, D3: and nothing is paused that is off."""
    for answer in (SOFT, HARD, NOBODY_THERE):
        office = Office(99, card(1), card(2))
        turn_off(office)
        office.answer(answer)
        assert [number for number, _ in office.tried()] == [1]
        assert (office.attempt.state, paused(office)) == ("failed", "")
        assert office.kinds() == ["recharge.failed"]


def test_turned_off_while_no_answer_has_come_it_is_asked_about_all_the_same():
    """R20, D3: money may have been taken."""
    office = Office(99)
    office.answer(NO_ANSWER)
    turn_off(office)
    office.answer(NO_ANSWER, after_ms=5 * MINUTE_MS)
    assert (office.attempt.state, office.attempt.due_ms) == ("unknown", NOW_MS + HOUR_MS)
    office.answer(PAID, after_ms=55 * MINUTE_MS)
    assert office.wallet.balance_micros == 299 * UNIT
    assert len(office.attempts) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (turn_off, "turned_off"),
        (lambda office: setattr(office, "recharge", None), "turned_off"),
        (lambda office: office.do(fund(UNIT, "F2")), "not_needed"),
        (lambda office: setattr(office.wallet, "no_buying", "draining"), "not_offered"),
    ],
)
def test_what_waits_to_be_tried_again_is_given_up_when_it_is_not_wanted_any_more(change, code):
    """R20, R71, D14."""
    office = Office(99)
    office.answer(SOFT)
    change(office)
    office.wait_for_it()
    assert (office.attempt.state, office.attempt.code) == ("cancelled", code)
    assert len(office.tried()) == 1
    assert office.recharge is None or paused(office) == ""


def test_exactly_at_the_trigger_a_waiting_recharge_is_not_needed_and_one_micro_below_it_is():
    """R19, D1."""
    for missing_micros, state in ((0, "cancelled"), (1, "charging")):
        office = Office(99)
        office.answer(SOFT)
        office.do(fund(UNIT - missing_micros, "F2"))
        office.wait_for_it()
        assert office.attempt.state == state


ANSWERS = st.sampled_from([PAID, SOFT, HARD, NOBODY_THERE, AT_A_PAGE, NO_ANSWER, ABSENT])
STEPS = st.lists(st.tuples(ANSWERS, st.integers(0, 9), st.sampled_from([0, 5, 70, 1500])))


@given(STEPS, st.booleans())
def test_no_answer_takes_success_back_and_each_try_is_credited_once(steps, person):
    """R16, D3: for any answers, in any order, about any try of any age."""
    office = Office(99 if not person else 300, card(1), card(2))
    payment = office.buy(50) if person else office.attempt
    for answer, which, minutes in steps:
        office.now_ms += minutes * MINUTE_MS
        if payment.state == "declined" and payment.due_ms <= office.now_ms:
            with office.at_the_till(payment.id) as collector:
                collector.due(payment)
        asked = [each for tries in office.tries.values() for each in tries]
        try_ = asked[which % len(asked)]
        paid_before = {each.id for each in asked if each.state == "succeeded"}
        lots_before = len(office.bought)
        with office.at_the_till(try_.payment_id) as collector:
            collector.answered(office.payments[try_.payment_id], try_, answer)
        paid = {
            each.id
            for tries in office.tries.values()
            for each in tries
            if each.state == "succeeded"
        }
        assert paid == paid_before | ({try_.id} if answer == PAID else set())
        assert len(office.bought) - lots_before == len(paid - paid_before)
        for each in office.payments.values():
            mine = [try_ for try_ in office.tries[each.id] if try_.state == "succeeded"]
            assert len(mine) == (each.state == "succeeded")
            assert (each.lot_id is not None) == (each.state == "succeeded")
            assert each.open or each.due_ms is None
    lots = office.books.new_lots[1:]
    assert len({b.payment.lot_id for b in office.bought}) == len(office.bought) == len(lots)

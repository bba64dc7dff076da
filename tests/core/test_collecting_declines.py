"""What a decline comes to: the next card, later, a pause (D3). Mirrors core/collecting.py."""

import pytest

from talktime.core.recharging import NotWanted
from tests.commands import NOW_MS, UNIT
from tests.tills import (
    AT_A_PAGE,
    DAY_MS,
    HARD,
    HOUR_MS,
    MINUTE_MS,
    NOBODY_THERE,
    PAID,
    SOFT,
    Office,
    card,
)


def paused(office):
    """The code for which auto-recharge is paused; '' where it is not."""
    return office.recharge.paused_code


def test_a_soft_decline_asks_the_second_card_at_once_and_tells_the_first_reason():
    """R18, D3, D4."""
    office = Office(99, card(1), card(2))
    office.answer(SOFT)
    assert office.tried() == [(1, "declined"), (2, "sending")]
    assert (office.attempt.state, office.attempt.due_ms) == ("charging", NOW_MS)
    told = office.last("recharge.failed").facts
    assert (told["code"], told["method"]) == ("insufficient_funds", "Visa ending 0001")
    assert (told["next_ms"], told["balance_micros"]) == (NOW_MS, 99 * UNIT)
    office.answer(PAID)
    assert office.wallet.balance_micros == 299 * UNIT
    assert office.kinds() == ["recharge.failed"]


def test_all_cards_are_tried_again_1_3_and_7_hours_after_the_first_decline_then_it_pauses():
    """R18, D3: each card once a round; one notice of the failure, one of the pause."""
    office = Office(99, card(1), card(2))
    hours = []
    for _ in range(3):
        office.answer(SOFT)
        office.answer(SOFT)
        assert office.attempt.state == "declined"
        assert office.standing == NotWanted("open_attempt")
        hours.append(office.wait_for_it())
    assert hours == [1, 3, 7]
    office.answer(SOFT)
    office.answer(SOFT)
    assert [number for number, _ in office.tried()] == [1, 2] * 4
    assert (office.attempt.state, paused(office)) == ("failed", "insufficient_funds")
    assert office.standing == NotWanted("paused", "Not enough money")
    assert office.kinds() == ["recharge.failed", "recharge.paused"]
    assert office.wallet.balance_micros == 99 * UNIT
    assert office.books.new_lots[1:] == []
    office.look(after_ms=30 * DAY_MS)
    assert len(office.attempts) == 1


def test_the_hours_count_from_when_the_first_decline_was_known():
    """D3."""
    office = Office(99)
    office.answer(SOFT, after_ms=20 * MINUTE_MS)
    assert office.attempt.due_ms == NOW_MS + 20 * MINUTE_MS + HOUR_MS
    told = office.last("recharge.failed").facts
    assert told["next_ms"] == office.attempt.due_ms


def test_a_card_added_between_the_rounds_is_tried_once_a_round():
    """D3: and not once for each round that it has missed."""
    office = Office(99)
    for _ in range(2):
        office.answer(SOFT)
        office.wait_for_it()
    office.methods.append(card(2, 1))
    office.answer(SOFT)
    office.answer(SOFT)
    assert [number for number, _ in office.tried()] == [1, 1, 1, 2]
    assert office.attempt.state == "declined"
    assert office.wait_for_it() == 7


def test_times_that_a_downtime_missed_are_not_made_up_for():
    """D3: nobody is asked three times at once."""
    office = Office(99)
    office.answer(SOFT)
    office.attempt.due_ms += 4 * HOUR_MS  # nobody worked until then
    assert office.wait_for_it() == 5
    office.answer(SOFT)
    assert office.wait_for_it() == 7
    office.answer(SOFT)
    assert (len(office.tried()), paused(office)) == (3, "insufficient_funds")


def test_after_a_downtime_of_days_one_round_more_and_then_it_pauses():
    """D3."""
    office = Office(99)
    office.answer(SOFT)
    office.attempt.due_ms += 9 * DAY_MS
    office.wait_for_it()
    office.answer(SOFT)
    assert (office.attempt.state, len(office.tried())) == ("failed", 2)
    assert paused(office) == "insufficient_funds"


@pytest.mark.parametrize(
    ("answer", "code"), [(HARD, "lost_card"), (NOBODY_THERE, "authentication_required")]
)
def test_a_card_refused_for_good_pauses_at_once(answer, code):
    """D3: a hard decline, or a demand for the cardholder."""
    office = Office(99)
    office.answer(answer)
    assert office.tried() == [(1, "refused")]
    assert (office.attempt.state, paused(office)) == ("failed", code)
    assert office.kinds() == ["recharge.failed", "recharge.paused"]
    assert office.last("recharge.failed").facts["next_ms"] is None
    assert office.last("recharge.paused").facts["code"] == code


def test_a_recharge_that_could_be_confirmed_at_a_page_pauses_too():
    """D3: nobody is there."""
    office = Office(99)
    office.answer(AT_A_PAGE)
    assert (office.attempt.state, office.attempt.action_url) == ("failed", "")
    assert paused(office) == "authentication_required"


def test_a_card_refused_for_good_is_never_asked_again_in_that_attempt():
    """D3."""
    office = Office(99, card(1), card(2))
    office.answer(HARD)
    office.answer(SOFT)
    for _ in range(3):
        office.wait_for_it()
        office.answer(SOFT)
    assert office.tried() == [(1, "refused")] + [(2, "declined")] * 4
    assert paused(office) == "insufficient_funds"


def test_when_all_cards_are_refused_for_good_it_pauses_with_the_last_reason():
    """D3."""
    office = Office(99, card(1), card(2))
    office.answer(HARD)
    office.answer(NOBODY_THERE)
    assert office.tried() == [(1, "refused"), (2, "refused")]
    assert paused(office) == "authentication_required"


def test_a_decline_of_a_card_that_was_removed_meanwhile_pauses_at_once():
    """D3: there is no other to try."""
    office = Office(99)
    office.methods = []
    office.answer(SOFT)
    assert (office.attempt.state, paused(office)) == ("failed", "insufficient_funds")


def test_when_the_card_is_gone_at_the_time_of_the_next_try_it_pauses():
    """D3."""
    office = Office(99)
    office.answer(SOFT)
    office.methods = []
    office.wait_for_it()
    assert (office.attempt.state, paused(office)) == ("failed", "no_method")
    assert office.kinds() == ["recharge.failed", "recharge.paused"]


def test_after_a_pause_nothing_begins_until_somebody_resumes_it():
    """D3."""
    office = Office(99)
    office.answer(HARD)
    office.spend(20 * UNIT)
    assert office.look(after_ms=DAY_MS).code == "paused"
    assert len(office.attempts) == 1
    office.recharge.resume()
    office.look()
    office.answer(PAID)
    assert office.wallet.balance_micros == 279 * UNIT

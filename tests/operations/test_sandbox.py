"""What is done on the sandbox's pages, and what is refused. Mirrors operations/sandbox.py."""

from itertools import count

import pytest

from talktime.core.charges import Charge
from talktime.core.ids import Ids
from talktime.core.limits import SANDBOX_DECLINES_MAX
from talktime.core.refusal import Refusal
from talktime.operations.sandbox import (
    add_sandbox_card,
    change_sandbox_card,
    confirm_sandbox_charge,
    decide_sandbox_dispute,
    fail_sandbox_card,
    find_sandbox_card,
    find_sandbox_charge,
    list_sandbox_cards,
    list_sandbox_charges,
    list_sandbox_disputes,
    list_sandbox_events,
    open_sandbox_dispute,
    refund_at_the_sandbox,
    sandbox_switches,
    set_sandbox,
)
from talktime.operations.sandbox_charges import begin_sandbox_card, charge_card
from talktime.store.sandbox import Switches

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_800_000_000_000
UNIT = 1_000_000
NOTHING = 999
_tries = count(41)


@pytest.fixture
def control(store):
    return store.control()


@pytest.fixture
def do(control):
    """Do something in a transaction, with a clock and ids."""
    timed = {"now_ms": NOW_MS, "next_id": Ids(1, lambda: NOW_MS).next}

    def run(what, *about, plain=False, **options):
        with control.transaction():
            return what(control, *about, **options, **({} if plain else timed))

    return run


@pytest.fixture
def page(do):
    """A page on which a card is to be added."""
    about = {"setup_id": 51, "organisation_id": 7, "customer_ref": "c", "name": "Contoso"}
    return do(begin_sandbox_card, **about, return_url="/back")


@pytest.fixture
def charged(do, page):
    """Charges a card of the sandbox's with 50 USD: `charged(script)`."""

    def charge(script="approve", person_present=False):
        card = do(add_sandbox_card, page.id, script=script)
        asked = Charge(next(_tries), 7, 50 * UNIT, "USD", "c", "", "Credits", person_present, "/")
        return do(charge_card, card, asked).charge

    return charge


def test_a_card_gets_a_script_and_digits_on_its_page(do, page):
    card = do(add_sandbox_card, page.id, script="decline_then_approve", declines=3, last4="0001")
    assert (card.state, card.script, card.declines_left, card.last4) == (
        *("added", "decline_then_approve", 3, "0001"),
    )
    changed = do(change_sandbox_card, page.id, script="approve", plain=True)
    assert changed == card._replace(script="approve", declines_left=0)
    assert do(find_sandbox_card, page.id, plain=True) == changed
    assert do(list_sandbox_cards, plain=True) == [changed]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"script": "sing"}, "what the card does must be one of approve"),
        ({"script": ""}, "what the card does must be one of approve"),
        ({"script": "decline_then_approve"}, "the number of declines must be 1 to 100, not 0"),
        ({"script": "approve", "declines": -1}, "the number of declines must be 0 to 100, not -1"),
        (
            {"script": "approve", "declines": SANDBOX_DECLINES_MAX + 1},
            "the number of declines must be 0 to 100, not 101",
        ),
        ({"script": "approve", "last4": "12"}, "the last digits must be 4 digits"),
        ({"script": "approve", "last4": "12\u00b24"}, "the last digits must be 4 digits"),
    ],
)
def test_a_card_that_cannot_be_is_refused_and_its_page_stays(do, page, options, says):
    refusal = do(add_sandbox_card, page.id, **options)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_value"
    assert refusal.detail.startswith(says)
    assert do(find_sandbox_card, page.id, plain=True) == page
    assert do(list_sandbox_events, plain=True) == []


@pytest.mark.parametrize("first", [add_sandbox_card, fail_sandbox_card])
@pytest.mark.parametrize("then", [add_sandbox_card, fail_sandbox_card])
def test_a_page_is_used_once(do, page, first, then):
    with_script = {add_sandbox_card: {"script": "approve"}, fail_sandbox_card: {}}
    used = do(first, page.id, **with_script[first])
    refusal = do(then, page.id, **with_script[then])
    assert refusal.code == "sandbox_not_possible"
    assert do(find_sandbox_card, page.id, plain=True) == used


def test_what_is_not_there_is_refused(do):
    for refusal in (
        do(add_sandbox_card, NOTHING, script="approve"),
        do(fail_sandbox_card, NOTHING),
        do(change_sandbox_card, NOTHING, script="approve", plain=True),
        do(confirm_sandbox_charge, NOTHING, confirmed=True),
        do(refund_at_the_sandbox, NOTHING, amount_micros=1),
        do(open_sandbox_dispute, NOTHING),
        do(decide_sandbox_dispute, NOTHING, won=True),
        do(find_sandbox_card, NOTHING, plain=True),
        do(find_sandbox_charge, NOTHING, plain=True),
    ):
        assert refusal.code == "not_in_sandbox"
        assert "999" in refusal.detail


def test_the_switches_are_normal_until_they_are_set(do):
    assert do(sandbox_switches, plain=True) == Switches("normal", False)
    options = {"webhooks": "twice", "down": True, "actor": "operator", "now_ms": NOW_MS}
    assert do(set_sandbox, plain=True, **options) == Switches("twice", True)
    refusal = do(set_sandbox, plain=True, **{**options, "webhooks": "by post"})
    assert refusal.code == "invalid_value"
    assert do(sandbox_switches, plain=True) == Switches("twice", True)


def test_only_a_charge_that_waits_can_be_confirmed_and_once(do, charged):
    charge = charged("ask_cardholder", person_present=True)
    assert do(confirm_sandbox_charge, charge.id, confirmed=True).state == "succeeded"
    refusal = do(confirm_sandbox_charge, charge.id, confirmed=False)
    assert refusal.detail == "the charge does not wait: it is succeeded"
    (kept,) = do(list_sandbox_charges, plain=True)
    assert kept.state == "succeeded"


@pytest.mark.parametrize("amount_micros", [0, -1, 50 * UNIT + 1])
def test_no_more_than_is_left_is_given_back(do, charged, amount_micros):
    charge = charged()
    refusal = do(refund_at_the_sandbox, charge.id, amount_micros=amount_micros)
    assert refusal == Refusal("sandbox_not_possible", "50 USD are left of the charge")
    assert do(find_sandbox_charge, charge.id, plain=True) == charge


def test_nothing_is_given_back_or_disputed_of_what_was_not_charged(do, charged):
    charge = charged("decline_softly")
    refusal = do(refund_at_the_sandbox, charge.id, amount_micros=1)
    assert refusal.detail == "0 USD are left of the charge"
    assert do(open_sandbox_dispute, charge.id).detail == "nothing is left of the charge"


def test_a_charge_is_disputed_once_unless_we_win(do, charged):
    charge = charged()
    first = do(open_sandbox_dispute, charge.id)
    assert do(open_sandbox_dispute, charge.id).detail == "the charge is disputed already"
    assert do(decide_sandbox_dispute, first.id, won=True).state == "won"
    assert do(decide_sandbox_dispute, first.id, won=False).detail == "the dispute is won already"
    second = do(open_sandbox_dispute, charge.id)
    assert do(decide_sandbox_dispute, second.id, won=False).state == "lost"
    assert do(open_sandbox_dispute, charge.id).code == "sandbox_not_possible"
    states = [each.state for each in do(list_sandbox_disputes, charge.id, plain=True)]
    assert states == ["won", "lost"]


def test_what_a_dispute_took_is_not_refunded_too_unless_we_win(do, charged):
    charge = charged()
    do(refund_at_the_sandbox, charge.id, amount_micros=20 * UNIT)
    dispute = do(open_sandbox_dispute, charge.id)
    assert dispute.amount_micros == 30 * UNIT
    refusal = do(refund_at_the_sandbox, charge.id, amount_micros=1)
    assert refusal == Refusal("sandbox_not_possible", "0 USD are left of the charge")
    do(decide_sandbox_dispute, dispute.id, won=True)
    assert do(refund_at_the_sandbox, charge.id, amount_micros=30 * UNIT).charge_id == charge.id


def test_every_step_is_told_by_a_webhook_the_newest_first(do, charged):
    charge = charged("ask_cardholder", person_present=True)
    do(confirm_sandbox_charge, charge.id, confirmed=True)
    do(refund_at_the_sandbox, charge.id, amount_micros=UNIT)
    do(decide_sandbox_dispute, do(open_sandbox_dispute, charge.id).id, won=False)
    kinds = [each.kind for each in do(list_sandbox_events, plain=True)]
    assert kinds == [
        *("dispute.lost", "dispute.opened", "charge.refunded", "charge.succeeded"),
        *("charge.confirming", "card.added"),
    ]

"""The sandbox as a provider, on both databases. Mirrors payment_sandbox.py of the package."""

import threading
from itertools import count

import pytest

from talktime.core.charges import (
    Absent,
    CardAdded,
    CardPage,
    Charge,
    Declined,
    Dispute,
    Failed,
    ForeignRefund,
    NeedsCardholder,
    Refunded,
    RefundFailed,
    Succeeded,
    Unknown,
    Waiting,
)
from talktime.core.ids import Ids
from talktime.core.sandbox import BEHAVIOURS, DECLINES
from talktime.operations.sandbox import (
    add_sandbox_card,
    change_sandbox_card,
    confirm_sandbox_charge,
    decide_sandbox_dispute,
    fail_sandbox_card,
    open_sandbox_dispute,
    refund_at_the_sandbox,
    set_sandbox,
)
from talktime.operations.sandbox_charges import OtherBody, id_of_ref
from talktime.operations.sandbox_events import webhook_secret
from talktime.providers.payment_sandbox import SILENCE, SandboxProvider
from talktime.store.sandbox import charged_micros
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_800_000_000_000
ORGANISATION, TRY_ID, SETUP_ID, REFUND_ID = 7, 41, 51, 61
UNIT = 1_000_000
_nodes = count(1)
SECRET = webhook_secret("a key for tests")


class Box:
    """A sandbox, and who plays at its console."""

    def __init__(self, store: Store, **options) -> None:
        self.control = store.control()
        self._ids = Ids(next(_nodes), lambda: NOW_MS)
        self.provider = SandboxProvider(
            *(lambda: self.control, lambda: NOW_MS, self._ids.next),
            **{"webhook_secret": SECRET, "pages_url": "https://t.example", **options},
        )

    def at_its_console(self, what, *about, **options):
        """Do something on the sandbox's pages."""
        with self.control.transaction():
            return what(self.control, *about, now_ms=NOW_MS, next_id=self._ids.next, **options)

    def card(self, script: str, setup_id: int = SETUP_ID, **options) -> str:
        """Add a card with this script; its reference."""
        page = self.provider.begin_card(setup_id, ORGANISATION, "", "Contoso", "/back")
        card_id = id_of_ref(page.setup_ref, "sbx_setup_")
        self.at_its_console(add_sandbox_card, card_id, script=script, **options)
        return self.provider.find_card(page.setup_ref).method_ref

    def becomes(self, method_ref: str, script: str) -> None:
        """Give a card another script."""
        with self.control.transaction():
            change_sandbox_card(self.control, id_of_ref(method_ref, "sbx_card_"), script=script)

    def charged(self) -> int:
        """All money charged at the sandbox."""
        with self.control.reading():
            return charged_micros(self.control, ORGANISATION).get("USD", (0, 0))[0]


@pytest.fixture
def box(store: Store) -> Box:
    return Box(store)


def a_charge(method_ref: str, try_id: int = TRY_ID, **changes) -> Charge:
    charge = Charge(try_id, ORGANISATION, 50 * UNIT, "USD", "sbx_customer_7", method_ref, "Credits")
    return charge._replace(**changes)


def test_a_card_is_added_on_the_sandboxs_own_page(box):
    page = box.provider.begin_card(SETUP_ID, ORGANISATION, "", "Contoso", "/back")
    assert isinstance(page, CardPage)
    card_id = id_of_ref(page.setup_ref, "sbx_setup_")
    assert page.customer_ref == "sbx_customer_7"
    assert page.url == f"https://t.example/sandbox/cards/{card_id}/"
    assert box.provider.begin_card(SETUP_ID, ORGANISATION, "", "Contoso", "/back") == page
    assert box.provider.find_card(page.setup_ref) == Waiting()
    box.at_its_console(add_sandbox_card, card_id, script="approve")
    added = CardAdded(f"sbx_card_{card_id}", "Sandbox", "4242", 2030, 12)
    assert box.provider.find_card(page.setup_ref) == added


def test_a_page_that_was_left_and_one_that_is_not_there_have_failed(box):
    page = box.provider.begin_card(SETUP_ID, ORGANISATION, "", "Contoso", "/back")
    box.at_its_console(fail_sandbox_card, id_of_ref(page.setup_ref, "sbx_setup_"))
    assert box.provider.find_card(page.setup_ref) == Failed("the card was not added")
    for ref in ("sbx_setup_1", "seti_1", "sbx_setup_", "", f"sbx_setup_{'9' * 40}"):
        assert box.provider.find_card(ref) == Failed("the sandbox has no such page")


FIRST = {
    # script: the first answer, what asking tells then, what was charged
    "approve": (Succeeded, Succeeded, 50 * UNIT),
    "decline_softly": (Declined, Declined, 0),
    "decline_then_approve": (Declined, Declined, 0),
    "decline_hard": (Declined, Declined, 0),
    "ask_cardholder": (NeedsCardholder, NeedsCardholder, 0),
    "time_out_charged": (Unknown, Succeeded, 50 * UNIT),
    "time_out_uncharged": (Unknown, Absent, 0),
    "down": (Unknown, Unknown, 0),
}


@pytest.mark.parametrize("person_present", [False, True])
@pytest.mark.parametrize("script", BEHAVIOURS)
def test_a_try_is_charged_once_at_most_however_often_it_is_asked(box, script, person_present):
    method = box.card(script, declines=1 if script == "decline_then_approve" else 0)
    charge = a_charge(method, person_present=person_present)
    first, found, charged_micros_ = FIRST[script]
    assert isinstance(box.provider.charge(charge), first)
    truth = box.provider.find_charge(charge, "")
    assert isinstance(truth, found)
    assert box.charged() == charged_micros_
    for _ in range(3):
        again = box.provider.charge(charge)
        assert again == (SILENCE if isinstance(truth, Absent) else truth)
        assert box.provider.find_charge(charge, "") == truth
    assert box.charged() == charged_micros_


def test_declines_say_whether_they_are_for_good(box):
    hard = box.provider.charge(a_charge(box.card("decline_hard")))
    soft = box.provider.charge(a_charge(box.card("decline_softly", SETUP_ID + 1), TRY_ID + 1))
    assert (hard.code, hard.hard) == ("lost_card", True)
    assert (soft.code, soft.hard) == ("insufficient_funds", False)


def test_a_card_is_declined_a_number_of_times_and_then_charged(box):
    method = box.card("decline_then_approve", declines=2)
    outcomes = [box.provider.charge(a_charge(method, TRY_ID + number)) for number in range(4)]
    assert [type(each) for each in outcomes] == [Declined, Declined, Succeeded, Succeeded]
    again = [box.provider.charge(a_charge(method, TRY_ID + number)) for number in range(4)]
    assert again == outcomes
    assert box.charged() == 100 * UNIT


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_cardholder_confirms_or_not_on_the_sandboxs_page(box, confirmed):
    charge = a_charge(box.card("ask_cardholder"), person_present=True, return_url="/back")
    waiting = box.provider.charge(charge)
    charge_id = id_of_ref(waiting.ref, "sbx_charge_")
    assert waiting.url == f"https://t.example/sandbox/charges/{charge_id}/"
    box.at_its_console(confirm_sandbox_charge, charge_id, confirmed=confirmed)
    outcome = box.provider.find_charge(charge, waiting.ref)
    if confirmed:
        assert outcome == Succeeded(waiting.ref)
    else:
        assert outcome == Declined(waiting.ref, *DECLINES["not_confirmed"])
    assert box.charged() == (50 * UNIT if confirmed else 0)
    assert box.provider.cancel_charge(waiting.ref) == outcome


def test_a_waiting_charge_is_called_off(box):
    charge = a_charge(box.card("ask_cardholder"), person_present=True)
    waiting = box.provider.charge(charge)
    called_off = Declined(waiting.ref, *DECLINES["cancelled"])
    assert box.provider.cancel_charge(waiting.ref) == called_off
    assert box.provider.find_charge(charge, waiting.ref) == called_off
    assert box.provider.cancel_charge("sbx_charge_1") == Absent()
    assert box.charged() == 0


def test_without_its_holder_a_card_that_asks_has_no_page(box):
    outcome = box.provider.charge(a_charge(box.card("ask_cardholder")))
    assert isinstance(outcome, NeedsCardholder)
    assert outcome.url == ""


def test_a_request_that_got_lost_is_charged_when_it_comes_again(box):
    method = box.card("time_out_uncharged")
    assert box.provider.charge(a_charge(method)) == SILENCE
    box.becomes(method, "approve")
    assert isinstance(box.provider.charge(a_charge(method)), Succeeded)
    assert box.charged() == 50 * UNIT


@pytest.mark.parametrize(
    "change",
    [
        {"amount_micros": 51 * UNIT},
        {"currency": "EUR"},
        {"organisation_id": 8},
        {"description": "something else"},
    ],
)
def test_a_try_with_another_body_is_a_bug_and_charges_nothing(box, change):
    charge = a_charge(box.card("approve"))
    box.provider.charge(charge)
    with pytest.raises(OtherBody, match="try 41"):
        box.provider.charge(charge._replace(**change))
    with pytest.raises(OtherBody):
        box.provider.charge(charge._replace(method_ref=box.card("approve", SETUP_ID + 1)))
    assert box.charged() == 50 * UNIT


def test_nothing_is_charged_for_nothing(box):
    with pytest.raises(ValueError, match="nothing to charge"):
        box.provider.charge(a_charge(box.card("approve"), amount_micros=0))


@pytest.mark.parametrize("ref", ["sbx_card_1", "pm_card_visa", ""])
def test_a_card_that_is_not_there_is_declined_for_good(box, ref):
    assert box.provider.charge(a_charge(ref)) == Declined("", *DECLINES["unknown_card"])
    assert DECLINES["unknown_card"].hard


def test_a_forgotten_card_is_charged_no_more(box):
    method = box.card("approve")
    assert [box.provider.forget_card(each) for each in (method, method, "pm_1")] == [None] * 3
    assert box.provider.charge(a_charge(method)) == Declined("", *DECLINES["unknown_card"])
    assert box.charged() == 0


def test_a_sandbox_that_is_down_does_nothing_and_says_nothing(box):
    method = box.card("approve")
    with box.control.transaction():
        set_sandbox(box.control, webhooks="normal", down=True, actor="operator", now_ms=NOW_MS)
    provider, charge = box.provider, a_charge(method)
    answers = [
        *(provider.charge(charge), provider.find_charge(charge, ""), provider.find_card("x")),
        *(provider.begin_card(9, 7, "", "Contoso", ""), provider.forget_card(method)),
        *(provider.refund(1, "x", 1, "USD"), provider.find_refund(1, "x")),
        *(provider.disputes("x"), provider.refunds("x"), provider.cancel_charge("x")),
    ]
    assert answers == [SILENCE] * 10
    assert box.charged() == 0


def test_a_sandbox_that_is_not_in_use_charges_no_more_but_answers(store):
    before = Box(store)
    charge = a_charge(before.card("approve"))
    done = before.provider.charge(charge)
    after = Box(store, charging=False)
    assert after.provider.charge(charge) == after.provider.find_charge(charge, "") == done
    refused = after.provider.charge(charge._replace(try_id=TRY_ID + 1))
    assert refused == Declined("", *DECLINES["sandbox_off"])
    assert after.charged() == 50 * UNIT
    assert isinstance(after.provider.refund(REFUND_ID, done.ref, UNIT, "USD"), Refunded)


def test_a_refund_is_made_once_and_no_more_than_is_left(box):
    ref = box.provider.charge(a_charge(box.card("approve"))).ref
    assert box.provider.find_refund(REFUND_ID, ref) == Absent()
    done = box.provider.refund(REFUND_ID, ref, 20 * UNIT, "USD")
    assert isinstance(done, Refunded)
    assert box.provider.refund(REFUND_ID, ref, 20 * UNIT, "USD") == done
    assert box.provider.find_refund(REFUND_ID, ref) == done
    with pytest.raises(OtherBody, match="refund 61"):
        box.provider.refund(REFUND_ID, ref, 21 * UNIT, "USD")
    too_much = box.provider.refund(REFUND_ID + 1, ref, 31 * UNIT, "USD")
    assert too_much == RefundFailed("that is more than is left of the charge")
    for bad_ref, currency in (("sbx_charge_1", "USD"), (ref, "EUR")):
        failed = box.provider.refund(REFUND_ID + 1, bad_ref, UNIT, currency)
        assert failed == RefundFailed("the sandbox has no such charge")
    box.at_its_console(
        refund_at_the_sandbox, id_of_ref(ref, "sbx_charge_"), amount_micros=30 * UNIT
    )
    mine, foreign = box.provider.refunds(ref)
    assert mine == ForeignRefund(done.ref, REFUND_ID, 20 * UNIT)
    assert (foreign.refund_id, foreign.amount_micros) == (None, 30 * UNIT)
    with box.control.reading():
        assert charged_micros(box.control, ORGANISATION) == {"USD": (50 * UNIT, 50 * UNIT)}


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_is_open_until_it_is_decided(box, won):
    ref = box.provider.charge(a_charge(box.card("approve"))).ref
    opened = box.at_its_console(open_sandbox_dispute, id_of_ref(ref, "sbx_charge_"))
    named = f"sbx_dispute_{opened.id}"
    assert box.provider.disputes(ref) == [Dispute(named, 50 * UNIT, "open")]
    box.at_its_console(decide_sandbox_dispute, opened.id, won=won)
    assert box.provider.disputes(ref) == [Dispute(named, 50 * UNIT, "won" if won else "lost")]


def test_twenty_at_once_charge_a_try_once(store):
    boxes = [Box(store) for _ in range(20)]
    charge, outcomes = a_charge(boxes[0].card("time_out_charged")), []

    def ask(box: Box) -> None:
        outcomes.append(box.provider.charge(charge))

    threads = [threading.Thread(target=ask, args=(box,)) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert boxes[0].charged() == 50 * UNIT
    assert outcomes.count(SILENCE) == 1
    assert len(set(outcomes)) == 2


def test_a_database_that_is_away_is_an_answer_that_does_not_come(box, store):
    method = box.card("approve")
    box.control.close()
    if store.kind == "sqlite":
        store.settings.control_plane.path.unlink()
    assert box.provider.charge(a_charge(method)) == SILENCE

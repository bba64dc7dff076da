"""Events of the bank: read when they are signed, acted on once, and only by what the bank says."""

import pytest

from talktime.core.limits import PAYMENT_EVENT_BODY_BYTES_MAX, PAYMENT_EVENTS_WAITING_MAX
from talktime.jobs.cards import add_cards
from talktime.jobs.payments import collect_payments
from talktime.jobs.provider_events import (
    forget_events,
    read_payment_events,
    reconcile_payments,
    settle_payment_events,
)
from talktime.jobs.refunds import refund_payments
from talktime.operations.card_setups import begin_card, find_card_setup
from talktime.operations.provider_events import receive_event
from talktime.store.event_inbox import count_posted
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


def post(shop, events):
    """The bank posts events to our door."""
    for body, headers in events:
        kept = receive_event(
            shop.control,
            "bank",
            body,
            headers,
            received_ms=shop.now_ms,
            next_id=shop.ids.next,
        )
        assert kept is None


def hear(shop):
    """All events of the bank arrive, and are acted on."""
    post(shop, shop.bank.take_events())
    shop.run(read_payment_events)
    shop.run(settle_payment_events)


def waiting(shop):
    """How many events nobody has read."""
    with shop.control.reading():
        return count_posted(shop.control)


def events(shop):
    """The events of the cell: kind, tries, detail, due."""
    with shop.cell.reading():
        return shop.cell.rows("SELECT kind, tries, detail, due_ms FROM provider_event ORDER BY id")


@pytest.mark.parametrize("named", ["charge.dispute", "dispute"])
def test_a_dispute_at_the_bank_is_booked_when_it_is_told(shop, named):
    """Source: D15."""
    payment = shop.buy(100 * UNIT)
    hear(shop)
    shop.bank.disputes_named = named
    dispute = shop.bank.dispute(shop.charge_of(payment))
    hear(shop)
    assert shop.went_back() == [("chargeback", "open", 100 * UNIT, 0)]
    shop.bank.decide(dispute, won=True)
    hear(shop)
    assert shop.went_back() == [("chargeback", "won", 100 * UNIT, 0)]
    assert shop.money() == (100 * UNIT, 0, 0)
    assert waiting(shop) == 0
    assert [event[0] for event in events(shop)] == [
        "charge.succeeded",
        f"{named}.created",
        f"{named}.closed",
    ]
    shop.proven()


def test_events_in_any_order_and_twice_come_to_the_same(shop):
    payment = shop.buy(100 * UNIT)
    dispute = shop.bank.dispute(shop.charge_of(payment), 60 * UNIT)
    shop.bank.decide(dispute, won=False)
    shop.bank.refund_at_console(shop.charge_of(payment), 10 * UNIT)
    told = shop.bank.take_events()
    post(shop, [*reversed(told), *told])
    shop.run(read_payment_events)
    shop.run(settle_payment_events)
    assert sorted(shop.went_back()) == [
        ("chargeback", "lost", 60 * UNIT, 0),
        ("refund", "done", 10 * UNIT, 0),
    ]
    assert shop.money() == (30 * UNIT, 0, 0)
    assert len(events(shop)) == 4
    shop.proven()


def test_an_event_hastens_a_payment_whose_answer_was_lost(shop):
    shop.bank.time_out_after = 1.0
    payment = shop.buy(100 * UNIT)
    shop.bank.time_out_after = 0.0
    assert shop.payment(payment).state == "unknown"
    assert shop.run(collect_payments) == 0
    hear(shop)
    assert shop.run(collect_payments) == 1
    assert shop.payment(payment).state == "succeeded"
    assert shop.money() == (100 * UNIT, 0, 0)


def test_money_that_came_after_a_payment_was_given_up_is_credited(shop):
    """Source: D3."""
    shop.bank.arrive_late, shop.bank.late_ms = 1.0, 30 * 3_600_000
    payment = shop.buy(100 * UNIT)
    shop.bank.arrive_late = 0.0
    shop.wait(hours=24)
    shop.run(collect_payments)
    assert shop.payment(payment).state == "failed"
    shop.wait(hours=6)
    shop.bank.find_card("nothing")  # whatever reaches the bank lets the late request arrive
    hear(shop)
    assert shop.payment(payment).state == "succeeded"
    assert shop.money() == (100 * UNIT, 0, 0)
    shop.proven()


def test_a_done_refund_that_fails_later_is_taken_back(shop):
    payment = shop.buy(100 * UNIT)
    shop.refund(payment, 40 * UNIT)
    shop.run(refund_payments)
    hear(shop)
    made = shop.bank.charges[shop.charge_of(payment)]
    shop.bank.fail_refund(next(iter(made.refunds)))
    hear(shop)
    assert shop.went_back() == [("refund", "failed", 40 * UNIT, 0)]
    assert shop.money() == (100 * UNIT, 0, 0)
    shop.proven()


def test_a_refund_at_the_console_that_fails_later_is_taken_back(shop):
    payment = shop.buy(100 * UNIT)
    first = shop.bank.refund_at_console(shop.charge_of(payment), 100 * UNIT)
    hear(shop)
    assert shop.money() == (0, 0, 0)
    shop.bank.fail_refund(first)
    shop.bank.refund_at_console(shop.charge_of(payment), 70 * UNIT)
    for _ in range(2):
        hear(shop)
        shop.run(reconcile_payments)
    assert shop.went_back() == [
        ("refund", "failed", 100 * UNIT, 0),
        ("refund", "done", 70 * UNIT, 0),
    ]
    assert shop.money() == (30 * UNIT, 0, 0)
    assert shop.documents()[1:3] == [("credit_note", -100 * UNIT), ("invoice", 100 * UNIT)]
    shop.proven()


def test_a_refund_at_the_console_that_failed_before_it_was_heard_of_moves_nothing(shop):
    payment = shop.buy(100 * UNIT)
    shop.bank.fail_refund(shop.bank.refund_at_console(shop.charge_of(payment), 40 * UNIT))
    hear(shop)
    assert (shop.went_back(), shop.money()) == ([], (100 * UNIT, 0, 0))


def test_an_event_that_nobody_signed_is_dropped(shop):
    payment = shop.buy(100 * UNIT)
    shop.bank.take_events()
    shop.bank.dispute(shop.charge_of(payment))
    [(body, headers)] = shop.bank.take_events()
    post(shop, [(body + b" ", headers), (body, {}), (b"\xc3\xa4", {"Bank-Signature": "1.x"})])
    assert waiting(shop) == 3
    assert shop.run(read_payment_events) == 3
    assert (waiting(shop), events(shop)) == (0, [])
    shop.run(settle_payment_events)
    assert shop.went_back() == []


def test_an_old_event_that_somebody_sends_again_is_dropped(shop):
    shop.buy(100 * UNIT)
    told = shop.bank.take_events()
    shop.wait(minutes=6)
    post(shop, told)
    shop.run(read_payment_events)
    assert events(shop) == []


def test_an_event_that_waited_for_us_is_still_read(shop):
    shop.buy(100 * UNIT)
    post(shop, shop.bank.take_events())
    shop.wait(hours=6)
    shop.run(read_payment_events)
    assert [event[0] for event in events(shop)] == ["charge.succeeded"]


def test_an_event_about_nothing_of_ours_is_dropped(shop):
    shop.bank._tell("charge.refunded")
    post(shop, shop.bank.take_events())
    shop.run(read_payment_events)
    assert (waiting(shop), events(shop)) == (0, [])


def test_an_event_is_kept_until_the_bank_can_be_asked(shop):
    payment = shop.buy(100 * UNIT)
    shop.bank.take_events()
    shop.bank.dispute(shop.charge_of(payment))
    shop.bank.down = True
    hear(shop)
    [(_, tries, detail, due_ms)] = events(shop)
    assert (tries, detail) == (1, "the bank did not answer")
    assert due_ms == shop.now_ms + 60_000
    shop.bank.down = False
    shop.wait(minutes=1)
    shop.run(settle_payment_events)
    assert events(shop) == [("charge.dispute.created", 1, "", None)]
    assert shop.went_back() == [("chargeback", "open", 100 * UNIT, 0)]


def test_an_event_hastens_a_card(shop):
    asked = {"provider": "bank", "return_url": "https://us.example/", "actor": "admin"}
    begun = begin_card(shop.counter, **asked)
    shop.run(add_cards)
    shop.bank.enter_card(begun.id)
    assert shop.run(add_cards) == 0
    hear(shop)
    assert shop.run(add_cards) == 1
    assert find_card_setup(shop.counter, begun.id).state == "done"


def test_events_that_were_acted_on_are_forgotten_after_a_month(shop):
    shop.buy(100 * UNIT)
    hear(shop)
    shop.wait(days=29)
    assert forget_events(shop.sweep).rows == 0
    shop.wait(days=2)
    assert forget_events(shop.sweep).rows == 1
    assert events(shop) == []


def test_a_large_body_and_one_that_is_no_text_are_refused(shop):
    def refused(body, headers):
        refusal = receive_event(
            shop.control, "bank", body, headers, received_ms=0, next_id=shop.ids.next
        )
        return refusal.code

    assert refused(b"x" * (PAYMENT_EVENT_BODY_BYTES_MAX + 1), {}) == "body_too_large"
    assert refused(b"\xff\xfe", {}) == "invalid_request"
    assert refused(b"\x00", {}) == "invalid_request"
    assert refused(b"{}", {"Bank-Signature": "x" * 5_000}) == "invalid_request"
    assert waiting(shop) == 0


def test_nobody_fills_the_disk_with_events(shop):
    rows = [
        (number, "bank", "{}", "{}", shop.now_ms, shop.now_ms)
        for number in range(PAYMENT_EVENTS_WAITING_MAX)
    ]
    with shop.control.transaction():
        for row in rows:
            shop.control.run(
                "INSERT INTO payment_event_inbox "
                "(id, provider, body, headers, received_ms, due_ms) VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
    refusal = receive_event(
        shop.control, "bank", b"{}", {}, received_ms=shop.now_ms, next_id=shop.ids.next
    )
    assert refusal.code == "queue_full"
    assert waiting(shop) == PAYMENT_EVENTS_WAITING_MAX

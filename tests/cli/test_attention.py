"""`talktime attention`. Mirrors src/talktime/cli/attention.py."""

import pytest

from talktime.cli.output import moment
from talktime.clock import now_ms
from talktime.jobs.payments import collect_payments
from tests.bank_desk import LOST
from tests.lively_books import unpriced_call
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")

DAY_MS = 86_400_000
INVOICED = ("attention", "payments", "--state", "invoiced")


@pytest.fixture
def shop(store):
    shop = Shop(store)
    shop.now_ms = now_ms()
    return shop


def whose(shop):
    return {"organisation_id": str(shop.organisation.id), "organisation": "Contoso"}


def test_payments_wait_under_their_state_with_whose_they_are(shell, shop):
    ordered = [shop.order(100 * UNIT) for _ in range(2)]
    shop.card.script.append(LOST)
    failed = shop.buy(60 * UNIT)
    [payment] = shell.json("attention", "payments", "--state", "failed")["waiting_payments"]
    assert (payment["payment_id"], payment["amount"]) == (str(failed), "60")
    told = shell.json(*INVOICED, "--limit", "1")
    [payment] = told["waiting_payments"]
    assert told["more"] is True
    assert payment.pop("next_step") > moment(shop.now_ms)
    assert payment == {
        "payment_id": str(ordered[0]),
        **whose(shop),
        "kind": "purchase",
        "state": "invoiced",
        "amount": "100",
        "currency": "USD",
        "po_number": "",
        "actor": "admin",
        "declines": 0,
        "code": "",
        "detail": "",
        "created": moment(shop.now_ms),
    }
    assert "Payments, invoiced, the first 1 of more" in shell(*INVOICED, "--limit", "1")
    both = shell.json(*INVOICED)
    assert [each["payment_id"] for each in both["waiting_payments"]] == [
        str(id_) for id_ in ordered
    ]
    assert both["more"] is False
    assert shell("attention", "payments").strip() == "Payments, unknown: There are none."


def test_a_refund_waits_until_its_provider_has_confirmed_it(shell, shop):
    paid = shop.buy(60 * UNIT)
    refund = shop.refund(paid, 10 * UNIT).refund
    told = shell.json("attention", "refunds")
    [waiting] = told.pop("waiting_refunds")
    assert told == {"more": False}
    assert waiting.pop("next_step") is not None
    assert waiting == {
        "refund_id": str(refund.id),
        "payment_id": str(paid),
        **whose(shop),
        "kind": "refund",
        "state": refund.state,
        "amount": "10",
        "currency": "USD",
        "reason": "by agreement",
        "actor": "operator",
        "detail": "",
        "created": moment(shop.now_ms),
    }
    assert "10.00 USD" in shell("attention", "refunds")
    assert shell("attention", "refunds", "--kind", "chargeback").strip() == (
        "Disputes: There are none."
    )


def test_a_paused_recharge_waits_with_its_reason(shell, shop):
    assert shell("attention", "recharges").strip() == "Paused auto-recharges: There are none."
    shop.card.script.append(LOST)
    shop.recharge_on(50 * UNIT, 100 * UNIT)
    shop.run(collect_payments)
    [paused] = shell.json("attention", "recharges")["paused_recharges"]
    assert paused == whose(shop) | {
        "code": "lost_card",
        "detail": "The card was lost",
        "since": moment(shop.now_ms),
    }
    assert "Contoso" in shell("attention", "recharges")


def test_a_call_that_no_rate_prices_waits_with_the_card_that_lacks_it(shell, shop):
    """D10, R63; R78: the other party's number is masked by the organisation's country."""
    shell("catalogue", "set", "country", "NO", "masked_digits=3")
    unpriced_call(shop.cell, shop.organisation.id, shop.now_ms - 8 * DAY_MS)
    unpriced_call(shop.cell, shop.organisation.id, shop.now_ms)
    [call] = shell.json("attention", "calls")["unpriced_calls"]
    assert call.pop("usage_id").isdigit()
    assert call == {
        **whose(shop),
        "caller": "",
        "rate_card": "standard",
        "type": "user_out",
        "from": "+14255550100",
        "to": "+4930123***",
        "began_at": moment(shop.now_ms),
        "talked_seconds": 90,
        "unpriced_seconds": 60,
    }
    shown = shell("attention", "calls")
    assert ("standard" in shown, "+4930123***" in shown, "456" in shown) == (True, True, False)


@pytest.mark.parametrize("wrong", [("payments", "--state", "paid"), ("refunds", "--kind", "gift")])
def test_a_list_that_is_none_is_a_wrong_use(shell, wrong):
    assert "choose one of" in shell.run("attention", *wrong, code=2)[1]

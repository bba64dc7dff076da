"""Purchases, payment methods, auto-recharge and wallets in the shell. Mirrors src/talktime/cli."""

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres")

BY = ("--actor", "operator")


@pytest.fixture
def invoice(shell, contoso):
    """The id of an agreement to pay invoices."""
    ask = ("payment-method", "add-invoice", "Contoso", "--agreement", "EA-1", *BY)
    return shell.json(*ask)["method_id"]


def buy(shell, invoice, amount="200", key="order 2", **more):
    words = [word for name, value in more.items() for word in (f"--{name}", value)]
    ask = ("purchase", "start", "Contoso", amount, "--method", invoice, *BY, *words)
    return (*ask, "--idempotency-key", key)


def test_a_purchase_by_invoice_waits_and_is_received_once(shell, invoice):
    begun = shell.json(*buy(shell, invoice, **{"po-number": "PO 7"}))
    assert (begun["state"], begun["amount"], begun["po_number"]) == ("invoiced", "200", "PO 7")
    assert (begun["replayed"], begun["idempotency_key"]) == (False, "order 2")
    assert shell.json("wallet", "Contoso")["available"] == "250"
    ask = ("purchase", "receipt", "Contoso", begun["payment_id"], *BY, "--reference")
    for reference, again in (("bank 9", False), ("bank 9", True), ("bank 10", True)):
        paid = shell.json(*ask, reference)
        assert (paid["state"], paid["replayed"]) == ("succeeded", again)
    assert "had been received before: nothing was changed" in shell(*ask, "bank 10")
    wallet = shell.json("wallet", "Contoso")
    assert (wallet["available"], len(wallet["lots"])) == ("450", 2)
    assert [month["amount"] for month in wallet["expiry_calendar"]] == ["450"]
    line = shell.error("purchase", "cancel", "Contoso", begun["payment_id"], "--reason", "no")
    assert line.endswith("(payment_not_possible)")


def test_the_same_key_buys_once_and_another_request_with_it_is_refused(shell, invoice):
    first = shell.json(*buy(shell, invoice))
    again = shell.json(*buy(shell, invoice))
    assert (again["payment_id"], again["replayed"]) == (first["payment_id"], True)
    assert "(idempotency_key_reused)" in shell.error(*buy(shell, invoice, amount="300"))
    assert len(shell.json("purchase", "list", "Contoso")["payments"]) == 1


def test_a_purchase_that_fails_says_how_to_repeat_it_once(shell, store, invoice):
    cell = store.cell()
    with cell.transaction():
        cell.run("ALTER TABLE payment_try RENAME TO lost")
    line = shell.error(*buy(shell, invoice, key="order 3"))
    assert "Whether it was bought is not known: repeat it with --idempotency-key 'order 3'" in line
    assert line.endswith("which buys once")


def test_terms_say_when_it_would_expire_and_the_bounds_are_kept(shell, contoso):
    terms = shell.json("purchase", "terms", "Contoso", "100")
    assert terms["amount"] == "100"
    assert "not refundable" in terms["terms"][0]
    assert "(amount_out_of_bounds)" in shell.error("purchase", "terms", "Contoso", "1")
    assert "AMOUNT: 'x' is not a decimal number" in shell.error("purchase", "terms", "Contoso", "x")


def test_payments_are_listed_and_shown_and_given_up(shell, invoice):
    ids = [shell.json(*buy(shell, invoice, key=f"k{n}"))["payment_id"] for n in range(2)]
    listed = shell.json("purchase", "list", "Contoso")["payments"]
    assert [each["payment_id"] for each in listed] == sorted(ids, reverse=True)
    older = shell.json("purchase", "list", "Contoso", "--before", ids[1])["payments"]
    assert [each["payment_id"] for each in older] == ids[:1]
    ask = ("purchase", "cancel", "Contoso", ids[0], "--reason", "ordered twice")
    for _ in range(2):
        given_up = shell.json(*ask)
        assert (given_up["state"], given_up["detail"]) == ("cancelled", "ordered twice")
    assert "Contoso: purchase of 200.00 USD" in shell("purchase", "show", "Contoso", ids[0])
    assert "ordered twice" in shell("purchase", "list", "Contoso")
    assert "(unknown_payment)" in shell.error("purchase", "show", "Contoso", "1")


def test_payment_methods_are_listed_ordered_and_removed(shell, invoice):
    ask = ("payment-method", "add-invoice", "Contoso", "--agreement", "EA-2", *BY)
    second = shell.json(*ask, "--po-number", "PO 1")
    assert second["po_number"] == "PO 1"
    moved = shell.json("payment-method", "first", "Contoso", second["method_id"])
    assert [each["agreement"] for each in moved["payment_methods"]] == ["EA-2", "EA-1"]
    shell("payment-method", "remove", "Contoso", invoice)
    assert "EA-1" not in shell("payment-method", "list", "Contoso")
    line = shell.error("payment-method", "remove", "Contoso", invoice)
    assert line.endswith("(unknown_payment_method)")


def test_auto_recharge_is_set_shown_with_its_reason_and_turned_off(shell, contoso):
    ask = ("recharge", "set", "Contoso", "--below", "20", "--amount", "100", *BY)
    view = shell.json(*ask, "--month-limit", "500")
    assert (view["enabled"], view["trigger"], view["amount"]) == (True, "20", "100")
    assert (view["month_limit"], view["month_left"]) == ("500", "500")
    assert view["standing"] == {
        "code": "above_trigger",
        "words": "What is available is not below the trigger",
        "until": None,
    }
    words = shell("recharge", "show", "Contoso")
    assert "What is available is not below the trigger" in words
    assert "500.00 USD at most" in words
    above = ("recharge", "set", "Contoso", "--below", "300", "--amount", "400", "--up-to", *BY)
    assert shell.json(*above)["standing"]["code"] == "no_method"
    assert shell.json("recharge", "off", "Contoso", *BY)["standing"]["code"] == "off"
    assert shell.error("recharge", "resume", "Contoso", *BY).endswith("(invalid_value)")
    assert "(amount_out_of_bounds)" in shell.error(*ask[:5], "--amount", "1", *BY)


def test_alert_levels_are_set_all_at_once(shell, contoso):
    assert shell.json("alerts", "set", "Contoso", "20", "99.5")["alerts"] == ["20", "99.5"]
    assert "20.00 USD, 99.50 USD" in shell("recharge", "show", "Contoso")
    assert shell.json("alerts", "set", "Contoso")["alerts"] == []
    assert "(invalid_value)" in shell.error("alerts", "set", "Contoso", "0")


def test_a_wallet_is_shown_with_its_lots_and_when_they_expire(shell, contoso):
    words = shell("wallet", "Contoso")
    assert "Expiry calendar" in words
    assert "250.00 USD" in words
    assert "Auto-recharge is off" in words


def test_who_is_funded_by_a_reseller_cannot_buy(shell, invoice):
    changed = ("organisation", "change", "Contoso", "--sold-by-reseller")
    assert shell.json(*changed)["rules"]["sold_by_reseller"] is True
    line = shell.error(*buy(shell, invoice))
    assert "ask the reseller to fund it" in line
    wallet = shell.json("wallet", "Contoso")
    assert (wallet["can_buy"], wallet["why_not"]) == (False, line.partition(". Do what")[0])
    shell.json("organisation", "change", "Contoso", "--no-sold-by-reseller")
    shell.json("organisation", "change", "Contoso", "--agreement-country", "DE")
    assert "the billing agreement of Contoso is of DE" in shell("wallet", "Contoso")
    shell.json("organisation", "change", "Contoso", "--agreement-country", "")
    assert shell.json("wallet", "Contoso")["can_buy"] is True
    line = shell.error("organisation", "change", "Contoso", "--agreement-country", "EU")
    assert "the agreement's country must be a code of two capital letters" in line

"""Grants and refunds in the shell. Mirrors src/talktime/cli."""

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres")

ONE, OTHER = ("--actor", "first operator"), ("--actor", "second operator")


def give(shell, amount, key="goodwill 1"):
    ask = ("grant", "give", "Contoso", amount, "--reason", "sorry", "--promotional")
    return shell.json(*ask, *ONE, "--idempotency-key", key)


def available(shell):
    return shell.json("wallet", "Contoso")["available"]


def test_a_grant_up_to_the_limit_is_given_at_once_and_once(shell, contoso):
    first = give(shell, "500")
    assert (first["state"], first["lot"]["amount"]) == ("given", "500")
    assert give(shell, "500")["lot"] == first["lot"]
    assert available(shell) == "750"
    assert shell.json("grant", "list", "Contoso") == {"grants": []}


def test_a_grant_above_the_limit_waits_for_another_operator(shell, contoso):
    asked = give(shell, "500.01")
    assert asked["state"] == "asked"
    assert available(shell) == "250"
    assert "talktime grant approve" in shell(
        *("grant", "give", "Contoso", "500.01", "--reason", "sorry", "--promotional"),
        *(*ONE, "--idempotency-key", "goodwill 1"),
    )
    approve = ("grant", "approve", "Contoso", asked["grant_id"])
    assert "(approval_needed)" in shell.error(*approve, *ONE)
    assert available(shell) == "250"
    for _ in range(2):
        given = shell.json(*approve, *OTHER)
        assert given["lot"]["amount"] == "500.01"
    assert available(shell) == "750.01"
    assert "approved" in shell("grant", "list", "Contoso")


def test_a_grant_can_be_rejected_and_is_not_given_then(shell, contoso):
    asked = give(shell, "1000")
    reject = ("grant", "reject", "Contoso", asked["grant_id"])
    assert shell.json(*reject, *OTHER)["state"] == "rejected"
    approve = ("grant", "approve", "Contoso", asked["grant_id"])
    assert "(payment_not_possible)" in shell.error(*approve, *OTHER)
    assert available(shell) == "250"


def test_nobody_gives_more_than_the_limit_by_the_other_command(shell, contoso):
    fund = ("fund", "Contoso", "501", "--reason", "sorry", *ONE)
    for source in ("grant", "adjustment"):
        line = shell.error(*fund, "--source", source)
        assert "one person gives at most 500 USD in 24 hours" in line
    assert available(shell) == "250"


def test_a_purchase_by_hand_above_the_limit_waits_for_another_operator(shell, contoso):
    """R12: in pieces too."""
    fund = ("fund", "Contoso", "300", "--reason", "bank 7", *ONE, "--idempotency-key")
    assert shell.json(*fund, "a")["available"] == "550"
    asked = shell.json(*fund, "b")
    assert (asked["state"], asked["source"], asked["amount"]) == ("asked", "purchase", "300")
    assert shell.json(*fund, "b")["grant_id"] == asked["grant_id"]
    assert "Another operator decides" in shell(*fund, "b")
    assert available(shell) == "550"
    approve = ("grant", "approve", "Contoso", asked["grant_id"])
    assert "(approval_needed)" in shell.error(*approve, *ONE)
    for _ in range(2):
        assert shell.json(*approve, *OTHER)["lot"]["source"] == "purchase"
    assert shell.json(*fund, "b")["state"] == "approved"
    assert shell.json(*fund, "a")["replayed"] is True
    assert available(shell) == "850"


def test_a_purchase_that_waits_is_not_approved_once_buying_was_closed(shell, contoso):
    """D14."""
    asked = shell.json("fund", "Contoso", "501", "--reason", "bank 7", *ONE)
    shell("organisation", "move", "Contoso", "--yes")
    approve = ("grant", "approve", "Contoso", asked["grant_id"])
    assert "(credits_not_offered)" in shell.error(*approve, *OTHER)
    assert available(shell) == "250"


def test_a_purchase_by_hand_is_refused_to_whom_the_operator_sells_nothing(shell, contoso):
    """D14: nor to whom is billed after use."""
    fund = ("fund", "Contoso", "100", "--reason", "bank 7", *ONE)
    shell("organisation", "change", "Contoso", "--sold-by-reseller")
    assert shell.json(*fund)["available"] == "350"
    shell("organisation", "move", "Contoso", "--yes")
    assert "(credits_not_offered)" in shell.error(*fund)
    assert available(shell) == "350"


def test_an_invoice_is_refunded_by_hand_once(shell, contoso):
    add = ("payment-method", "add-invoice", "Contoso", "--agreement", "EA-1", *ONE)
    method = shell.json(*add)["method_id"]
    buy = ("purchase", "start", "Contoso", "200", "--method", method, *ONE)
    payment = shell.json(*buy)["payment_id"]
    shell.json("purchase", "receipt", "Contoso", payment, "--reference", "bank 9", *ONE)
    refund = ("refund", "start", "Contoso", payment, "150", "--reason", "ordered twice", *ONE)
    assert "(invalid_value)" in shell.error(*refund)
    refund = (*refund, "--reference", "bank 10", "--idempotency-key", "refund order")
    for _ in range(2):
        begun = shell.json(*refund)
        assert (begun["state"], begun["amount"], begun["became_debt"]) == ("done", "150", "0")
    assert available(shell) == "300"
    assert "150" in shell("refund", "list", "Contoso", payment)
    more = ("refund", "start", "Contoso", payment, "51", "--reason", "x", "--reference", "y", *ONE)
    assert "(amount_out_of_bounds)" in shell.error(*more)

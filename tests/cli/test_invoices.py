"""Invoices from the shell. Mirrors src/talktime/cli/invoices.py."""

import pytest

from talktime.core.documents import Buyer, Seller, invoice_of_lot
from talktime.core.ledger import Lot
from talktime.operations.documents import issue

pytestmark = pytest.mark.layouts("sqlite", "postgres-cells")

ISSUED_MS = 1_795_000_000_000


@pytest.fixture
def invoice(store, shell, contoso):
    """An invoice of 50 USD to Contoso."""
    owner = shell.json("organisation", "show", "Contoso")
    organisation_id = int(owner["id"])
    lot = Lot(
        *(70, organisation_id, "purchase", 0, False, 50_000_000, 50_000_000, 0),
        *(ISSUED_MS, ISSUED_MS + 1_000, "k", 1, "order", "admin"),
    )
    buyer = Buyer("Contoso", "Contoso Ltd", "1 Main Street\nOslo", "NO 1")
    facts = invoice_of_lot(
        lot, "USD", Seller("Fabrikam", ("Redmond",)), buyer, "UTC", method="Visa ending 4242"
    )
    cell = store.cell()
    with cell.transaction():
        return issue(cell, organisation_id, facts, now_ms=ISSUED_MS, next_id=lambda: 900)


def test_an_invoice_is_listed_and_shown(shell, invoice):
    listed = shell.json("invoice", "list", "Contoso")["invoices"]
    assert listed == [shell.json("invoice", "show", number) for number in ("main-2", "MAIN-000001")]
    shown, funded = listed
    assert (funded["kind"], funded["amount"]) == ("invoice", "250")
    assert (shown["number"], shown["kind"], shown["amount"], shown["issued"]) == (
        *("MAIN-000002", "invoice", "50"),
        "2026-11-18T11:06:40Z",
    )
    assert shown["buyer"]["legal_name"] == "Contoso Ltd"
    assert shown["seller"] == {"name": "Fabrikam", "address": ["Redmond"], "tax_id": "", "bank": ""}
    assert shown["lines"] == [{"text": "Communications credits", "quantity": 1, "amount": "50"}]
    assert "Visa ending 4242" in shell("invoice", "list", "Contoso")
    words = shell("invoice", "show", "MAIN-000002")
    for text in ("Invoice MAIN-000002", "Contoso Ltd", "50.00 USD", "70"):
        assert text in words


def test_an_invoice_is_written_as_a_pdf(shell, invoice, tmp_path):
    file = tmp_path / "invoice.pdf"
    assert shell("invoice", "pdf", "MAIN-000001", str(file)) == f"MAIN-000001 is in {file}\n"
    assert file.read_bytes().startswith(b"%PDF-")
    written = {"number": "MAIN-000001", "file": str(file)}
    assert shell.json("invoice", "pdf", "MAIN-000001", str(file)) == written


def test_what_is_funded_by_hand_is_invoiced_by_the_installations_seller(
    shell, contoso, monkeypatch
):
    monkeypatch.setenv("TALKTIME_SELLER", '{"name": "Fabrikam Telecom"}')
    shell("fund", "Contoso", "50", "--reason", "paid by cheque")
    newest = shell.json("invoice", "list", "Contoso")["invoices"][0]
    assert newest["seller"]["name"] == "Fabrikam Telecom"


@pytest.mark.parametrize("number", ["MAIN-000009", "WEST-000001", "1", "MAIN-x"])
def test_a_number_that_nobody_has_is_refused(shell, invoice, number):
    assert shell.error("invoice", "show", number).endswith("(unknown_document)")


def test_an_organisation_without_invoices_is_told_when_there_are(shell):
    shell("organisation", "create", "Fabrikam", "--country", "US")
    assert "an invoice is made with every purchase" in shell("invoice", "list", "Fabrikam")


def test_a_billing_profile_is_set_and_shown(shell, contoso):
    plain = {
        "organisation": "Contoso",
        "legal_name": "Contoso",
        "address": "",
        "tax_id": "",
    }
    assert shell.json("billing-profile", "show", "Contoso") == plain
    lines = ("--address", "1 Main Street", "--address", "Oslo")
    given = ("--legal-name", "Contoso Ltd", *lines, "--tax-id", "NO 1")
    made = shell.json("billing-profile", "set", "Contoso", *given)
    assert made == {
        **plain,
        "legal_name": "Contoso Ltd",
        "address": "1 Main Street\nOslo",
        "tax_id": "NO 1",
    }
    assert shell.json("billing-profile", "show", "Contoso") == made
    refused = shell.error("billing-profile", "set", "Contoso", "--legal-name", "")
    assert refused.endswith("(invalid_value)")
    assert shell.json("billing-profile", "show", "Contoso") == made


def test_numbers_go_on_from_where_the_operator_says_and_checks_know_it(shell, contoso):
    contoso_before = shell.json("invoice", "list", "Contoso")["invoices"]
    skip = ("invoice", "skip-to", "MAIN-001000")
    assert "998 numbers are left out" in shell(*skip, "--reason", "restored")
    assert "nothing was changed" in shell(*skip, "--reason", "again")
    shell("fund", "Contoso", "50", "--reason", "order")
    numbers = [each["number"] for each in shell.json("invoice", "list", "Contoso")["invoices"]]
    assert numbers == ["MAIN-001000", *(each["number"] for each in contoso_before)]
    assert "The books hold." in shell("check-books")
    assert "MAIN-001001 to MAIN-1001001" in shell.error(*skip, "--reason", "late")
    assert "is no number such as" in shell.error("invoice", "skip-to", "1000", "--reason", "x")
    assert "has no cell" in shell.error("invoice", "skip-to", "NOWHERE-10", "--reason", "x")
    (change,) = shell.json("audit", "--action", "documents.skipped")["changes"]
    assert change["before"] == {"next": "MAIN-000002"}
    assert change["after"] == {"next": "MAIN-001000", "reason": "restored"}

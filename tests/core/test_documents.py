"""What documents say, and that it survives being kept."""

import pytest

from talktime.core.documents import (
    LOT_TERMS,
    Buyer,
    Document,
    DocumentFacts,
    Line,
    LotFacts,
    Seller,
    body_text,
    credit_note,
    invoice_of_lot,
    number_text,
    parsed_body,
    parsed_number,
    statement_of_month,
)
from talktime.core.ledger import Lot

SELLER = Seller("Fabrikam Voice", ("1 Main Street", "Oslo"), "NO 123")
BUYER = Buyer("contoso.example", "Contoso Ltd", "2 High Street\nLondon", "GB 9")


def lot(source="purchase", micros=50_000_000, reason="by web"):
    return Lot(70, 7, source, 0, False, micros, micros, 0, 1_000, 2_000, "k", 1, reason, "admin")


def test_the_invoice_of_a_purchase_is_of_what_was_paid():
    facts = invoice_of_lot(
        lot(), "USD", SELLER, BUYER, "UTC", payment_id=9, method="Visa", po_number="PO 1"
    )
    assert facts == DocumentFacts(
        "invoice",
        "USD",
        50_000_000,
        (Line("Communications credits", 1, 50_000_000),),
        SELLER,
        BUYER,
        "UTC",
        LotFacts(70, 1_000, 2_000),
        9,
        "Visa",
        "PO 1",
        "",
        LOT_TERMS,
    )


@pytest.mark.parametrize("source", ["grant", "adjustment"])
def test_the_invoice_of_what_was_given_comes_to_zero(source):
    """R12: with the operator's reason."""
    facts = invoice_of_lot(lot(source, reason="sorry"), "USD", SELLER, BUYER, "UTC")
    assert facts.amount_micros == 0
    assert [line.amount_micros for line in facts.lines] == [50_000_000, -50_000_000]
    assert facts.reason == "sorry"


def test_a_credit_note_names_its_invoice_and_is_below_zero():
    invoice = Document(1, 7, 42, 5, invoice_of_lot(lot(), "USD", SELLER, BUYER, "UTC"))
    note = credit_note(
        invoice,
        "chargeback",
        20_000_000,
        "USD",
        SELLER,
        BUYER,
        "UTC",
        invoice_number="MAIN-000042",
    )
    assert (note.kind, note.amount_micros, note.about) == (
        "credit_note",
        -20_000_000,
        "MAIN-000042",
    )
    assert note.lot == invoice.facts.lot
    assert note.lines == (Line("Payment taken back by the cardholder's bank", 1, -20_000_000),)


def test_a_statement_is_the_sum_of_its_lines():
    lines = [Line("Germany", 3, 45_000, 180), Line("Germany", 1, -15_000, -60, "2026-10")]
    facts = statement_of_month("2026-11", "USD", lines, SELLER, BUYER, "UTC", 9)
    assert (facts.amount_micros, facts.month, facts.payable_ms) == (30_000, "2026-11", 9)


@pytest.mark.parametrize(
    "facts",
    [
        invoice_of_lot(lot(), "KWD", SELLER, BUYER, "Asia/Kuwait", payment_id=3, po_number="5"),
        invoice_of_lot(lot("grant"), "JPY", Seller("日本"), Buyer("x", "العربية"), "UTC"),
        statement_of_month("2026-11", "USD", [Line("a", 2, 5, 60)], SELLER, BUYER, "UTC", 9),
    ],
)
def test_facts_are_read_back_as_they_were(facts):
    assert parsed_body(body_text(facts)) == facts


@pytest.mark.parametrize("text", ["", "42", "-42", "MAIN-", "MAIN-x", "MAIN-0", "MAIN-٣"])
def test_what_is_no_number_is_none(text):
    assert parsed_number(text) is None


def test_a_number_is_read_as_it_is_written():
    assert parsed_number(number_text("north_2", 7)) == ("north_2", 7)

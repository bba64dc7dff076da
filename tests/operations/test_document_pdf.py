"""Documents as PDFs, read back with pypdf. Mirrors src/talktime/operations/document_pdf.py."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from babel import Locale
from pypdf import PdfReader

from talktime.core.documents import (
    Buyer,
    Document,
    Line,
    Seller,
    credit_note,
    invoice_of_lot,
    statement_of_month,
)
from talktime.core.ledger import Lot
from talktime.operations.document_pdf import document_pdf

ISSUED_MS = 1_795_000_000_000
EXPIRES_MS = 1_826_536_000_000
SELLER = Seller("Fabrikam Voice", ("100 Market Street", "Redmond"), "US 12")
BUYER = Buyer("contoso.example", "Contoso Ltd", "2 High Street\nLondon", "GB 9")
A4_POINTS = (595, 842)


def invoice(currency="USD", micros=500_000_000, source="purchase", buyer=BUYER, **more):
    lot = Lot(
        *(2147, 7, source, 0, False, micros, micros, 0, ISSUED_MS, EXPIRES_MS),
        *("k", 1, "sorry", "admin"),
    )
    seller = more.pop("seller", SELLER)
    facts = invoice_of_lot(lot, currency, seller, buyer, "America/New_York", **more)
    return Document(1, 7, 42, ISSUED_MS, facts)


def statement(*lines):
    facts = statement_of_month(
        "2026-10", "USD", lines, SELLER, BUYER, "UTC", ISSUED_MS + 30 * 86_400_000
    )
    return Document(1, 7, 42, ISSUED_MS, facts)


def pages(document, language="en-US"):
    reader = PdfReader(BytesIO(document_pdf(document, "main", Locale.parse(language, sep="-"))))
    return [page.extract_text() for page in reader.pages]


def places_of(page):
    """Each piece of text, with how far from the left it begins."""
    places = []

    def note(text, matrix, text_matrix, _font, _size):
        places.append((text_matrix[4] * matrix[0] + matrix[4], text))

    page.extract_text(visitor_text=note)
    return places


def test_an_invoice_says_who_what_how_much_and_until_when():
    """R12, D5: in the organisation's own zone."""
    (text,) = pages(invoice(method="Visa ending 4242", po_number="PO 4711"))
    for words in (
        *("Fabrikam Voice", "100 Market Street", "Tax id US 12", "Invoice", "MAIN-000042"),
        *("Contoso Ltd", "2 High Street", "London", "Tax id GB 9", "Nov 18, 2026"),
        *("PO 4711", "Visa ending 4242", "Communications credits", "$500.00", "Total (USD)"),
        *("Nov 18, 2027, 6:06:40", "America/New_York", "lot 2147"),
        *("not refundable", "forfeited", "published rates", "Page 1 of 1"),
    ):
        assert words in text


@pytest.mark.parametrize(
    ("currency", "language", "shown"),
    [
        ("JPY", "en-US", "¥1,500"),
        ("JPY", "ja", "¥1,500"),
        ("KWD", "en-US", "1,500.125"),
        ("EUR", "de", "1.500,13"),
    ],
)
def test_amounts_have_the_currencys_decimals_in_the_readers_words(currency, language, shown):
    """D19."""
    micros = 1_500_000_000 if currency == "JPY" else 1_500_125_000
    (text,) = pages(invoice(currency, micros), language)
    assert shown in text


def test_what_was_given_comes_to_zero():
    (text,) = pages(invoice(source="grant"))
    for words in ("granted", "Free of charge", "-$500.00", "$0.00", "sorry"):
        assert words in text


def test_a_credit_note_names_its_invoice():
    facts = credit_note(
        *(invoice(), "refund", 20_000_000, "USD", SELLER, BUYER, "UTC"),
        invoice_number="MAIN-000042",
        method="Visa ending 4242",
    )
    (text,) = pages(Document(2, 7, 43, ISSUED_MS, facts))
    for words in ("Credit note", "MAIN-000043", "MAIN-000042", "Returned to", "-$20.00"):
        assert words in text


def test_a_long_statement_repeats_its_header_and_loses_no_line():
    lines = [Line(f"Place {number}", 1, 15_000 * number, 60 * number) for number in range(2_000)]
    texts = pages(statement(*lines, Line("Germany", 1, -15_000, -60, "2026-09")))
    assert len(texts) > 40
    assert all("Destination" in text and "Time billed" in text for text in texts)
    whole = "\n".join(texts)
    assert all(f"Place {number} 1 " in whole for number in range(2_000))
    for words in ("Late reports of September 2026", "-1:00", "Amount due (USD)", "$29,984.99"):
        assert words in texts[-1]
    assert "29,984.985" in texts[-1]
    assert "Dec 18, 2026" in texts[0]


@pytest.mark.parametrize(
    "buyer",
    [
        Buyer("o" * 128, "L" * 200, "x" * 500, "t" * 64),
        Buyer("コントソ", "株式会社コントソ" * 25, "東京都" * 160, ""),
        Buyer("كونتوسو", "شركة كونتوسو", "شارع الخليج\nالكويت", ""),
        Buyer('#panic("x")', "*$#[]{}\\//<a>@b", "= heading\n#import", "`"),
    ],
)
@pytest.mark.parametrize("language", ["en-US", "ar-KW", "ja"])
def test_names_and_addresses_of_any_kind_stay_on_the_page(buyer, language):
    seller = Seller("S" * 200, ("a" * 200,) * 8, "t" * 200)
    made = document_pdf(
        invoice("KWD", 10**15, buyer=buyer, seller=seller), "main", Locale.parse(language, sep="-")
    )
    for page in PdfReader(BytesIO(made)).pages:
        places = places_of(page)
        assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_POINTS
        assert all(60 <= x < A4_POINTS[0] - 60 for x, text in places if text.strip())


def test_markup_in_a_name_is_only_a_name():
    buyer = Buyer('#panic("x")', "*Contoso* #[Ltd] $x$", "= Oslo", "")
    (text,) = pages(invoice(buyer=buyer))
    assert '#panic("x")' in text
    assert "*Contoso* #[Ltd] $x$" in text
    assert "= Oslo" in text


def test_the_same_document_is_the_same_bytes_of_its_own_date():
    first, second = (document_pdf(invoice(), "main", Locale.parse("en_US")) for _ in range(2))
    assert first == second
    information = PdfReader(BytesIO(first)).metadata
    assert information.title == "Invoice MAIN-000042"
    assert information.author == "Fabrikam Voice"
    assert information.creation_date == datetime.fromtimestamp(ISSUED_MS // 1000, UTC)

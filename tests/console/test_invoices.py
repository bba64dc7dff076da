"""The pages of invoices. Mirrors src/talktime/console/billing/document_pages.py."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from talktime.console.cell.document_models import Document
from talktime.console.control_plane.models import Organisation
from talktime.core.documents import Buyer, Seller, body_text, invoice_of_lot
from talktime.core.ledger import Lot
from tests.console.rows import START_MS, insert
from tests.console.test_pages import admin, browser, words_of

__all__ = ["admin"]

PAGE = "/organisations/1/invoices/"


def insert_invoice(number, organisation_id=1, **more):
    lot = Lot(
        *(number, organisation_id, "purchase", 0, False, 50_000_000, 50_000_000, 0),
        *(START_MS, START_MS + 1, "k", 1, "order", "admin"),
    )
    buyer = Buyer("Contoso", "Contoso <Ltd>")
    facts = invoice_of_lot(lot, "EUR", Seller("Fabrikam"), buyer, "Europe/Oslo", **more)
    Document.objects.using("cell_main").create(
        id=number,
        number=number,
        organisation_id=organisation_id,
        kind="invoice",
        issued_ms=START_MS,
        currency="EUR",
        amount_micros=50_000_000,
        lot_id=number,
        payment_id=None,
        body=body_text(facts),
    )


def test_an_organisation_without_invoices_says_when_there_will_be(admin):
    assert 'href="/organisations/1/invoices/"' in admin.get(PAGE).content.decode()
    assert "No invoices yet One appears here with every purchase" in words_of(admin.get(PAGE))


def test_invoices_are_listed_the_newest_first_a_page_at_a_time(admin):
    for number in range(1, 53):
        insert_invoice(number, method="Visa ending 4242", po_number="4711")
    words = words_of(admin.get(PAGE))
    assert words.partition("Paid by Amount ")[2].startswith(
        "MAIN-000052 , Invoice as PDF 15 Jan 2027 Invoice Communications credits PO 4711 "
        "Visa ending 4242 €50.00 MAIN-000051 "
    )
    assert "MAIN-000002" not in words
    older = words_of(admin.get(f"{PAGE}?before=3"))
    assert older.count("MAIN-") == 2
    assert "There are no older ones." in words_of(admin.get(f"{PAGE}?before=1"))


def test_an_invoice_is_a_file_with_its_number_that_nobody_keeps(admin):
    insert_invoice(42)
    response = admin.get(f"{PAGE}MAIN-000042.pdf")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == 'attachment; filename="MAIN-000042.pdf"'
    assert "no-store" in response.headers["Cache-Control"]
    assert "private" in response.headers["Cache-Control"]
    text = PdfReader(BytesIO(response.content)).pages[0].extract_text()
    assert "Contoso <Ltd>" in text
    assert "€50.00" in text


@pytest.mark.parametrize(
    "path",
    [
        *("MAIN-000043.pdf", "NORTH-000042.pdf", "42.pdf", "MAIN-0.pdf"),
        "MAIN-99999999999999999999.pdf",
        *("?before=x", "?before=-1", "?before=99999999999999999999"),
    ],
)
def test_what_is_no_invoice_of_ones_own_is_not_found(admin, path):
    insert_invoice(42)
    insert_invoice(43, organisation_id=2)
    assert admin.get(PAGE + path).status_code == 404


def test_invoices_of_another_organisation_are_not_found(admin):
    insert(Organisation, id=2, name="Contoso 2")
    insert_invoice(43, organisation_id=2)
    assert admin.get("/organisations/2/invoices/").status_code == 404
    assert admin.get("/organisations/2/invoices/MAIN-000043.pdf").status_code == 404
    assert "MAIN-" not in words_of(admin.get(PAGE))


def test_who_is_not_signed_in_is_sent_to_sign_in(installation):
    for path in (PAGE, f"{PAGE}MAIN-000042.pdf"):
        response = browser().get(path)
        assert response.headers["Location"] == f"/sign-in/?next={path}"


def test_a_cell_that_is_away_is_said(admin):
    Organisation.objects.update(cell="elsewhere")
    for path in (PAGE, f"{PAGE}ELSEWHERE-000042.pdf"):
        response = admin.get(path)
        assert response.status_code == 503
        assert "The balance cannot be shown just now" in words_of(response)

"""What an operator does in the console, by the forms of its pages. Mirrors
src/talktime/console/operator."""

import re
import time
from contextlib import closing

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from talktime.console.accounts import create_admin
from talktime.console.cell.models import GrantRequest, Lot, Payment, Refund
from talktime.console.control_plane.models import (
    Account,
    ApiKey,
    CatalogueRow,
    Organisation,
    Rate,
    RateCard,
    RateDraft,
)
from talktime.core.recharging import DAY_MS
from talktime.jobs.timetable import TIMETABLE
from talktime.operations.purchases import start_purchase
from talktime.operations.sweep import Sweep
from tests.console.money import INVOICE, Money
from tests.console.rows import insert
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of

SECOND = "second@operator.example"
CELL = "cell_main"
RATES = b"prefix,destination,price_per_minute\n49,Germany,0.0150\n44,United Kingdom,0.0200\n"
DEARER = b"prefix,destination,price_per_minute\n49,Germany,0.0300\n47,Norway,0.0200\n"


class Staff:
    """Somebody of the operator's with a browser, who sends forms as pages show them."""

    def __init__(self, money, email, role="operator"):
        self.money, self.email = money, email
        create_admin(email, PASSWORD, money.owner.id)
        Account.objects.filter(email=email).update(staff_role=role, confirmed_by="before")
        self.client = browser()
        sign_in(self.client, email)

    def get(self, path):
        return self.client.get(f"/operator/{path}")

    def post(self, path, shown=None, **fields):
        """Send a form: the hidden fields of the page that shows it, and what is typed."""
        page = (shown or self.get("organisations/new/")).content.decode()
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        return self.client.post(f"/operator/{path}", {**hidden, **fields})

    def sure(self, path, **fields):
        """Fill in a form, then confirm what it shows."""
        form = self.get(path)
        asked = self.post(path, form if form.status_code == 200 else None, **fields)
        assert asked.status_code == 200, words_of(asked)
        return asked, self.post(path, asked)


@pytest.fixture
def money(installation):
    money = Money(installation)
    counter = iter(range(10**6))
    base = (time.time_ns() // 1_000_000 - 1_767_225_600_000) << 22
    money.ids = lambda: base + next(counter)
    return money


@pytest.fixture
def staff(money):
    return Staff(money, EMAIL)


def at(money, path=""):
    return f"organisations/{money.owner.id}/{path}"


def test_only_staff_finds_the_operators_pages_and_finance_changes_nothing(money, staff):
    finance = Staff(money, "finance@operator.example", "finance")
    nobody = Staff(money, "owner@contoso.example", "")
    for path in ("", "organisations/", "money/", at(money), "rate-cards/"):
        assert nobody.get(path).status_code == 404
        assert finance.get(path).status_code == 200
    for path in (at(money, "grant/"), at(money, "close/"), "rate-upload/", "switches/"):
        assert finance.get(path).status_code == 404
    assert "Grant credits" not in words_of(finance.get(at(money)))
    assert "Grant credits" in words_of(staff.get(at(money)))
    token = finance.post("books/prove/", finance.get("organisations/"))
    assert token.status_code in (403, 404)


def test_a_small_grant_is_given_once_however_often_its_form_is_sent(money, staff):
    asked, done = staff.sure(at(money, "grant/"), amount="20", reason="Goodwill")
    assert "Amount US$20.00" in words_of(asked)
    assert Lot.objects.using(CELL).count() == 1
    again = staff.post(at(money, "grant/"), asked)
    assert (done.status_code, again.status_code) == (302, 302)
    lot = Lot.objects.using(CELL).get()
    assert (lot.source, lot.amount_micros, lot.actor) == ("grant", 20_000_000, EMAIL)
    assert (lot.reason, lot.promotional) == ("Goodwill", False)


def test_a_large_grant_waits_for_another_operator(money, staff):
    second = Staff(money, SECOND)
    asked, _done = staff.sure(at(money, "grant/"), amount="900", reason="Launch", promotional="on")
    assert "another operator must approve it" in words_of(asked)
    assert Lot.objects.using(CELL).count() == 0
    request = GrantRequest.objects.using(CELL).get()
    path = at(money, f"grants/{request.id}/")
    assert "You asked for it" in words_of(staff.get("grants/"))
    staff.post(path, staff.get("organisations/new/"), decision="approve", confirmed="1")
    assert Lot.objects.using(CELL).count() == 0
    shown = second.get("grants/")
    assert "Contoso US$900.00 Reason Launch" in words_of(shown)
    confirm = second.post(path, shown, decision="approve")
    assert "Approve the grant" in words_of(confirm)
    for _ in range(2):
        assert second.post(path, confirm).status_code == 302
    lot = Lot.objects.using(CELL).get()
    assert lot.amount_micros == 900_000_000
    assert lot.actor == f"{EMAIL}, approved by {SECOND}"
    assert "No grant waits" in words_of(second.get("grants/"))


def test_a_grant_can_be_rejected_and_gives_nothing(money, staff):
    second = Staff(money, SECOND)
    staff.sure(at(money, "grant/"), amount="900", reason="Launch")
    path = at(money, f"grants/{GrantRequest.objects.using(CELL).get().id}/")
    second.post(path, second.post(path, decision="reject"))
    assert GrantRequest.objects.using(CELL).get().state == "rejected"
    assert Lot.objects.using(CELL).count() == 0


def test_an_adjustment_is_added_and_a_large_one_refused(money, staff):
    _asked, done = staff.sure(at(money, "adjust/"), amount="5", reason="Charged twice")
    assert done.status_code == 302
    lot = Lot.objects.using(CELL).get()
    assert (lot.source, lot.amount_micros, lot.reason) == ("adjustment", 5_000_000, "Charged twice")
    form = staff.get(at(money, "adjust/"))
    refused = staff.post(at(money, "adjust/"), form, amount="5000", reason="Much")
    assert refused.status_code == 422
    assert "Above US$495.00 it is a grant" in words_of(refused)
    assert Lot.objects.using(CELL).count() == 1


def test_an_adjustment_that_is_sent_twice_is_added_once_and_not_called_refused(money, staff):
    asked, done = staff.sure(at(money, "adjust/"), amount="400", reason="Charged twice")
    again = staff.post(at(money, "adjust/"), asked)
    assert (done.status_code, again.status_code) == (302, 302)
    assert Lot.objects.using(CELL).get().amount_micros == 400_000_000


def ordered(money):
    """Credits for 100, ordered by invoice."""
    method = money.add_invoice()
    assert method.id != INVOICE
    return money.counted(
        lambda counter: start_purchase(
            counter,
            amount_micros=100_000_000,
            method_id=method.id,
            po_number="PO-1",
            idempotency_key="order",
            actor="admin",
            why_not=None,
        )
    )


def test_an_invoice_is_marked_as_paid_and_then_refunded_by_hand(money, staff):
    started = ordered(money)
    waits = words_of(staff.get("payments/?list=invoices"))
    assert "Contoso Purchase US$100.00" in waits
    assert "Mark as paid" in waits
    _asked, done = staff.sure(at(money, f"payments/{started.payment.id}/receipt/"), reference="B 7")
    assert done.status_code == 302
    assert Lot.objects.using(CELL).get().amount_micros == 100_000_000
    path = at(money, f"payments/{started.payment.id}/refund/")
    asked, done = staff.sure(path, amount="40", reason="Ordered too much", reference="Bank 9")
    assert "A refund cannot be taken back." in words_of(asked)
    assert staff.post(path, asked).status_code == 302
    refund = Refund.objects.using(CELL).get()
    assert (refund.state, refund.amount_micros, refund.actor) == ("done", 40_000_000, EMAIL)
    assert Payment.objects.using(CELL).get().refunded_micros == 40_000_000
    assert "US$40.00 went back" in words_of(staff.get(at(money)))


def test_a_refund_says_its_maximum_and_begins_with_it(money, staff):
    payment = ordered(money).payment
    staff.sure(at(money, f"payments/{payment.id}/receipt/"), reference="B 8")
    path = at(money, f"payments/{payment.id}/refund/")
    staff.sure(path, amount="40", reason="Ordered too much", reference="Bank 9")
    form = staff.get(path)
    assert 'name="amount" value="60"' in form.content.decode()
    assert "At most US$60.00: what did not go back yet." in words_of(form)
    refused = staff.post(path, form, amount="60.01", reason="More", reference="Bank 10")
    assert refused.status_code == 422
    assert "At most US$60.00 can be refunded." in words_of(refused)
    asked, _ = staff.sure(path, amount="60", reason="All of it", reference="Bank 11")
    assert staff.post(path, asked).status_code == 302
    nothing = staff.get(path)
    assert nothing.status_code == 409
    assert "All of this payment went back already." in words_of(nothing)


def test_an_organisation_is_changed_closed_and_opened_again(money, staff):
    insert(RateCard, id=77, name="gold", currency="USD")
    change = {
        "rate_card": "gold",
        "time_zone": "Europe/Oslo",
        "blocked_countries": "ru, kp",
        "spend_limit_micros": "25",
    }
    asked, done = staff.sure(at(money, "change/"), **change)
    words = words_of(asked)
    assert "Rate card standard → gold" in words
    assert "Countries that are blocked - → KP, RU" in words
    assert done.status_code == 302
    row = Organisation.objects.get(id=money.owner.id)
    assert (row.rate_card, row.time_zone) == ("gold", "Europe/Oslo")
    assert row.calling_rules == '{"blocked_countries":["KP","RU"],"spend_limit_micros":25000000}'
    form = staff.get(at(money, "change/"))
    wrong = staff.post(at(money, "change/"), form, **{**change, "time_zone": "Mars"}, confirmed="1")
    assert wrong.status_code == 422
    assert "There is no time zone Mars. Choose one such as Europe/Oslo or UTC." in words_of(wrong)
    assert Organisation.objects.get(id=money.owner.id).time_zone == "Europe/Oslo"
    closing_page = staff.get(at(money, "close/"))
    assert "Its next calls are refused" in words_of(closing_page)
    staff.post(at(money, "close/"), closing_page)
    assert not Organisation.objects.get(id=money.owner.id).active
    assert "Contoso" in words_of(staff.get("organisations/?flag=closed"))
    staff.post(at(money, "close/"), staff.get(at(money, "close/")))
    assert Organisation.objects.get(id=money.owner.id).active


def test_how_an_organisation_pays_is_changed_after_its_effects_were_shown(money, staff):
    asked = staff.post(at(money, "model/"), to="post_usage")
    assert "No credits can be bought any more." in words_of(asked)
    assert Organisation.objects.get(id=money.owner.id).commerce_model == "prepaid"
    staff.post(at(money, "model/"), asked)
    assert Organisation.objects.get(id=money.owner.id).commerce_model == "post_usage"


def test_an_organisation_is_made_and_found_by_all_that_names_it(money, staff):
    fields = {
        "name": "Fabrikam",
        "currency": "NOK",
        "country": "NO",
        "cell": "main",
        "time_zone": "Europe/Oslo",
        "rate_card": "standard",
    }
    for name, wrong in (
        ("country", "There is no country XX."),
        ("time_zone", "There is no time zone XX."),
        ("currency", "There is no currency XX."),
        ("rate_card", "There is no rate card XX. Known: standard."),
    ):
        page = staff.post("organisations/new/", **{**fields, name: "XX"})
        assert (page.status_code, wrong in words_of(page)) == (422, True)
    form = words_of(staff.get("organisations/new/"))
    assert "Norway (NO)" in form
    assert "NOK · Norwegian Krone" in form
    assert "standard (not uploaded yet)" in form
    assert staff.post("organisations/new/", **fields).status_code == 302
    made = Organisation.objects.get(name="Fabrikam")
    assert (made.currency, made.country) == ("NOK", "NO")
    refused = staff.post("organisations/new/", **{**fields, "time_zone": "UTC"})
    assert refused.status_code == 422
    assert "There is an organisation named 'Fabrikam'" in words_of(refused)
    for text in ("brika", "FABRI", str(made.id)):
        words = words_of(staff.get(f"organisations/?q={text}"))
        assert "Fabrikam NO · Prepaid" in words
        assert "Contoso" not in words
    assert "Contoso" in words_of(staff.get(f"organisations/?q={EMAIL}"))
    assert "No organisation is like that." in words_of(staff.get("organisations/?q=100%25"))


def test_rates_are_checked_compared_published_and_rolled_back(money, staff):
    bad = SimpleUploadedFile("bad.csv", b"prefix,destination,price_per_minute\n0049,Germany,-1\n")
    card = {"name": "gold", "currency": "USD", "valid_from": ""}
    refused = staff.post("rate-upload/", **card, file=bad)
    assert refused.status_code == 422
    assert "Line 2: prefix: 0049 begins with 0" in words_of(refused)
    assert RateDraft.objects.count() == RateCard.objects.filter(name="gold").count() == 0
    for name, content in (("one.csv", RATES), ("two.csv", DEARER)):
        file = SimpleUploadedFile(name, content)
        kept = staff.post("rate-upload/", **card, file=file)
        draft = f"rate-drafts/{RateDraft.objects.get().id}/"
        assert kept.headers["Location"] == f"/operator/{draft}"
        page = staff.get(draft)
        confirm = staff.post(f"{draft}publish/", staff.get("organisations/new/"))
        done, again = (staff.post(f"{draft}publish/", confirm) for _ in range(2))
        assert done.headers["Location"] == "/operator/rate-cards/gold/"
        assert again.headers["Location"] == "/operator/rate-cards/"
        assert "is not there any more: it was published or thrown away" in words_of(
            staff.get("rate-cards/")
        )
        assert RateDraft.objects.count() == 0
    assert "Dearer 1 Cheaper 0 Added 1 Removed 1 Unchanged 0" in words_of(page)
    assert "Publish rates Card gold, USD" in words_of(confirm)
    assert "From file two.csv Dearer 1 Cheaper 0 Added 1 Removed 1" in words_of(confirm)
    versions = list(RateCard.objects.filter(name="gold").order_by("valid_from_ms"))
    assert [each.source for each in versions] == ["one.csv", "two.csv"]
    assert "47 Norway" in words_of(staff.get("rate-cards/gold/?q=nor"))
    file = staff.get(f"rate-versions/{versions[0].id}.csv")
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines[1:] == [
        "outbound,44,United Kingdom,,,0.02,0,60,60,",
        "outbound,49,Germany,,,0.015,0,60,60,",
    ]
    before = list(Rate.objects.order_by("id").values_list("id", "per_minute_micros"))
    again = f"rate-versions/{versions[0].id}/again/"
    compared, done = staff.sure(again, valid_from="")
    assert "Dearer 0 Cheaper 1 Added 1 Removed 1" in words_of(compared)
    assert done.headers["Location"] == "/operator/rate-cards/gold/"
    latest = RateCard.objects.filter(name="gold").latest("valid_from_ms")
    prices = Rate.objects.filter(card_id=latest.id).order_by("prefix")
    assert [(x.prefix, x.per_minute_micros) for x in prices] == [("44", 20_000), ("49", 15_000)]
    kept_rows = Rate.objects.filter(id__in=[id_ for id_, _price in before]).order_by("id")
    assert list(kept_rows.values_list("id", "per_minute_micros")) == before


def test_a_catalogue_entry_is_changed_from_a_day_on_after_what_changes_was_shown(money, staff):
    path = "catalogue/country/of/NO/"
    number = CatalogueRow.objects.count()
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 40 * DAY_MS // 1000))
    first = f"{day[:7]}-01"
    text = "payg_zone: '2'\nzone_a: true\nmasked_digits: 4\n"
    wrong = staff.post(path, fields_yaml="masked_digits: -4", valid_from=first)
    assert wrong.status_code == 422
    assert "masked_digits: -4 is not within 0 to 15" in words_of(wrong)
    shown = staff.post(path, fields_yaml=text, valid_from=first)
    assert "masked_digits" in words_of(shown)
    assert CatalogueRow.objects.count() == number
    done = staff.post(path, fields_yaml=text, valid_from=first, confirmed="1")
    assert done.status_code == 302
    row = CatalogueRow.objects.filter(kind="country", code="NO").latest("valid_from_ms")
    assert '"masked_digits":4' in row.body
    assert "Not yet" in words_of(staff.get(path))
    whole = staff.get("catalogue.yaml").content
    file = SimpleUploadedFile("catalogue.yaml", whole)
    report = staff.post("catalogue/import/", file=file, valid_from="")
    assert "Nothing: all of it holds already." in words_of(report)


def test_a_switch_gets_keys_whose_text_is_shown_once(money, staff):
    made = staff.post("switches/new/", name="North", operator="Contoso Voice")
    path = made.headers["Location"].removeprefix("/operator/")
    assert staff.post(path, name="main", scopes=["calls", "quotes"]).status_code == 302
    [text] = re.findall(r"tt_[\w-]{43}", staff.get("switches/").content.decode())
    key = ApiKey.objects.get(name="main")
    assert text not in staff.get("switches/").content.decode()
    staff.post(f"keys/{key.id}/rotate/", overlap="0")
    [new_text] = re.findall(r"tt_[\w-]{43}", staff.get("switches/").content.decode())
    assert new_text != text
    new = ApiKey.objects.filter(name="main").latest("id")
    confirm = staff.post(f"keys/{new.id}/revoke/")
    assert ApiKey.objects.get(id=new.id).revoked_ms is None
    staff.post(f"keys/{new.id}/revoke/", confirm)
    assert ApiKey.objects.get(id=new.id).revoked_ms is not None


def test_books_are_proven_by_a_job_when_somebody_asks(money, staff):
    assert "not proven yet" in words_of(staff.get("books/"))
    staff.post("books/prove/")
    assert "A proof was asked for" in words_of(staff.get("books/"))
    [job] = [each for each in TIMETABLE if each.name == "prove_when_asked"]
    now_ms = time.time_ns() // 1_000_000
    with closing(money.cell()) as cell:
        assert job.run(Sweep(cell, lambda: now_ms, money.ids)).rows == 0
        assert "All of it held" in words_of(staff.get("books/"))
        assert "All checks held" in words_of(staff.get(""))
        with cell.transaction():
            cell.run("UPDATE wallet SET balance_micros = 5")
        staff.post("books/prove/")
        assert job.run(Sweep(cell, lambda: now_ms, money.ids)).rows == 1
    words = words_of(staff.get("books/"))
    assert "1 row does not hold." in words
    assert "the wallet says 0.000005; its lots less its debt make" in words
    assert "1 row of the books does not hold" in words_of(staff.get(""))


def test_a_cell_that_is_away_is_named_and_the_rest_is_shown(money, staff):
    path = money.settings.cells["main"].path
    if path is None:
        return
    moved = path.with_suffix(".away")
    path.rename(moved)
    try:
        assert "Cell main does not answer" in words_of(staff.get(""))
        assert "Cell away" in words_of(staff.get("organisations/"))
        response = staff.get(at(money))
        assert response.status_code == 503
        assert "does not answer" in words_of(response)
    finally:
        moved.rename(path)

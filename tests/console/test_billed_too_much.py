"""What was billed too much after use, on the pages and over the management API. Mirrors
src/talktime/console/operator/settle_credit_page.py and console/api/billed_too_much.py."""

from contextlib import closing

from talktime.console.cell.models import Document, Lot
from talktime.core.post_usage import month_start_ms
from tests.after_use import AfterUse
from tests.console.test_api_money import BASE, client_of, refused, send
from tests.console.test_operator_flows import CELL, at
from tests.console.test_operator_flows import money as money
from tests.console.test_operator_flows import staff as staff
from tests.console.test_pages import words_of
from tests.lively_books import Player


def too_much(money):
    """Billed 0.03 in November, of which a late report has taken 0.015 back."""
    with closing(money.cell()) as cell:
        made = AfterUse.__new__(AfterUse)
        Player.__init__(made, cell, month_start_ms("2026-11"), 77)
        made.organisation, owner_id = money.owner, money.owner.id
        made.authorize(owner_id, "late", post_usage="2026-11/post_usage", credits=False)
        made.extend("late", 1, 61)
        made.wait(3_600)
        made.expire("late", owner_id)
        made.close("2026-11")
        made.settle("late", 2, 60)


def test_it_is_seen_and_becomes_credits_once(money, staff):
    assert "was billed too much" not in words_of(staff.get(""))
    too_much(money)
    assert "1 organisation was billed too much after use" in words_of(staff.get(""))
    listed = words_of(staff.get("organisations/?flag=credit"))
    assert "US$0.00 Billed too much" in listed
    path = at(money, "credit-after-use/")
    shown = staff.get(at(money))
    assert "It was billed US$0.02 (0.015) too much after use" in words_of(shown)
    assert f'href="/operator/{path}"' in shown.content.decode()
    invoices = f"/organisations/{money.owner.id}/invoices/"
    assert "you were billed US$0.02 (0.015) too much" in words_of(staff.client.get(invoices))
    asked, done = staff.sure(path, way="credits", reason="Late reports")
    assert "What is owed is paid of them first." in words_of(asked)
    assert (done.status_code, staff.post(path, asked).status_code) == (302, 302)
    lot = Lot.objects.using(CELL).get()
    assert (lot.amount_micros, lot.source, lot.reason) == (15_000, "adjustment", "Late reports")
    note = Document.objects.using(CELL).get(kind="credit_note")
    assert (note.amount_micros, note.lot_id) == (-15_000, lot.id)
    assert "too much" not in words_of(staff.client.get(invoices))
    assert "Added to the credits" in words_of(staff.client.get(invoices))
    assert staff.get(path).status_code == 409


def test_a_payout_is_noted_and_what_is_to_be_transferred_is_said(money, staff):
    too_much(money)
    path = at(money, "credit-after-use/")
    asked, done = staff.sure(path, way="payout", reason="bank 4713")
    assert "Transfer US$0.02 by hand" in words_of(asked)
    assert done.status_code == 302
    assert not Lot.objects.using(CELL).exists()


def test_a_program_finds_and_settles_it(money):
    too_much(money)
    api = client_of(money.key("operator", "read"))
    found = api.get(f"{BASE}/billed-too-much").json()
    assert found == {"amount": "0.015", "currency": "USD"}
    body = {"way": "credits", "reason": "late reports"}
    done = send(api, "POST", "/billed-too-much/settlements", body, "key 1").json()
    assert (done["amount"], done["paid_out"]) == ("-0.015", "0")
    again = send(api, "POST", "/billed-too-much/settlements", body, "key 1").json()
    assert again == {**done, "replayed": True}
    another = send(api, "POST", "/billed-too-much/settlements", body, "key 2")
    refused(another, 409, "payment_not_possible")
    assert api.get(f"{BASE}/billed-too-much").json()["amount"] == "0"

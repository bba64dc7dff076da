"""Your products, the switch to post-usage, statements and the billing profile. Mirrors
src/talktime/console/billing/model_pages.py, document_pages.py and credits_page.py."""

import csv
import io
import json
from contextlib import closing

import pytest

from talktime.console.cell.models import (
    Document,
    PostStatement,
    PostStatementUsage,
    Transfer,
    UsageRecord,
    User,
)
from talktime.core.documents import Buyer, Line, Seller, body_text, statement_of_month
from talktime.operations.commerce_models import mark_moved
from talktime.operations.organisations import find_organisation
from talktime.operations.recharge_settings import RechargePlan, set_recharge, view_recharge
from tests.console.rows import START_MS, insert
from tests.console.test_billing_credits import admin, form_of, fund_with, money
from tests.console.test_pages import words_of

__all__ = ["admin", "money"]


def place(money, path=""):
    return f"/organisations/{money.owner.id}/{path}"


def model_of(money):
    with closing(money.control()) as control, control.reading():
        found = find_organisation(control, str(money.owner.id))
    return found.commerce_model, found.rules.pay_as_you_go, found.rules.post_usage_cap_micros


def send(admin, money, path, **fields):
    """Send a form, with a token of the page of the switch."""
    token = form_of(admin.get(place(money, "invoices/profile/")))["csrfmiddlewaretoken"]
    return admin.post(place(money, path), {"csrfmiddlewaretoken": token, **fields})


@pytest.fixture(name="billed")
def billed_fixture(money):
    """A statement of October with one call on it, overdue."""
    return billed(money)


def billed(money, *lines):
    """A statement of October with one call on it, overdue; on paper it has these lines."""
    owner = {"organisation_id": money.owner.id}
    facts = statement_of_month(
        "2026-10",
        "USD",
        lines or [Line("Germany", 1, 12_340_000, 120)],
        Seller("Fabrikam"),
        Buyer("Contoso", "Contoso Ltd"),
        "UTC",
        START_MS,
    )
    Document.objects.using("cell_main").create(
        **owner,
        id=81,
        number=7,
        kind="statement",
        issued_ms=START_MS,
        currency="USD",
        amount_micros=12_340_000,
        lot_id=None,
        payment_id=None,
        body=body_text(facts),
    )
    insert(
        PostStatement,
        **owner,
        id=91,
        document_id=81,
        month="2026-10",
        state="overdue",
        amount_micros=12_340_000,
        paid_micros=2_340_000,
    )
    insert(User, **owner)
    insert(UsageRecord, **owner, type="user_out", post_micros=12_340_000)
    insert(PostStatementUsage, **owner, usage_id=51, statement_id=91)
    return money


def test_products_are_the_credits_the_plans_in_use_and_how_calls_are_paid(admin, money):
    fund_with(money, 100_000_000)
    insert(User, organisation_id=money.owner.id, licences='["MCOEV","MCOPSTN1"]')
    insert(User, id=32, organisation_id=money.owner.id, name="b", licences='["MCOPSTN1","GONE"]')
    insert(User, id=33, organisation_id=money.owner.id + 1, name="c", licences='["MCOPSTN2"]')
    words = words_of(admin.get(place(money, "products/")))
    assert "Communication Credits Available US$100.00 Auto-recharge is off" in words
    assert "Domestic Calling Plan MCOPSTN1 2" in words
    assert "GONE GONE 1" in words
    assert "MCOPSTN2" not in words
    assert "Post-usage billing Prepaid" in words


def test_the_switch_shows_what_it_does_and_is_made_when_that_was_read(admin, money):
    fund_with(money, 100_000_000)
    plan = RechargePlan(True, 0, 50_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    words = words_of(admin.get(place(money, "post-usage/")))
    assert "Credits left US$100.00 Auto-recharge On" in words
    assert "No credits can be bought any more. Auto-recharge is turned off." in words
    unread = send(admin, money, "post-usage/change/", to="post_usage")
    assert (unread.status_code, model_of(money)[0]) == (422, "prepaid")
    for _ in range(2):
        done = send(admin, money, "post-usage/change/", to="post_usage", confirmed="1")
        assert done.status_code == 302
    assert model_of(money)[0] == "draining"
    assert not money.counted(view_recharge).recharge.enabled
    words = words_of(admin.get(place(money, "post-usage/")))
    assert "The switch has begun: the credits that are left are used up first." in words
    assert "What is still to be used up Credits left US$100.00" in words
    assert "Funds cannot be added here." in words_of(admin.get(place(money, "credits/add/")))
    send(admin, money, "post-usage/change/", to="prepaid", confirmed="1")
    assert model_of(money)[0] == "prepaid"


def test_without_credits_calls_are_billed_after_use_at_once(admin, money):
    assert "None: calls are billed after use at once" in words_of(
        admin.get(place(money, "post-usage/"))
    )
    send(admin, money, "post-usage/change/", to="post_usage", confirmed="1")
    assert model_of(money)[0] == "post_usage"
    assert send(admin, money, "post-usage/change/", to="x", confirmed="1").status_code == 422
    assert model_of(money)[0] == "post_usage"


def test_there_is_no_way_back_while_something_is_owed(admin, billed):
    send(admin, billed, "post-usage/change/", to="post_usage", confirmed="1")
    words = words_of(admin.get(place(billed, "post-usage/")))
    assert "Not possible now. 10 USD of the statement of 2026-10 is left to pay." in words
    assert "Pay by credits again" not in words
    refused = send(admin, billed, "post-usage/change/", to="prepaid", confirmed="1")
    assert refused.status_code == 409
    assert model_of(billed)[0] == "post_usage"


def test_a_move_that_is_blocked_names_the_one_step(admin, money):
    plan = RechargePlan(True, 0, 50_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    with closing(money.control()) as control, control.transaction():
        mark_moved(control, money.owner, True)
    page = admin.get(place(money, "post-usage/"))
    assert "Blocked. The reseller has moved this organisation" in words_of(page)
    assert f'href="{place(money, "credits/recharge/")}">Turn auto-recharge off' in (
        page.content.decode()
    )


def test_pay_as_you_go_is_turned_on_with_a_limit(admin, money):
    path = "post-usage/pay-as-you-go/"
    assert send(admin, money, path, on="on", cap="250.50").status_code == 302
    assert model_of(money) == ("prepaid", True, 250_500_000)
    assert 'value="250.5"' in admin.get(place(money, path)).content.decode()
    for cap in ("much", "-1"):
        assert send(admin, money, path, on="on", cap=cap).status_code == 422
    assert model_of(money) == ("prepaid", True, 250_500_000)
    assert send(admin, money, path, cap="").status_code == 422  # the operator alone raises it
    assert send(admin, money, path, on="on", cap="250.51").status_code == 422
    assert send(admin, money, path, cap="200").status_code == 302
    assert model_of(money) == ("prepaid", False, 200_000_000)


def test_a_statement_says_how_it_stands_and_what_is_left_to_pay(admin, billed):
    words = words_of(admin.get(place(billed, "statements/2026-10/")))
    assert "Statement of October 2026 Overdue" in words
    assert "US$10.00 is to be paid by" in words
    assert "Amount US$12.34 Paid US$2.34 Left to pay US$10.00" in words
    assert "Germany 1 2:00 US$12.34" in words
    words = words_of(admin.get(place(billed, "invoices/")))
    assert "MAIN-000007 , Statement as PDF" in words
    assert "Statement October 2026 Overdue" in words
    pdf = admin.get(place(billed, "invoices/MAIN-000007.pdf"))
    assert pdf.headers["Content-Type"] == "application/pdf"


def test_a_statement_shows_the_time_that_a_late_report_took_back(admin, money):
    less = Line("Germany", 0, -300_000, -180, "2026-09")
    billed(money, Line("Germany", 2, 12_640_000, 240), less)
    words = words_of(admin.get(place(money, "statements/2026-10/")))
    assert "Germany September 2026 0 -3:00 -US$0.30" in words


def test_the_files_of_a_statement_mask_whom_was_called(admin, billed):
    response = admin.get(place(billed, "statements/2026-10/usage.csv"))
    text = b"".join(response.streaming_content).decode()
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["caller_number"], row["callee_number"]) == ("+4721234567", "+493012345***")
    assert row["paid_after_use"] == "12.34"
    pieces = admin.get(place(billed, "statements/2026-10/usage.json")).streaming_content
    body = json.loads(b"".join(pieces))
    assert body["document_number"] == "MAIN-000007"
    assert [each["callee_number"] for each in body["usage"]] == ["+493012345***"]
    for path in ("statements/2026-09/", "statements/x/usage.csv", "statements/x/usage.json"):
        assert admin.get(place(billed, path)).status_code == 404


def test_documents_are_addressed_as_the_profile_says_from_now_on(admin, money):
    typed = {"legal_name": "Contoso <Ltd>", "address": "Main St 1\n\nOslo", "tax_id": "NO 9"}
    assert send(admin, money, "invoices/profile/", **typed).status_code == 302
    page = admin.get(place(money, "invoices/"))
    assert "Contoso <Ltd> Main St 1 Oslo Tax ID NO 9" in words_of(page)
    wrong = send(admin, money, "invoices/profile/", **{**typed, "legal_name": ""})
    assert (wrong.status_code, "Main St 1" in wrong.content.decode()) == (422, True)


def test_what_moves_nothing_is_left_out_of_the_transactions(admin, money):
    owner = {"organisation_id": money.owner.id}
    after_use = {"debit_account": 7, "credit_account": 2, "usage_id": None}
    insert(Transfer, **owner, **after_use, kind="usage")
    assert (
        "Nothing moved yet Credits that are added, and calls that use them, appear here. Add funds"
        in words_of(admin.get(place(money, "credits/transactions/")))
    )

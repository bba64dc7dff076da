"""Purchases and expiry, transactions, auto-recharge by the last 28 days. Mirrors
src/talktime/console/billing/lot_pages.py, transaction_pages.py and recharge_page.py."""

import asyncio
import csv
import io
import re
from datetime import UTC, datetime

import httpx
import pytest

from talktime.console.asgi import application
from talktime.console.cell.models import Lot, Transfer, UsageRecord, User, Wallet
from talktime.operations.payment_methods import list_methods
from talktime.operations.purchases import list_payments
from talktime.operations.recharge_settings import view_recharge
from tests.console.money import CARD
from tests.console.rows import insert
from tests.console.test_billing_credits import SETTINGS, admin, at, form_of, money, post
from tests.console.test_pages import words_of

__all__ = ["admin", "money"]

DAY_MS = 86_400_000
CALLS = 60


@pytest.fixture
def spent(money):
    """100 bought 20 days ago, and 60 calls of 0.5 each, three a day, of which the last is today."""
    owner = {"organisation_id": money.owner.id}
    begun_ms = money.now_ms - 20 * DAY_MS
    left_micros = 100_000_000 - CALLS * 500_000
    Wallet.objects.using("cell_main").filter(**owner).update(balance_micros=left_micros)
    insert(
        Lot,
        **owner,
        amount_micros=100_000_000,
        remaining_micros=left_micros,
        purchased_ms=begun_ms - 1_000,
        expires_ms=begun_ms + 365 * DAY_MS,
    )
    bought = {"debit_account": 1, "credit_account": 11, "amount_micros": 100_000_000}
    insert(Transfer, **owner, **bought, id=1, kind="purchase", usage_id=None, at_ms=begun_ms)
    insert(User, **owner)
    for number in range(CALLS):
        at_ms = money.now_ms - (CALLS - 1 - number) * DAY_MS // 3
        call = {"id": 100 + number, "charge_micros": 500_000, "started_ms": at_ms - 61_000}
        insert(UsageRecord, **owner, **call, currency="USD", type="user_out")
        moved = {"id": 200 + number, "amount_micros": 500_000, "usage_id": 100 + number}
        insert(Transfer, **owner, **moved, at_ms=at_ms)
    return money


def test_each_purchase_says_what_was_used_of_it_and_what_is_left(admin, spent):
    words = words_of(admin.get(at(spent, "lots/")))
    assert "Open US$100.00 US$30.00 US$0.00 US$70.00" in words
    Lot.objects.using("cell_main").update(remaining_micros=0, spent=True)
    assert "No purchase has money left Calls that need credits" in words_of(
        admin.get(at(spent, "lots/"))
    )
    words = words_of(admin.get(at(spent, "lots/?all")))
    assert "Closed US$70.00 expired or went back US$100.00 US$30.00 US$0.00 US$0.00" in words


def test_a_purchase_leads_to_the_calls_that_used_it_page_by_page(admin, spent):
    page = admin.get(at(spent, "lots/11/"))
    assert page.content.decode().count('data-label="When"') == 50
    assert "Call: Germany Front desk , +47 21 23 45 67 → +49 30 12345*** , 1:01" in words_of(page)
    older = re.findall(r'href="(\?before=[\d.]+)"', page.content.decode())
    page = admin.get(at(spent, f"lots/11/{older[0]}"))
    assert page.content.decode().count('data-label="When"') == 11
    assert "Credits bought US$100.00" in words_of(page)
    for path in ("lots/12/", "lots/11/?before=x", f"lots/{'9' * 30}/", "lots/?before=x"):
        assert admin.get(at(spent, path)).status_code == 404


def test_transactions_run_back_from_the_balance_to_the_first(admin, spent):
    page = admin.get(at(spent, "transactions/"))
    assert "Balance now US$70.00" in words_of(page)
    assert "-US$0.50 US$70.00" in words_of(page)
    older = re.findall(r'href="(\?before=[\d.]+)"', page.content.decode())
    page = admin.get(at(spent, f"transactions/{older[0]}"))
    words = words_of(page)
    assert "-US$0.50 US$85.00" in words
    oldest = re.findall(r'href="(\?before=[\d.]+)"', page.content.decode())
    page = admin.get(at(spent, f"transactions/{oldest[0]}"))
    assert words_of(page).endswith("+ US$100.00 US$100.00 Newest")


def test_the_balance_of_a_day_is_that_of_its_end(admin, spent):
    day = datetime.fromtimestamp((spent.now_ms - 10 * DAY_MS) // 1_000, UTC).date()
    page = words_of(admin.get(at(spent, f"transactions/?on={day}")))
    found = re.search(r"Balance as of .*? US\$([\d.]+) ", page)
    assert 84 <= float(found[1]) <= 86
    assert f"US${found[1]} " in page.partition("Change Balance")[2]
    assert "Nothing moved in these days Choose other days. All of them" in words_of(
        admin.get(at(spent, "transactions/?on=2001-01-01"))
    )
    backwards = admin.get(at(spent, "transactions/?since=2026-11-02&on=2026-11-01"))
    assert backwards.status_code == 422
    assert "This day is after the other" in words_of(backwards)
    wrong = admin.get(at(spent, "transactions/?on=yesterday"))
    assert (wrong.status_code, "Enter a valid date." in words_of(wrong)) == (422, True)


def test_the_file_of_transactions_has_every_movement_with_its_balance(admin, spent):
    response = admin.get(at(spent, "transactions.csv"))
    text = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["balance"] for row in rows] == [
        *(f"{70 + number / 2:g}" for number in range(CALLS)),
        "100",
    ]
    assert rows[0]["callee_number"] == "+493012345***"
    assert rows[-1]["kind"] == "purchase"


def test_the_file_is_sent_while_it_is_made(admin, spent):
    async def fetch():
        transport = httpx.ASGITransport(app=application)
        cookies = {name: morsel.value for name, morsel in admin.cookies.items()}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", cookies=cookies
        ) as client:
            return await client.get(at(spent, "transactions.csv"))

    response = asyncio.run(fetch())
    assert response.status_code == 200
    assert response.text.count("\r\n") == CALLS + 2
    assert response.headers["Content-Disposition"] == 'attachment; filename="transactions.csv"'


def test_the_settings_say_what_they_would_have_charged_and_suggest_better_ones(admin, spent):
    spent.add_card()
    words = words_of(admin.get(at(spent, "recharge/")))
    assert "Calls used US$30.00. With these settings you would have been charged" in words
    assert "1 × US$100.00 ." in words
    assert "Suggested When the balance falls below US$10.00 Recharge with US$50.00" in words
    page = admin.get(at(spent, "recharge/?trigger=10&amount=50&month_limit=100&method=amount"))
    assert 'name="trigger" value="10"' in page.content.decode()
    assert "1 × US$50.00 ." in words_of(page)
    query = "trigger=5&amount=60&method=up_to&month_limit=&day_max=5&first=5001"
    part = admin.get(at(spent, f"recharge/replay/?{query}"))
    assert "1 × US$5" in words_of(part)
    assert "<html" not in part.content.decode()
    assert spent.counted(view_recharge).recharge is None


def test_the_card_and_its_backup_are_chosen_with_the_settings(admin, money):
    money.add_card()
    money.add_card(5_003, "0341")
    sent = {**SETTINGS, "enabled": "on", "first": "5003", "backup": str(CARD)}
    assert post(admin, at(money, "recharge/"), **sent).status_code == 302
    cards = money.counted(lambda counter: list_methods(counter.cell, counter.organisation))
    assert [card.id for card in cards] == [5_003, CARD]
    same = post(admin, at(money, "recharge/"), **{**sent, "backup": "5003"})
    assert (same.status_code, "Choose another card" in words_of(same)) == (422, True)


def test_much_more_than_usual_is_bought_only_when_it_is_said_twice(admin, money):
    money.add_card()
    asked = admin.get(at(money, f"add/?amount=1000&method={CARD}"), follow=True)
    assert "Yes, US$1,000.00: much more than usual" in words_of(asked)
    form = form_of(asked)
    admin.changes_nothing = True
    back = admin.post(at(money, "add/pay/"), form)
    admin.changes_nothing = False
    assert "unsure=1" in back.headers["Location"]
    assert "Confirm the amount first. Nothing was charged." in words_of(
        admin.get(back.headers["Location"])
    )
    assert money.counted(list_payments) == []
    for _ in range(2):
        assert admin.post(at(money, "add/pay/"), {**form, "sure": "1"}).status_code == 302
    assert len(money.counted(list_payments)) == 1


def test_a_payment_that_is_paid_is_a_receipt_with_its_invoice_and_its_credits(admin, money):
    money.add_card()
    form = form_of(admin.get(at(money, f"add/?amount=100&method={CARD}"), follow=True))
    page = admin.post(at(money, "add/pay/"), form).headers["Location"]
    money.run_jobs(money.now_ms + 5_000)
    response = admin.get(page)
    assert "Paid. The credits are in the balance. Receipt" in words_of(response)
    pdf = re.findall(r'href="([^"]+\.pdf)"', response.content.decode())
    assert admin.get(pdf[0]).headers["Content-Type"] == "application/pdf"
    lot = re.findall(r'href="([^"]+/lots/\d+/)"', response.content.decode())
    words = words_of(admin.get(lot[0]))
    assert "Purchase of" in words
    assert pdf[0].rpartition("/")[2].removesuffix(".pdf") in words

"""Money in a real browser: funds are added, auto-recharge is set, every page fits its window."""

import shutil
import socket
import threading
from contextlib import closing

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from talktime.cli.serve_process import new_jobs
from talktime.clock import real_ms
from talktime.console.accounts import create_admin
from talktime.console.asgi import application
from talktime.console.databases import set_up
from talktime.core.charges import Declined
from talktime.operations.fund import fund
from talktime.operations.purchases import start_purchase
from talktime.operations.recharge_settings import RechargePlan, set_recharge
from talktime.operations.seed_demo_money import ensure_money
from tests.console.conftest import settings_in
from tests.console.money import CARD, Money
from tests.console.test_browser import EMAIL, OUTSIDE, OVERFLOW, PASSWORD, SIZES, sign_in, watched

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

DAY_MS = 86_400_000


@pytest.fixture
def settings(installation, tmp_path):
    settings = settings_in(tmp_path, TALKTIME_TEST_CLOCK="1")
    set_up(settings)
    return settings


@pytest.fixture
def money(settings):
    """Contoso, which pays with a card of the sandbox's."""
    money = Money(settings, time_zone="Europe/Oslo", country="NO")
    create_admin(EMAIL, PASSWORD, money.owner.id)
    return money


@pytest.fixture
def address(money):
    """The console on a free port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def jobs(settings):
    """The jobs of the installation, running."""
    runner = new_jobs(settings)
    runner.start()
    yield runner
    runner.stop()


@pytest.fixture
def open_browser():
    """Started after the rows are written: Django refuses its ORM where Playwright's loop runs."""
    opened = []

    def open_browser():
        playwright = sync_playwright().start()
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        opened.append((playwright, browser))
        return browser

    yield open_browser
    for playwright, browser in opened:
        browser.close()
        playwright.stop()


def test_funds_are_added_through_the_confirmation_and_auto_recharge_says_why_it_does_not_buy(
    money, address, jobs, open_browser
):
    with closing(money.control()) as control, closing(money.cell()) as cell:
        ensure_money(control, cell, money.owner, real_ms(), money.ids)
    page = open_browser().new_page(locale="en-GB")
    blocked = watched(page)
    sign_in(page, address)
    page.goto(f"{address}/organisations/{money.owner.id}/credits/")
    page.get_by_role("link", name="Add funds").click()
    page.get_by_label("an amount of your own").fill("120")
    page.get_by_label("Sandbox ending 4242").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("The credits are not refundable.").wait_for()
    page.get_by_role("button", name="Pay US$120.00").click()
    page.get_by_text("The credits are in the balance.").wait_for()
    page.get_by_role("link", name="To the credits").click()
    page.locator(".balance", has_text="US$120.00").wait_for()
    page.get_by_role("link", name="Edit auto-recharge settings").click()
    page.get_by_label("Auto recharge").check()
    page.get_by_label("When the balance falls below").fill("60")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("What is available is not below the trigger.").wait_for()
    assert blocked == []


def fill(money):
    """Many lots, long words, large amounts, payments in several states."""
    money.add_card()
    money.add_card(5_003, "0341")
    invoice = money.add_invoice("EA-1234567890" * 4)
    with closing(money.cell()) as cell:
        for number in range(52):
            fund(
                *(cell, money.owner),
                amount_micros=(number % 7 + 1) * 137_456_789,
                reason="x",
                actor="operator",
                idempotency_key=f"lot {number}",
                lasts_until_ms=money.now_ms + (number * 9 + 3) * DAY_MS,
                now_ms=money.now_ms,
                next_id=money.ids,
            )
    buy(money, 999_000_000, invoice.id, "PO-" + "8" * 60)
    money.bank.answers = [Declined("ch", "insufficient_funds", "Insufficient " * 30, False)]
    buy(money, 250_000_000, CARD)
    money.run_jobs()
    plan = RechargePlan(True, 90_000_000_000, 200_000_000)
    money.bank.answers = [Declined("ch", "lost_card", "The card was reported lost.", True)]
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    money.run_jobs(real_ms() + 1_000)


def buy(money, micros, method, po_number=""):
    return money.counted(
        lambda counter: start_purchase(
            counter,
            amount_micros=micros,
            method_id=method,
            po_number=po_number,
            idempotency_key=f"order {micros}",
            actor=EMAIL,
            why_not=None,
        )
    ).payment


def test_every_page_of_money_fits_its_window_full_and_empty(money, settings, address, open_browser):
    fill(money)
    declined = buy(money, 250_000_000, CARD)
    organisations = [
        money,
        Money(settings, name="Donaudampfschifffahrtselektrizitaetenhauptbetriebswerk"),
        Money(settings, name="Wingtip", country="JP", currency="JPY"),
        Money(settings, name="Fabrikam", country="IN"),
    ]
    with closing(money.control()) as control, closing(money.cell()) as cell:
        ensure_money(control, cell, organisations[1].owner, real_ms(), money.ids)
    for other in organisations[1:]:
        create_admin(EMAIL, PASSWORD, other.owner.id)
    places = ("", "add/", "recharge/", "alerts/", "methods/", "payments/", "lots/", "lots/?all")
    places += ("transactions/", "transactions/?on=2020-02-30")
    paths = [f"{each.owner.id}/credits/{place}" for each in organisations for place in places]
    places = ("", "products/", "post-usage/", "post-usage/pay-as-you-go/", "invoices/profile/")
    paths += [f"{each.owner.id}/{place}" for each in organisations for place in places]
    own = f"{money.owner.id}/credits/"
    paths += [f"{own}add/?amount=100&method={CARD}", f"{own}payments/{declined.id}/"]
    paths += [f"{own}add/?amount=1&method={CARD}", f"{own}methods/{CARD}/remove/"]
    pages = [f"/organisations/{path}" for path in paths] + ["/sandbox/"]
    browser = open_browser()
    for width, height, scheme in SIZES:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
        )
        page = context.new_page()
        blocked = watched(page)
        sign_in(page, address)
        for path in pages:
            page.goto(address + path)
            for more in page.locator("summary").all():
                more.click()
            assert (path, width, page.evaluate(OUTSIDE)) == (path, width, [])
            assert (path, width, page.evaluate(OVERFLOW)) == (path, width, 0)
            assert page.locator("h1").count() == 1
        assert blocked == []
        context.close()


def test_who_goes_by_keyboard_or_ear_is_led_to_what_came_of_it_and_nowhere_else(
    money, address, open_browser
):
    at = f"{address}/organisations/{money.owner.id}"
    browser = open_browser()
    for scripts in (True, False):
        page = browser.new_page(locale="en-GB", java_script_enabled=scripts)
        sign_in(page, address)
        page.goto(f"{at}/notices/recipients/add/")
        page.get_by_label("E-mail address").fill(f"somebody{scripts}@contoso.example".lower())
        page.get_by_role("button", name="Save").press("Enter")
        said = page.locator("main [role=status]:focus")
        said.wait_for()
        assert said.inner_text() == "Saved."
        page.reload()
        assert page.locator("main :focus").count() == 0
    page = browser.new_page(locale="en-GB")
    sign_in(page, address)
    page.goto(f"{at}/credits/recharge/")
    assert page.locator("main :focus").count() == 0
    page.get_by_label("Auto recharge", exact=True).check()
    page.get_by_label("When the balance falls below").fill("none")
    page.get_by_role("button", name="Save").press("Enter")
    page.locator("[aria-invalid=true]:focus").wait_for()
    assert page.locator(":focus").get_attribute("name") == "trigger"

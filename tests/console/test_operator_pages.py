"""The operator's pages, empty and full. Mirrors src/talktime/console/operator."""

import re
from contextlib import closing
from urllib.parse import urljoin

import pytest

from talktime.clock import now_ms
from talktime.console.accounts import create_admin
from talktime.console.cell.models import PostStatement, Wallet
from talktime.console.cell.operating_models import Burn, WorkMark
from talktime.console.control_plane.models import Account, Organisation
from talktime.core.commands import EndCall
from tests.console.money import Money
from tests.console.rows import CELL, insert
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.lively_books import Player, unpriced_call

PAGES = (
    *("", "organisations/", "organisations/new/", "grants/", "payments/", "calls/"),
    *(
        "calls/?list=stuck",
        "calls/?list=unpriced",
        "rate-cards/",
        "rate-upload/",
        "catalogue/",
        "catalogue/import/",
    ),
    *("catalogue/?kind=country", "catalogue/country/new/", "catalogue/country/of/NO/"),
    *("catalogue.yaml", "money/", "money/?format=csv", "trial-balance/", "books/", "jobs/"),
    *("trial-balance/?format=csv", "live/", "live/?part=now", "live/?part=charts", "switches/"),
    "switches/new/",
    *(f"payments/?list={each}" for each in ("paused", "declined", "failed", "disputes")),
    *(f"payments/?list={each}" for each in ("refunds", "invoices")),
    *(f"organisations/?flag={each}" for each in ("zero", "low", "debt", "burning", "paused")),
    *(f"organisations/?flag={each}" for each in ("moved", "overdue", "credit", "silent", "closed")),
)
LOADED = re.compile(r'hx-get="([^"]+)"')
OF_ORGANISATION = ("", "grant/", "adjust/", "change/", "close/", "model/")


@pytest.fixture
def money(installation):
    money = Money(installation)
    create_admin(EMAIL, PASSWORD, money.owner.id)
    return money


def operator(role="operator", email=EMAIL):
    Account.objects.filter(email=email).update(staff_role=role, confirmed_by="before")
    client = browser()
    sign_in(client, email)
    return client


def parts_of(path, response):
    """The addresses of what a page loads again by itself while it is open."""
    if "html" not in response.headers["Content-Type"]:
        return []
    return [urljoin(path, part) for part in LOADED.findall(response.content.decode())]


def test_every_page_opens_for_an_operator_where_there_is_nothing_yet(money):
    client = operator()
    for path in PAGES:
        response = client.get(f"/operator/{path}")
        assert (path, response.status_code) == (path, 200)
        for part in parts_of(f"/operator/{path}", response):
            assert (part, client.get(part).status_code) == (part, 200)
    for path in OF_ORGANISATION:
        response = client.get(f"/operator/organisations/{money.owner.id}/{path}")
        assert (path, response.status_code) == (path, 200)


def test_pages_without_anything_say_the_next_step(money):
    client = operator()
    calls = words_of(client.get("/operator/calls/"))
    assert "No call is running." in calls
    assert "seconds after a switch has asked for them. Switches and keys" in calls
    assert "buys or is given credits. Organisations" in words_of(client.get("/operator/money/"))
    assert "Upload the first one. Upload rates" in words_of(client.get("/operator/rate-cards/"))
    found = words_of(client.get("/operator/organisations/?q=nobody"))
    assert "No organisation is like that. Show all" in found


def test_who_has_less_than_a_week_left_is_listed_with_when_that_was_looked_up(money):
    Wallet.objects.using("cell_main").update(balance_micros=1_000_000)
    insert(Burn, organisation_id=money.owner.id, week_micros=2_000_000)
    insert(WorkMark, name="burn", value=0, at_ms=1_795_428_000_000)
    client = operator()
    listed = words_of(client.get("/operator/organisations/?flag=burning"))
    assert "Contoso" in listed
    assert "less than a week left was looked up at 23 Nov 2026, 10:00:00, and is looked" in listed
    everybody = words_of(client.get("/operator/organisations/"))
    assert "was looked up at" not in everybody
    assert "0:00 UTC, up to now." in everybody


def test_calls_without_a_price_need_somebody_and_are_listed_with_the_rate_card(money):
    """D10, R63, R78."""
    Organisation.objects.update(country="SE")  # where three digits are hidden
    client = operator()
    free = "1 call of the last 7 days had no price and was free"
    assert free not in words_of(client.get("/operator/"))
    nothing = words_of(client.get("/operator/calls/?list=unpriced"))
    assert "Every call of the last 7 days had a price." in nothing
    with closing(money.cell()) as cell:
        unpriced_call(cell, money.owner.id, now_ms() - 60_000)
    overview = client.get("/operator/")
    assert free in words_of(overview)
    assert 'href="/operator/calls/?list=unpriced"' in overview.content.decode()
    listed = words_of(client.get("/operator/calls/?list=unpriced"))
    assert "Contoso" in listed
    assert "+49 30 123***" in listed
    assert money.owner.rate_card in listed


@pytest.mark.parametrize("state", ["due", "overdue", "blocked", "paid"])
def test_overdue_statements_are_named_on_the_overview(money, state):
    """D14."""
    insert(PostStatement, organisation_id=money.owner.id, state=state, month="2026-10")
    page = operator().get("/operator/")
    wanted = state in ("overdue", "blocked")
    assert ("1 statement is overdue" in words_of(page)) == wanted
    assert ('href="/operator/organisations/?flag=overdue"' in page.content.decode()) == wanted


def test_running_calls_are_shown_live_with_what_they_cost_and_why_they_are_to_end(money):
    with closing(money.cell()) as cell:
        player = Player(cell, now_ms() - 61_000)
        player.fund(money.owner.id, 10_000_000)
        player.authorize(money.owner.id, "a")
        player.answer("a")
    client = operator()
    page = client.get("/operator/calls/").content.decode()
    assert 'hx-get="?part=live"' in page
    live = client.get("/operator/calls/?part=live").content.decode()
    assert "<html" not in live
    assert "0.03" in live
    assert "Is to end" not in live
    with closing(money.cell()) as cell:
        Player(cell, now_ms()).do(EndCall(1, "a", money.owner.id, "user_inactive"))
    live = client.get("/operator/calls/?part=live").content.decode()
    assert "Is to end: The user is switched off" in live
    later = words_of(client.get(f"/operator/calls/?after={2**50}.1"))
    assert "All 1" in later
    assert "The calls of this page have ended." in later
    assert "No call is running" not in later


def test_the_other_partys_number_is_masked_for_the_operator_too(installation):
    """R78: in every channel."""
    money = Money(installation, country="NO")
    create_admin(EMAIL, PASSWORD, money.owner.id)
    with closing(money.cell()) as cell:
        player = Player(cell, now_ms())
        player.fund(money.owner.id, 10_000_000)
        player.authorize(money.owner.id, "a")
    page = words_of(operator().get("/operator/calls/"))
    assert "+49 30 123***" in page
    assert "+1 425-555-0100" in page
    assert "123456" not in page.replace(" ", "")


def test_an_organisation_whose_cell_was_restored_without_it_is_said_to_have_no_credits(money):
    Wallet.objects.using(CELL).filter(organisation_id=money.owner.id).delete()
    client, here = operator(), f"/organisations/{money.owner.id}/"
    for path in ("", "credits/", "credits/recharge/", "notices/recipients/"):
        met = client.get(f"{here}{path}")
        assert (met.status_code, "credits are missing" in words_of(met)) == (503, True)
        assert "Nothing is lost" not in words_of(met)
    listed = words_of(client.get("/operator/organisations/"))
    assert ("No wallet" in listed, "Cell away" in listed) == (True, False)
    assert "“After a restore” in the doc" in words_of(client.get(f"/operator{here}"))
    german = client.get(here, headers={"Accept-Language": "de"})
    assert "Das Guthaben dieser Organisation fehlt" in words_of(german)

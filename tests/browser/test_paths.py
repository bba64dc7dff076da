"""What the people of an organisation come to the console for, from the sign-in to the last click.

One world for all of it, with calls running: what a test leaves, the next ones find.
"""

import csv
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from itertools import count

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from talktime.operations.seed_demo import CARD_FILE
from tests.browser.crawl import sign_in
from tests.browser.world import CALLED, ORGANISATION, World
from tests.plain_http import plain_client

HEADER = (
    "UsageId,Call ID,Conference ID,User Location,AAD ObjectId,UPN,User Display Name,Caller ID,"
    "Call Type,Number Type,Domestic/International,Destination Dialed,Destination Number,"
    "Start Time,End Time,Duration Seconds,Connection Fee,Charge,Currency,Capability"
)
LINK = re.compile(r"http\S+/invitation/[\w-]+/")
INVITED, PASSWORD = "viewer@contoso.example", "nine quiet kettles"
PATIENCE_MS = 30_000
TRIES_MAX = 100
PAUSE_S = 0.1
"""Between calls: the credits are to last for all tests, on a fast machine too."""
pytestmark = pytest.mark.timeout(240)


class Traffic:
    """Calls one after another, from a thread, as a switch makes them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.made = 0
        self.refused: list[object] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self.world.switch() as switch:
            for number in count():
                if self.over.wait(PAUSE_S):
                    return
                self._call(switch, f"/v1/calls/path-{number}@sbc1", CALLED[number % len(CALLED)])

    def _call(self, switch: httpx.Client, call: str, to: str) -> None:
        asked = {"type": "user_out", "from": self.world.facts["caller"], "to": to}
        steps = (
            ("authorize", {"sequence": 0, **asked}),
            ("answer", {"sequence": 1}),
            ("settle", {"sequence": 2, "used_seconds": 61}),
        )
        for step, body in steps:
            answer = switch.post(f"{call}/{step}", json=body)
            if answer.status_code != 200:
                self.refused.append(answer.json())
                return
        self.made += 1


@pytest.fixture(scope="module", autouse=True)
def traffic(world: World) -> Iterator[Traffic]:
    """Calls that run while pages are used."""
    traffic = Traffic(world)
    traffic.thread.start()
    yield traffic
    traffic.over.set()
    traffic.thread.join()


def signed_in(chromium: Browser, world: World, who: str) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    sign_in(page, world.address, world.facts[f"{who}_email"], world.facts[f"{who}_password"])
    yield page
    context.close()


@pytest.fixture(scope="module")
def admin(chromium: Browser, world: World) -> Iterator[Page]:
    """The browser of the organisation's owner."""
    expect.set_options(timeout=PATIENCE_MS)
    yield from signed_in(chromium, world, "admin")


@pytest.fixture(scope="module")
def operator(chromium: Browser, world: World) -> Iterator[Page]:
    """The browser of the service's operator."""
    for page in signed_in(chromium, world, "operator"):
        page.get_by_role("banner").get_by_role("link", name="Operator", exact=True).click()
        yield page


def go(page: Page, entry: str) -> None:
    """By the menu."""
    menu = page.get_by_role("navigation", name="Menu")
    menu.get_by_role("link", name=entry, exact=True).click()


def click(page: Page, *links: str) -> None:
    """By links, one after another."""
    for link in links:
        page.get_by_role("main").get_by_role("link", name=link).first.click()


def press(page: Page, button: str) -> None:
    page.get_by_role("main").get_by_role("button", name=button).first.click()


def sees(page: Page, text: str) -> None:
    expect(page.get_by_role("main").get_by_text(text).first).to_be_visible()


def until(page: Page, met: Callable[[], object]) -> None:
    """Look again until something is there; each look asks the service for the page anew."""
    for _ in range(TRIES_MAX):
        if met():
            return
        page.reload()
    raise AssertionError("it did not come to be")


def test_whoever_signs_in_comes_to_the_organisation_and_its_balance(admin: Page) -> None:
    admin.goto(admin.url)
    if admin.url.endswith("/organisations/"):
        click(admin, ORGANISATION)
    sees(admin, "Available")
    expect(admin.get_by_role("heading", level=1)).to_have_count(1)


def test_a_german_browser_reads_german(chromium: Browser, world: World) -> None:
    page = chromium.new_page(locale="de-DE")
    page.goto(f"{world.address}/sign-in/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("button", name="Anmelden", exact=True)).to_be_visible()
    page.close()


def test_funds_are_added_with_the_sandboxs_card_and_the_receipt_has_its_invoice(
    admin: Page, world: World
) -> None:
    go(admin, "Communication Credits")
    click(admin, "Add funds", "US$100")
    sees(admin, "The credits are not refundable.")
    press(admin, "Pay US$100.00")
    sees(admin, "The credits are in the balance.")
    expect(admin.get_by_role("heading", name="Receipt")).to_be_visible()
    with admin.expect_download() as download:
        click(admin, "(PDF)")
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def test_auto_recharge_is_unchecked_and_saved_then_turned_on_again(admin: Page) -> None:
    for checked, state in ((False, "Auto-recharge is off."), (True, "Auto-recharge is on.")):
        go(admin, "Your products")
        click(admin, "Communication Credits")
        expect(admin.get_by_role("heading", name="Billing settings")).to_be_visible()
        click(admin, "Edit auto-recharge settings")
        expect(admin.get_by_role("heading", name="Auto-recharge settings")).to_be_visible()
        admin.get_by_label("Auto recharge").set_checked(checked)
        press(admin, "Save")
        sees(admin, state)


def test_a_second_card_is_added_and_becomes_the_one_that_is_tried_first(admin: Page) -> None:
    go(admin, "Payment methods")
    press(admin, "Add a card")
    click(admin, "Enter the card")
    admin.get_by_label("Last digits of the card").fill("5454")
    press(admin, "Save the card")
    sees(admin, "The card is added.")
    go(admin, "Payment methods")
    admin.locator("li", has_text="5454").get_by_role("button", name="Make first").first.click()
    first = admin.get_by_role("main").get_by_role("listitem").first
    expect(first).to_contain_text("Sandbox ending 5454")
    go(admin, "Communication Credits")
    expect(admin.locator("li", has_text="5454")).to_contain_text("First")


def test_several_users_get_a_licence_at_once(admin: Page) -> None:
    go(admin, "Users and licences")
    admin.get_by_label("Search").fill("Boardroom")
    press(admin, "Filter")
    for place in ("Boardroom Lyon", "Boardroom Berlin"):
        admin.get_by_label(f"Select {place}").check()
    press(admin, "Change the selected users")
    admin.get_by_text("Assign these licences").first.click()
    admin.get_by_label("(MCOMEETADV)").first.check()
    press(admin, "Preview")
    sees(admin, "What would change")
    press(admin, "Change 1 user")
    go(admin, "Users and licences")
    admin.get_by_label("Licence", exact=True).select_option("MCOMEETADV")
    press(admin, "Filter")
    expect(admin.get_by_role("link", name="Boardroom Lyon")).to_be_visible()


def test_a_report_of_28_days_is_filtered_and_exported_with_the_known_columns(admin: Page) -> None:
    go(admin, "Usage reports")
    admin.get_by_label("Date range").select_option("28")
    admin.get_by_text("Filters", exact=True).click()
    admin.get_by_label("Country or region", exact=True).first.select_option("GB")
    press(admin, "Run report")
    expect(admin.get_by_role("heading", name="PSTN usage")).to_be_visible()
    with admin.expect_download() as download:
        click(admin, "CSV")
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header).startswith(HEADER)
    assert {row[header.index("Destination Dialed")] for row in rows} == {"United Kingdom"}
    with admin.expect_download() as download:
        click(admin, "Export to Excel")
    with zipfile.ZipFile(download.value.path()) as workbook:
        assert workbook.testzip() is None
        assert "xl/workbook.xml" in workbook.namelist()


def test_can_this_user_call_is_answered_gate_by_gate(admin: Page) -> None:
    go(admin, "Users and licences")
    admin.get_by_label("Search").fill("Boardroom Berlin")
    press(admin, "Filter")
    click(admin, "Boardroom Berlin")
    for number, answer in (("+442079460958", "Yes."), ("+999", "No.")):
        admin.get_by_label("Number", exact=True).fill(number)
        press(admin, "Check")
        expect(admin.locator("#answer")).to_contain_text(answer)
        expect(admin.locator("#answer .gates li").first).to_be_visible()


def test_an_invited_colleague_accepts_by_mail_and_sees_but_cannot_change(
    admin: Page, chromium: Browser, world: World
) -> None:
    go(admin, "Team")
    admin.get_by_label("E-mail address").fill(INVITED)
    admin.get_by_label("Role", exact=True).select_option("viewer")
    press(admin, "Send the invitation")
    until(admin, lambda: invitation_in(world))
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(invitation_in(world))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("again").fill(PASSWORD)
    press(page, "Accept the invitation")
    go(page, "Communication Credits")
    sees(page, "Balance")
    expect(page.get_by_role("link", name="Add funds")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit auto-recharge settings")).to_have_count(0)
    recharge = page.request.post(
        f"{page.url}recharge/", form=forged(page), headers={"referer": page.url}
    )
    assert recharge.status == 403
    context.close()


def forged(page: Page) -> dict[str, str | float | bool]:
    """A form that the page does not offer, sent with the page's own token."""
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    return {"csrfmiddlewaretoken": token, "enabled": ""}


def invitation_in(world: World) -> str:
    """The link of the invitation's mail; empty until it has come."""
    for path in (world.folder / "data" / "mail" / "new").iterdir():
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        if mail["to"] == INVITED:
            text = mail.get_body(("plain",))
            assert text is not None
            found = LINK.search(text.get_content())
            assert found is not None
            return found[0]
    return ""


def test_a_key_made_in_the_console_opens_the_management_api(admin: Page, world: World) -> None:
    go(admin, "API keys")
    click(admin, "Create key")
    admin.get_by_label("Name", exact=True).fill("Reports")
    press(admin, "Create key")
    key = admin.get_by_label("Key", exact=True).input_value()
    headers = {"authorization": f"Bearer {key}"}
    with plain_client(world.address, headers) as client:
        answer = client.get("/api/v1/organisations")
        assert answer.status_code == 200
        assert [each["name"] for each in answer.json()["organisations"]] == [ORGANISATION]
        assert client.post("/api/v1/organisations", json={}).status_code == 403
    go(admin, "API keys")
    expect(admin.get_by_role("main")).not_to_contain_text(key)


def test_an_operator_grants_credits_with_a_reason(operator: Page) -> None:
    go(operator, "Overview")
    expect(operator.get_by_role("heading", name="Needs somebody now")).to_be_visible()
    go(operator, "Organisations")
    click(operator, ORGANISATION, "Grant credits")
    operator.get_by_label("Amount").fill("25")
    operator.get_by_label("Reason").fill("Sorry for the outage")
    press(operator, "Continue")
    press(operator, "Grant them")
    sees(operator, "The credits are in the balance.")


def test_a_rate_card_is_compared_then_published(operator: Page) -> None:
    changed = CARD_FILE.read_text().replace(",GB,0.013,", ",GB,0.0135,")
    rates = {"name": "rates.csv", "mimeType": "text/csv", "buffer": changed.encode()}
    go(operator, "Rate cards")
    click(operator, "Upload rates")
    operator.get_by_label("Rate card").fill("demo")
    operator.get_by_label("File").set_input_files([rates])  # type: ignore[list-item]
    press(operator, "Check it")
    sees(operator, "rows are in order.")
    expect(operator.get_by_role("row", name="United Kingdom")).to_contain_text("0.0135")
    press(operator, "Publish …")
    press(operator, "Publish")
    sees(operator, "The version was published.")


def test_the_books_are_proven_from_the_page(operator: Page) -> None:
    go(operator, "Books")
    press(operator, "Prove them now")
    sees(operator, "All of it held")
    expect(operator.get_by_text("A proof was asked for")).to_have_count(0)


def test_the_wizard_switches_to_post_usage(admin: Page) -> None:
    go(admin, "Your products")
    click(admin, "Switch to post-usage")
    sees(admin, "What the switch does")
    admin.get_by_label("I have read what it does.").check()
    press(admin, "Switch to post-usage")
    expect(admin.locator("[aria-current=step]")).to_contain_text("Using up credits")


def test_calls_ran_all_the_while_and_the_books_are_clean(world: World, traffic: Traffic) -> None:
    traffic.over.set()
    traffic.thread.join()
    assert traffic.refused == []
    assert traffic.made > 0
    world.run("check-books")

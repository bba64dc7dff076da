"""Every page that links lead to: reachable, accessible, light on the wire, within its window."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request

from tests.browser.crawl import sign_in, visited_pages
from tests.browser.world import ORGANISATION, World
from tests.console.test_browser import OUTSIDE, OVERFLOW, watched

BYTES_MAX = 200_000
SERIOUS = {"serious", "critical"}
RULES = {"resultTypes": ["violations"]}
LOOKS = (({"width": 1280, "height": 900}, "light"), ({"width": 390, "height": 844}, "dark"))
START = {
    "nobody": ("/sign-in/", "/"),
    "admin": ("/organisations/", "/"),
    "operator": ("/operator/", "/operator/"),
}
WITH_PASSWORD = {"admin", "operator"}
LEAST = {"nobody": 2, "admin": 40, "operator": 20}

SIDEWAYS = """() => [...document.querySelectorAll('.scroll')]
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => `is moved sideways: ${one.outerHTML.slice(0, 80)}`)"""
LABELS_LOST = """() => [...document.querySelectorAll('.stack td')].filter(one => {
    const label = getComputedStyle(one, '::before');
    return label.float == 'left'
        && -parseFloat(label.marginLeft) > parseFloat(getComputedStyle(one).paddingLeft) + 1;
}).map(one => `its label is outside: ${one.outerHTML.slice(0, 80)}`)"""
"""A table is read whole: beside each other on a desk, as cards with their labels on a phone."""

COVERED = """() => {
  const shown = (one) => one.checkVisibility() && one.getBoundingClientRect().width > 0;
  const all = [...document.querySelectorAll('button, .button, .brand')].filter(shown);
  const meets = (a, b) => a.left < b.right + 2 && b.left < a.right + 2
      && a.top < b.bottom + 2 && b.top < a.bottom + 2;
  const rects = all.map(one => one.getBoundingClientRect());
  return all.flatMap((one, i) => all.slice(i + 1)
      .filter((other, j) => meets(rects[i], rects[i + 1 + j]))
      .map(other => `${one.outerHTML.slice(0, 80)} touches ${other.outerHTML.slice(0, 80)}`));
}"""
"""A thumb meets one button, and none lies on what it stands beside."""

UNTOLD = """() => [...document.querySelectorAll('input, select, textarea, fieldset')]
  .flatMap(one => {
    const told = (one.getAttribute('aria-describedby') || '').split(' ').filter(id => id);
    const note = one.closest('div.field')?.querySelector(':scope > .note');
    const lost = told.filter(id => !document.getElementById(id));
    if (note && !told.includes(note.id)) lost.push(note.textContent);
    return lost.map(what => `is not read with ${one.name}: ${what}`);
})"""
"""Whoever listens to a page hears the note of a field with the field."""

UNHEARD = """() => {
  const level = (one) => +one.tagName[1];
  const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
    .filter(one => one.checkVisibility());
  const skipped = headings.filter((one, i) => level(one) > (i ? level(headings[i - 1]) : 0) + 1);
  const bare = [...document.querySelectorAll('th')].filter(one => !one.textContent.trim());
  const plain = [...document.querySelectorAll('table')].filter(one => !one.querySelector('th'));
  return [...skipped, ...bare, ...plain].map(one => `is not heard: ${one.outerHTML.slice(0, 80)}`);
}"""
"""Who goes from heading to heading misses none; each table and column says what it holds."""

pytestmark = pytest.mark.timeout(900)


def uncached(page: Page) -> list[Request]:
    """The requests of a page that keeps nothing from before, as they come to their end."""
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    made: list[Request] = []
    page.on("requestfinished", lambda request: made.append(request))
    return made


def bytes_of(made: list[Request]) -> int:
    """What came over the wire, headers and all."""
    sizes = [request.sizes() for request in made]
    return sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)


def serious(page: Page) -> list[str]:
    """What axe-core finds on a page that keeps people out."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def wrong_with(page: Page) -> list[str]:
    """What is wrong with the page that the browser is on."""
    wrong = serious(page)
    if page.evaluate(OVERFLOW) or page.evaluate(OUTSIDE):
        wrong.append("wider than its window")
    wrong += page.evaluate(SIDEWAYS) + page.evaluate(LABELS_LOST) + page.evaluate(COVERED)
    wrong += page.evaluate(UNTOLD) + page.evaluate(UNHEARD)
    if page.locator("h1").count() != 1:
        wrong.append("not one heading")
    return wrong


@pytest.mark.parametrize("who", START)
def test_every_page_is_accessible_light_and_within_its_window(
    world: World, chromium: Browser, who: str
) -> None:
    wrong: list[object] = []
    pages: dict[str, str] = {}
    for size, scheme in LOOKS:
        context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-GB")
        page = context.new_page()
        if who in WITH_PASSWORD:
            facts = world.facts
            sign_in(page, world.address, facts[f"{who}_email"], facts[f"{who}_password"])
        blocked = watched(page)
        made = uncached(page)
        for name, path in walk(page, world.address, pages, *START[who]):
            if bytes_of(made) > BYTES_MAX:
                wrong.append((name, scheme, "bytes", bytes_of(made)))
            wrong += [(name, scheme, path, each) for each in wrong_with(page)]
            made.clear()
        wrong += blocked
        context.close()
    assert wrong == []
    assert len(pages) >= LEAST[who]


def walk(
    page: Page, address: str, pages: dict[str, str], start: str, within: str
) -> Iterator[tuple[str, str]]:
    """Be on every page once; the first time, find them."""
    if not pages:
        for name, path in visited_pages(page, address, start, within):
            pages[name] = path
            yield name, path
        return
    for name, path in pages.items():
        page.goto(address + path)
        yield name, path


def test_what_the_operator_does_at_an_organisation_is_whole_on_a_phone_in_german(
    world: World, chromium: Browser
) -> None:
    world.run("fund", ORGANISATION, "60", "--reason", "ein Versehen", "--actor", "somebody")
    context = chromium.new_context(viewport=LOOKS[1][0], locale="de-DE")
    page = context.new_page()
    page.goto(f"{world.address}/sign-in/")
    page.locator("input[type=email]").fill(world.facts["operator_email"])
    page.locator("input[type=password]").fill(world.facts["operator_password"])
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.get_by_role("button", name="Abmelden").wait_for()
    page.goto(f"{world.address}/operator/organisations/")
    page.get_by_role("link", name=ORGANISATION).click()
    page.get_by_role("link", name="Zurücknehmen").first.wait_for()
    wrong = [("organisation", each) for each in wrong_with(page)]
    page.get_by_role("link", name="Zurücknehmen").first.click()
    page.get_by_label("Grund").fill("1234,50 statt 123,45: ein Komma zu weit rechts")
    wrong += [("form", each) for each in wrong_with(page)]
    page.get_by_role("button", name="Weiter").click()
    page.get_by_role("button", name="zurücknehmen").wait_for()
    wrong += [("confirm", each) for each in wrong_with(page)]
    page.get_by_role("link", name="Abbrechen").click()
    page.get_by_role("link", name="Aus Sicht ihres Admins öffnen").click()
    page.get_by_role("link", name="Betreiber").wait_for()
    wrong += [("as its admin sees it", each) for each in wrong_with(page)]
    context.close()
    assert wrong == []

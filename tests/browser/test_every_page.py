"""Every page that links lead to: reachable, accessible, light on the wire, within its window."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from talktime.console.databases import set_up
from tests.browser.crawl import found_pages, sign_in
from tests.browser.world import World, live, served
from tests.console.conftest import close_connections, settings_in
from tests.console.test_browser import OUTSIDE, OVERFLOW, watched

BYTES_MAX = 200_000
SERIOUS = {"serious", "critical"}
RULES = {"resultTypes": ["violations"]}
LOOKS = (({"width": 1280, "height": 900}, "light"), ({"width": 390, "height": 844}, "dark"))
START = {"admin": "/organisations/"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A demo with a month of use."""
    with served(tmp_path_factory.mktemp("world")) as world:
        set_up(settings_in(world.folder / "data"))
        live(world)
        yield world
    close_connections()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


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


@pytest.mark.parametrize("who", START)
def test_every_page_is_accessible_light_and_within_its_window(
    world: World, chromium: Browser, who: str
) -> None:
    wrong: list[object] = []
    pages: dict[str, str] = {}
    for size, scheme in LOOKS:
        context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-GB")
        page = context.new_page()
        sign_in(page, world.address, world.facts[f"{who}_email"], world.facts[f"{who}_password"])
        pages = pages or found_pages(page, world.address, START[who])
        blocked = watched(page)
        made = uncached(page)
        for name, path in pages.items():
            made.clear()
            page.goto(world.address + path)
            if bytes_of(made) > BYTES_MAX:
                wrong.append((name, "bytes", bytes_of(made)))
            wrong += [(name, scheme, each) for each in serious(page)]
            if page.evaluate(OVERFLOW) or page.evaluate(OUTSIDE):
                wrong.append((name, scheme, "wider than its window"))
            if page.locator("h1").count() != 1:
                wrong.append((name, scheme, "not one heading"))
        wrong += blocked
        context.close()
    assert wrong == []

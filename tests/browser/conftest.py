"""One world and one browser for all tests of a file."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from talktime.console.databases import set_up
from tests.browser.world import World, live, served
from tests.console.conftest import close_connections, settings_in


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A demo with a month of use."""
    with served(tmp_path_factory.mktemp("world")) as world:
        set_up(settings_in(world.folder / "data"))
        live(world)
        yield world
    close_connections()


@pytest.fixture(scope="module")
def chromium(world: World) -> Iterator[Browser]:
    """Started after the world: Django refuses its ORM where Playwright's loop runs."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()

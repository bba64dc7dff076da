"""One world and one browser for all tests of a file."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from talktime.console.databases import set_up
from tests.browser.world import World, begin_calls, copy_of, live, served
from tests.console.conftest import close_connections, settings_in
from tests.shared_folder import made_once


@pytest.fixture(scope="session")
def lived() -> Path:
    """A demo with a month of use, which nobody serves."""
    return made_once("lived", let_live)


def let_live(folder: Path) -> None:
    """Make a demo with a month of use in this folder."""
    with served(folder) as world:
        set_up(settings_in(world.folder / "data"))
        live(world)
        close_connections()


@pytest.fixture(scope="module")
def world(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A demo with a month of use, and calls that run; what a file changes in it is its own."""
    with served(copy_of(lived, tmp_path_factory.mktemp("world"))) as world:
        set_up(settings_in(world.folder / "data"))
        begin_calls(world, "running")
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

"""`make screenshots`: every page of the console as people see it, in docs/screenshots/.

Light, dark, and on a phone; `python -m tests.browser.screenshots NAME ...` for some pages alone.
"""

import base64
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from talktime.config import settings_from
from talktime.console.databases import set_up
from tests.browser.crawl import sign_in, visited_pages
from tests.browser.world import begin_calls, live, served

PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = {
    "light": (DESKTOP, "light"),
    "dark": (DESKTOP, "dark"),
    "phone": (PHONE, "light"),
}
HEIGHT_MAX = 2_400
QUALITY = 70


def take(page: Page, path: Path) -> None:
    """The whole page, up to a height, as WebP."""
    height = min(page.evaluate("document.documentElement.scrollHeight"), HEIGHT_MAX)
    size = page.viewport_size
    assert size is not None
    clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}
    session = page.context.new_cdp_session(page)
    taken = session.send(
        "Page.captureScreenshot",
        {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True},
    )
    path.write_bytes(base64.b64decode(taken["data"]))


def photograph(
    browser: Browser,
    address: str,
    who: tuple[str, str],
    start: str,
    within: str,
    wanted: set[str],
) -> None:
    """Every page that somebody can come to, or those wanted."""
    pages: dict[str, str] = {}
    for look, (size, scheme) in LOOKS.items():
        context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB")
        page = context.new_page()
        sign_in(page, address, *who)
        pages = pages or dict(visited_pages(page, address, start, within))
        for name, path in pages.items():
            if wanted and name not in wanted:
                continue
            page.goto(address + path)
            take(page, PICTURES / f"{name}.{look}.webp")
            sys.stdout.write(f"{name} {look}\n")
        context.close()


def prove(browser: Browser, address: str, who: tuple[str, str]) -> None:
    """Have the books proven, which takes some seconds."""
    page = browser.new_page(locale="en-GB")
    sign_in(page, address, *who)
    page.goto(f"{address}/operator/books/")
    page.get_by_role("button", name="Prove them now").click()
    page.get_by_text("All of it held").wait_for()
    page.close()


def main() -> None:
    """Photograph what the admin of an organisation sees, then what the operator sees."""
    wanted = set(sys.argv[1:])
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="talktime-") as name, served(Path(name)) as world:
        set_up(settings_from({"TALKTIME_DATA": f"{name}/data"}))  # for the names of pages
        live(world)
        begin_calls(world, "running")
        facts = world.facts
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            operator = facts["operator_email"], facts["operator_password"]
            prove(browser, world.address, operator)
            begin_calls(world, "more")
            admin = facts["admin_email"], facts["admin_password"]
            photograph(browser, world.address, admin, "/organisations/", "/", wanted)
            begin_calls(world, "last")
            photograph(browser, world.address, operator, "/operator/", "/operator/", wanted)
            browser.close()


if __name__ == "__main__":
    main()

"""Every page of the console, found as people find them: by its links."""

import re
from collections import deque
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Error, Page, Response

LINKS = "() => [...document.querySelectorAll('a[href]')].map(a => a.href)"
NO_PAGES = re.compile(r"\.(pdf|csv|xlsx|json|zip|yaml)$|/api/|/static/|/sign-out/|/metrics")
PAGES_MAX = 400


def visited_pages(
    page: Page, address: str, start: str, within: str = "/"
) -> Iterator[tuple[str, str]]:
    """Each page (by its url name) that links lead to from `start`, while the browser is on it;
    none that is not within a folder.
    """
    found: set[str] = set()
    waiting, seen = deque([start]), {start}
    while waiting and len(found) < PAGES_MAX:
        path = waiting.popleft()
        if name_of(path) in (None, *found):
            continue
        response = opened(page, address + path)
        if response is None or not response.headers.get("content-type", "").startswith("text/html"):
            continue
        assert response.status == 200, (path, response.status)
        path = page.url.removeprefix(address)  # a link may lead on
        name = name_of(path)
        if name is None or name in found:
            continue
        found.add(name)
        for link in page.evaluate(LINKS):
            parts = urlsplit(link)
            there = parts.path
            ours = link.startswith(address + within) and not NO_PAGES.search(there)
            if ours and there not in seen:
                seen.add(there)
                waiting.append(there + (f"?{parts.query}" if parts.query else ""))
        yield name, path


def opened(page: Page, address: str) -> Response | None:
    """The answer of a page; None of a file, which a browser keeps and does not show."""
    try:
        return page.goto(address)
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        return None


def name_of(path: str) -> str | None:
    """The url name of an address; None where it is none of the console's."""
    try:
        match = resolve(urlsplit(path).path)
    except Resolver404:
        return None
    return match.view_name or None


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    """Sign in as somebody."""
    page.goto(f"{address}/sign-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for(state="attached")

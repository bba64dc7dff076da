"""Every page of the console, found as people find them: by its links."""

import re
from collections import deque
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page

LINKS = "() => [...document.querySelectorAll('a[href]')].map(a => a.href)"
NO_PAGES = re.compile(r"\.(pdf|csv|xlsx|json|zip|yaml)$|/api/|/static/|/sign-out/|/metrics")
PAGES_MAX = 400


def found_pages(page: Page, address: str, start: str) -> dict[str, str]:
    """The first address of each page (by its url name) that links lead to from `start`."""
    found: dict[str, str] = {}
    waiting, seen = deque([start]), {start}
    visited = 0
    while waiting and visited < PAGES_MAX:
        path = waiting.popleft()
        name = name_of(path)
        if name is None or name in found:
            continue
        response = page.goto(address + path)
        visited += 1
        assert response is not None
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/html"):
            continue
        assert response.status == 200, (path, response.status)
        found[name] = path
        for link in page.evaluate(LINKS):
            parts = urlsplit(link)
            there = parts.path
            if link.startswith(address) and there not in seen and not NO_PAGES.search(there):
                seen.add(there)
                waiting.append(there + (f"?{parts.query}" if parts.query else ""))
    return found


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

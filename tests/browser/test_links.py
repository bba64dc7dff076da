"""No link leads nowhere: what a page offers to its reader, the reader may open. Mirrors
src/talktime/console/doors.py."""

import re
from collections import Counter, deque
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from talktime.console.accounts import create_admin, create_staff
from talktime.console.control_plane.models import Organisation
from talktime.console.roles import MEMBER_PERMISSIONS, STAFF_PERMISSIONS
from tests.browser.crawl import name_of
from tests.browser.world import ORGANISATION, PATIENCE_S, World
from tests.plain_http import plain_client

PASSWORD = "seven green bottles"
STAFF = tuple(role for role in STAFF_PERMISSIONS if role)
EVERYBODY = (*MEMBER_PERMISSIONS, *STAFF)
HIDDEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
LINK = re.compile(r'<a\s[^>]*?href="([^"]*)"')
ENDS_THE_VISIT = "/sign-out/"
ALIKE_MAX = 1
"""Of links that differ in an id, or in what a filter is set to, so many are followed: there are six
roles."""
LEAST = 40

pytestmark = pytest.mark.timeout(600)


class Alike(NamedTuple):
    """What links have in common that lead to the same page, asked in the same way."""

    page: str
    asked: tuple[str, ...]


@pytest.fixture(scope="module")
def people(world: World) -> dict[str, str]:
    """Somebody of each role, by their address."""
    owner = Organisation.objects.get(name=ORGANISATION).id
    found = {role: f"{role}@links.example" for role in EVERYBODY}
    for role in MEMBER_PERMISSIONS:
        create_admin(found[role], PASSWORD, owner, role)
    for role in STAFF:
        create_staff(found[role], PASSWORD, role)
    return found


@pytest.mark.parametrize("role", EVERYBODY)
def test_every_link_that_is_offered_to_somebody_opens(
    world: World, people: dict[str, str], role: str
) -> None:
    with plain_client(world.address, timeout_s=PATIENCE_S) as client:
        sign_in(client, people[role])
        names, refused = followed(client, "/")
    assert refused == []
    assert len(names) >= LEAST


def sign_in(client: httpx.Client, email: str) -> None:
    """Sign in with the form; the client keeps the cookies."""
    [token] = HIDDEN.findall(client.get("/sign-in/").text)[:1]
    form = {"csrfmiddlewaretoken": token, "username": email, "password": PASSWORD}
    assert client.post("/sign-in/", data=form).status_code == 302


def followed(client: httpx.Client, start: str) -> tuple[set[str], list[object]]:
    """Follow all links from a page: the names of the pages that were found, and each link that was
    refused, with the page that offers it."""
    waiting, seen = deque([("", start)]), {start}
    alike: Counter[Alike] = Counter()
    refused: list[object] = []
    while waiting:
        offered_by, link = waiting.popleft()
        same = Alike(name_of(link) or link, tuple(sorted(parse_qs(urlsplit(link).query))))
        alike[same] += 1
        if alike[same] > ALIKE_MAX:
            continue
        answer = client.get(link)
        if answer.status_code >= 400:
            refused.append((answer.status_code, link, offered_by))
        for there in links_of(answer, link):
            if there not in seen and ENDS_THE_VISIT not in there:
                seen.add(there)
                waiting.append((link, there))
    return {each.page for each in alike}, refused


def links_of(answer: httpx.Response, link: str) -> list[str]:
    """The links of a page that stay within the console; where it leads on, that."""
    if answer.is_redirect:
        found = [answer.headers["location"]]
    elif answer.headers.get("content-type", "").startswith("text/html"):
        found = [unescape(each) for each in LINK.findall(answer.text)]
    else:
        found = []
    whole = [urlsplit(urljoin(link, each))._replace(fragment="") for each in found]
    return [each.geturl() for each in whole if not each.scheme and not each.netloc]

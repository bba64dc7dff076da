"""Usage reports in the console. Mirrors src/talktime/console/usage."""

import asyncio
import csv
import io
import re
import time
import zipfile
from contextlib import closing
from urllib.parse import quote

import httpx
import pytest

from talktime.console.accounts import create_admin
from talktime.console.asgi import application
from talktime.console.control_plane.models import Account
from talktime.console.usage import names
from talktime.console.usage.names import CAUSES
from talktime.core.audit import Actor, Change
from talktime.core.catalogue import CREDITS
from talktime.core.commands import Answer, Authorize, Settle
from talktime.core.directory import User
from talktime.core.meters import month_of
from talktime.core.payers import Payers
from talktime.core.rating import Rate
from talktime.gateways.radius.attributes import CAUSES as RADIUS_CAUSES
from talktime.operations.execute import execute
from talktime.operations.fund import fund
from talktime.operations.usage_documents import NUMBER_TYPES, SUBSCRIBER
from talktime.store.audit import insert_change
from talktime.store.users import insert_users
from tests.console.money import Money
from tests.console.test_billing_credits import form_of
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of

GERMANY = Rate("49", "Germany", 15_000, 20_000, 60, 60)
THEIRS = "493012345678"
DAY_MS = 86_400_000


class Calls:
    """An organisation in Norway that calls Germany."""

    def __init__(self, settings):
        self.money = Money(settings, time_zone="Europe/Oslo", country="NO")
        self.owner, self.now_ms = self.money.owner, time.time_ns() // 1_000_000
        with closing(self.money.cell()) as cell:
            fund(
                *(cell, self.owner),
                amount_micros=100_000_000,
                reason="first",
                actor="operator",
                idempotency_key="k",
                lasts_until_ms=self.now_ms + 300 * DAY_MS,
                now_ms=self.now_ms,
                next_id=self.money.ids,
            )
            licences = frozenset({CREDITS})
            users = [
                User(31, self.owner.id, "desk@contoso.example", "<Front> desk", "NO", licences,
                     "person", True),
                User(32, self.owner.id, "board@contoso.example", "Boardroom Oslo", "NO", licences,
                     "person", True),
            ]  # fmt: skip
            with cell.transaction():
                insert_users(cell, users)

    def call(
        self, key, user_id=31, type_="user_out", used_s=61, rate=GERMANY, cause="normal", room=""
    ):
        """A whole call, that ends now."""
        began_ms = self.now_ms - used_s * 1000
        ours = "4722001122"
        numbers = (THEIRS, ours) if type_.endswith("_in") else (ours, THEIRS)
        authorize = Authorize(
            *(1, key, 0, 7, self.owner.id, user_id, type_, *numbers, began_ms, rate, 0),
            passed=(f"number: +{THEIRS} exists (DE)",),
            payers=Payers(),
            conference_id=room,
        )
        with closing(self.money.cell()) as cell:
            for command in (
                authorize,
                Answer(1, key, 1, 7, began_ms),
                Settle(1, key, 2, 7, used_s, cause),
            ):
                with cell.transaction():
                    execute(cell, [command], self.now_ms, self.money.ids)

    def usage_id(self, key):
        """The id of a call's record."""
        with closing(self.money.cell()) as cell, cell.reading():
            return cell.rows("SELECT id FROM usage_record WHERE call_key = ?", [key])[0][0]


@pytest.fixture
def calls(installation):
    calls = Calls(installation)
    create_admin(EMAIL, PASSWORD, calls.owner.id)
    return calls


@pytest.fixture
def admin(calls):
    client = browser()
    sign_in(client)
    return client


def at(calls, path=""):
    return f"/organisations/{calls.owner.id}/{path}"


def rows_of(response):
    """The cells of the report's rows."""
    rows = re.findall(r'<tr role="row"><td.*?</tr>', response.content.decode(), flags=re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.DOTALL) for row in rows]


def test_the_report_shows_calls_at_once_with_the_others_digits_hidden(admin, calls):
    assert "No calls in these days" in words_of(admin.get(at(calls, "usage/")))
    calls.call("a")
    calls.call("b", user_id=32, type_="user_in", rate=Rate("", "Inbound", 0, 0, 1, 1))
    response = admin.get(at(calls, "usage/"))
    words = words_of(response)
    assert "Calls 2" in words
    assert "Minutes talked 3" in words
    assert "US$0.05" in words
    assert THEIRS not in response.content.decode()
    assert "+493012345***" in words
    assert "<Front> desk" in words
    assert len(rows_of(response)) == 2


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("user=desk@contoso.example", ["a"]),
        ("user=Boardroom Oslo", ["m", "b"]),
        ("type=conf_out", ["m"]),
        ("country=DE&context=International", ["m", "a"]),
        ("capability=MCOPSTNPP&type=user_out", ["a"]),
        ("number=+493012345000", ["m", "b", "a"]),
        ("number=+493012344000", []),
        ("conference_id=room 7", ["m"]),
        ("conference_id=room", []),
    ],
)
def test_a_filter_shows_what_is_like_that(admin, calls, query, keys):
    calls.call("a")
    calls.call("b", user_id=32, type_="user_in")
    calls.call("m", user_id=32, type_="conf_out", room="room 7")
    path = at(calls, f"usage/?column=call_id&{quote(query, safe='=&')}")
    found = [re.sub(r"<[^>]+>", "", cells[0]) for cells in rows_of(admin.get(path))]
    assert sorted(found) == sorted(keys)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("user=nobody", "Nobody has this name or username."),
        ("range=custom&first=2026-11-02&last=2026-11-01", "The range ends before it begins."),
        ("range=custom&first=2019-01-01&last=2019-02-01", "Reports go back one year."),
        ("range=custom&first=2019-01-01", "Choose a day."),
        ("range=custom&first=x&last=y", "Enter a valid date."),
        ("number=abc", "A number has digits"),
        ("type=what", "Select a valid choice."),
        ("range=9", "Select a valid choice."),
    ],
)
def test_a_wrong_filter_is_named_at_its_field_and_exports_nothing(admin, calls, query, says):
    """R79."""
    response = admin.get(at(calls, f"usage/?{query}"))
    assert response.status_code == 422
    assert says in words_of(response)
    assert admin.get(at(calls, f"usage/export/csv/?{query}")).status_code == 302


def test_a_view_is_kept_opened_and_deleted(admin, calls):
    page = admin.get(at(calls, "usage/?type=user_in")).content.decode()
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    post = {"csrfmiddlewaretoken": token, "name": "Calls in", "query": "?type=user_in&evil=1"}
    saved = admin.post(at(calls, "usage/views/"), post)
    assert saved.headers["Location"] == at(calls, "usage/?type=user_in")
    shown = admin.get(at(calls, "usage/")).content.decode()
    assert 'href="?type=user_in"' in shown
    create_admin("viewer@contoso.example", PASSWORD, calls.owner.id, "viewer")
    viewer = browser()
    sign_in(viewer, "viewer@contoso.example")
    viewer.changes_nothing = True  # the view is somebody else's
    page = viewer.get(at(calls, "usage/")).content.decode()
    token_2 = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    again = {**post, "csrfmiddlewaretoken": token_2, "query": "?type=user_out"}
    viewer.post(at(calls, "usage/views/"), again)
    assert "has a view of this name" in words_of(viewer.get(at(calls, "usage/")))
    view_id = re.search(r"views/(\d+)/delete/", shown)[1]
    admin.post(at(calls, f"usage/views/{view_id}/delete/"), {"csrfmiddlewaretoken": token})
    assert "Calls in" not in words_of(admin.get(at(calls, "usage/")))
    assert admin.post(at(calls, "usage/views/"), {**post, "name": " "}).status_code == 302
    assert "was not saved" in words_of(admin.get(at(calls, "usage/")))


def test_exports_are_streamed_with_what_the_report_shows(admin, calls):
    calls.call("a")
    calls.call("bot", user_id=None, type_="ucap_in")
    csv_file = admin.get(at(calls, "usage/export/csv/"))
    assert csv_file.streaming
    text = b"".join(csv_file).decode()
    lines = {line["Call ID"]: line for line in csv.DictReader(io.StringIO(text, newline=""))}
    assert lines["a"]["Charge"] == "0.05"
    assert lines["a"]["Destination Number"] == "+493012345***"
    assert lines["bot"]["UPN"] == ""
    zipped = admin.get(at(calls, "usage/export/zip/?type=user_out"))
    assert re.fullmatch(r'attachment; filename="Calls\.Export\.\d+\.zip"',
                        zipped["Content-Disposition"])  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped))) as archive:
        assert archive.testzip() is None
        [name, parameters] = archive.namelist()
        assert len(archive.read(name).splitlines()) == 2
        assert b'"callType": "user_out"' in archive.read(parameters)
    book = b"".join(admin.get(at(calls, "usage/export/xlsx/")))
    assert zipfile.ZipFile(io.BytesIO(book)).testzip() is None


def test_an_export_is_streamed_under_asgi_as_well(admin, calls):
    calls.call("a")
    cookies = {name: morsel.value for name, morsel in admin.cookies.items()}

    async def fetched():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", cookies=cookies
        ) as client:
            return await client.get(at(calls, "usage/export/csv/"))

    response = asyncio.run(fetched())
    assert response.status_code == 200
    assert len(response.content.splitlines()) == 2


def test_a_calls_page_tells_its_arithmetic_and_who_paid(admin, calls):
    calls.call("a")
    usage_id = calls.usage_id("a")
    response = admin.get(at(calls, f"calls/{usage_id}/"))
    words = words_of(response)
    assert "Talked 61 s, billed in increments of 60 and then 60 s 120 s" in words
    assert "120 s at 0.015 USD a minute 0.03 USD" in words
    assert "Connection fee, once at answer 0.02 USD" in words
    assert re.search(r"lot \d+ Call .* US\$0\.05", words)
    assert THEIRS not in response.content.decode()
    assert "number: +493012345*** exists (DE)" in words
    assert admin.get(at(calls, "calls/1/")).status_code == 404


def test_a_calls_page_writes_its_sum_as_the_reader_does(admin, calls):
    calls.call("a")
    Account.objects.update(language="de")
    words = words_of(admin.get(at(calls, f"calls/{calls.usage_id('a')}/")))
    assert "120 s zu 0,015 USD pro Minute 0,03 USD" in words
    assert re.search(r"Posten \d+ Anruf .* 0,05", words)


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("normal", "Grund des Endes Regulär beendet normal"),
        ("user_request", "Grund des Endes Aufgelegt user_request"),
        ("sip_486", "Grund des Endes sip_486"),
    ],
)
def test_a_calls_page_says_its_codes_in_the_readers_words(admin, calls, cause, says):
    calls.call("a", cause=cause)
    Account.objects.update(language="de")
    words = words_of(admin.get(at(calls, f"calls/{calls.usage_id('a')}/")))
    assert says in words
    assert "Nummerntyp Teilnehmernummer" in words


def test_a_calls_page_says_its_flags_in_the_readers_words(admin, calls):
    calls.call("a", used_s=300, rate=GERMANY._replace(per_minute_micros=20_000_000))
    Account.objects.update(language="de")
    words = words_of(admin.get(at(calls, f"calls/{calls.usage_id('a')}/")))
    assert "Der Betrag hat eine Schuld hinterlassen" in words


def test_whatever_the_gateway_for_radius_writes_as_a_cause_has_words():
    assert set(RADIUS_CAUSES.values()) < set(CAUSES)


def test_types_of_numbers_fit_their_column_and_have_words():
    """R76."""
    types = {"Subscriber", "TollService", "TollFreeService"}
    assert {SUBSCRIBER, *NUMBER_TYPES.values()} == set(names.NUMBER_TYPES) == types
    assert max(map(len, types)) <= 16


def test_another_organisation_sees_nothing_of_it(admin, calls, installation):
    calls.call("a")
    other = Money(installation, name="Fabrikam")
    create_admin("admin@fabrikam.example", PASSWORD, other.owner.id)
    client = browser()
    sign_in(client, "admin@fabrikam.example")
    reports = ("pools/", "dial-out/", "blocked/", "export/csv/", "")
    for path in (f"usage/{each}" for each in reports):
        assert client.get(at(calls, path)).status_code == 404
    mine = f"/organisations/{other.owner.id}/"
    assert client.get(f"{mine}calls/{calls.usage_id('a')}/").status_code == 404
    assert "No calls in these days" in words_of(client.get(f"{mine}usage/"))


def test_what_meetings_called_is_counted_to_the_organizer(admin, calls):
    """R77, R83."""
    assert "No meeting called out" in words_of(admin.get(at(calls, "usage/dial-out/")))
    calls.call("m1", user_id=32, type_="conf_out")
    calls.call("m2", user_id=32, type_="conf_out", used_s=30)
    calls.call("a")
    words = words_of(admin.get(at(calls, "usage/dial-out/?tab=minutes")))
    assert "Boardroom Oslo board@contoso.example Norway International 2 2 US$0.09 0.085" in words
    text = admin.get(at(calls, "usage/dial-out/csv/")).content.decode()
    assert text.splitlines()[1:] == [
        "Boardroom Oslo,board@contoso.example,NO,International,2,91,2,0.09,0.085,USD"
    ]
    assert "No meeting called out" in words_of(admin.get(at(calls, "usage/dial-out/?location=US")))


def switch_often(cell, owner_id, at_ms, times):
    """A user is blocked and unblocked many times, all in one moment."""
    for n in range(1, times + 1):
        change = (Actor("key", "robot"), "user.changed", "desk@contoso.example")
        facts = {"active": n % 2 == 0}, {"active": n % 2 == 1}
        insert_change(cell, Change(n, owner_id, *change, *facts, at_ms))


def test_blocked_users_are_listed_with_when_and_by_whom_a_page_at_a_time(admin, calls):
    """R84."""
    page = at(calls, "usage/blocked/")
    assert "Nobody was blocked" in words_of(admin.get(page))
    for save, reason in (("block", "a lost telephone "), ("unblock", "")):
        token = form_of(admin.get(at(calls, "users/31/")))["csrfmiddlewaretoken"]
        typed = {"save": save, "reason": reason, "csrfmiddlewaretoken": token}
        assert admin.post(at(calls, "users/31/"), typed).status_code == 302
    row, asked = "<Front> desk desk@contoso.example No data", f"Requested by {EMAIL}"
    words = words_of(admin.get(page))
    assert f"{row} {asked} Unblocked" in words
    assert f"{row} a lost telephone {asked} Blocked" in words
    assert "Reason Before: — → After: a lost telephone" in words_of(admin.get(at(calls, "audit/")))
    with closing(calls.money.cell()) as cell, cell.transaction():
        switch_often(cell, calls.owner.id, calls.now_ms - 1_000, 49)
    first = admin.get(page)
    assert len(rows_of(first)) == 50
    [older] = re.findall(r'href="([?]before=[^"]+)"', first.content.decode())
    assert len(rows_of(admin.get(page + older))) == 1
    assert admin.get(at(calls, "usage/?report=blocked-users")).url == page


def test_pools_are_shown_by_month(admin, calls):
    words = words_of(admin.get(at(calls, "usage/pools/")))
    assert "No included minutes" in words
    assert "No minutes were used" in words_of(admin.get(at(calls, "usage/pools/?month=2026-10")))


def test_a_pool_is_what_is_used_and_what_is_available_and_paid_minutes_have_none(admin, calls):
    """R82."""
    with closing(calls.money.cell()) as cell, cell.transaction():
        insert_users(
            cell,
            [
                User(id_, calls.owner.id, f"user{id_}@contoso.example", "User", "NO",
                     frozenset({"MCOEV", plan, CREDITS}), "person", True)
                for id_, plan in ((41, "MCOPSTN1"), (42, "MCOPSTN_PAYG_2"))
            ],
        )  # fmt: skip
        month = month_of(calls.now_ms)
        meter = calls.owner.id, f"{month}/minutes/MCOPSTN1/NO/domestic", 90, 60, 72_000
        cell.run(
            "INSERT INTO meter (organisation_id, key, used, held, total) VALUES (?, ?, ?, ?, ?)",
            meter,
        )
    [pool] = rows_of(admin.get(at(calls, "usage/pools/")))
    words = " ".join(re.sub(r"<[^>]+>", " ", " ".join(pool)).split())
    assert words == (
        "Norway Domestic Calling Plan (domestic) 1,200 1:30 1,198:30 (1 held by running calls) "
        "MCOPSTN1 1"
    )
    headers = {"authorization": f"Bearer {calls.money.key('read')}"}
    [told] = browser().get("/api/v1/organisations/Contoso/pools", headers=headers).json()["pools"]
    earlier = (
        browser().get("/api/v1/organisations/Contoso/pools?month=2020-01", headers=headers).json()
    )
    assert earlier == {"pools": []}
    what = ("area", "licence", "description", "counter", "capability")
    assert [told[each] for each in what] == [
        *("NO", "MCOPSTN1", "Domestic Calling Plan", "domestic", "MCOPSTN1")
    ]
    seconds = ("total_seconds", "used_seconds", "held_seconds", "left_seconds", "users")
    assert [told[each] for each in seconds] == [72_000, 90, 60, 71_850, 1]

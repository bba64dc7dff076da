"""Sums and files of usage over the management API. Mirrors
src/talktime/console/api/usage_reports.py and usage_asked.py."""

import asyncio
import csv
import io
import json
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.test import Client

from talktime.console.accounts import create_admin
from talktime.console.api import usage_reports
from talktime.console.asgi import application
from talktime.core.limits import USAGE_DAYS_MAX
from talktime.store.usage_days import Sums
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in
from tests.console.test_usage import GERMANY, THEIRS, Calls

DEAR = GERMANY._replace(per_minute_micros=90_000)
NO_CALLS = {
    "calls": 0, "corrections": 0, "used_seconds": 0, "billed_seconds": 0, "included_seconds": 0,
    "charge": "0", "after_use": "0",
}  # fmt: skip
ONE = {**NO_CALLS, "calls": 1, "used_seconds": 61, "billed_seconds": 120, "charge": "0.05"}


@pytest.fixture
def calls(installation):
    """Two calls out of the desk, one to it, and one to an application, which is nobody's."""
    calls = Calls(installation)
    calls.call("a")
    calls.call("b")
    calls.call("c", type_="user_in")
    calls.call("bot", user_id=None, type_="ucap_in")
    return calls


def day_of(calls, before=0):
    at = datetime.fromtimestamp(calls.now_ms / 1000, UTC) - timedelta(days=before)
    return at.date().isoformat()


def days_of(calls):
    """The calls' own days: one, or two where the test runs at midnight."""
    return f"from_day={day_of(calls, 6)}&to_day={day_of(calls)}"


def ask(calls, path, query="", scopes=("read",)):
    """GET an address of usage, the organisation's last seven days."""
    headers = {"authorization": f"Bearer {calls.money.key(*scopes)}"}
    client = Client(SERVER_NAME="localhost", headers=headers)
    return client.get(f"/api/v1/organisations/Contoso/usage/{path}?{days_of(calls)}{query}")


def sums_of(calls, query=""):
    response = ask(calls, "sums", query)
    assert response.status_code == 200, response.content
    return response.json()


def test_sums_by_day_have_each_day_and_what_calls_out_and_in_come_to(calls):
    told = sums_of(calls)
    assert [row["key"] for row in told["sums"]] == [day_of(calls, n) for n in range(6, -1, -1)]
    assert told["total"] == {
        **NO_CALLS, "calls": 4, "used_seconds": 244, "billed_seconds": 480, "charge": "0.2",
    }  # fmt: skip
    assert (told["currency"], told["behind"], told["next"]) == ("USD", False, None)
    assert told["sums"][0]["total"] == NO_CALLS
    for part, number in (("outbound", 2), ("inbound", 2), ("total", 4)):
        assert sum(row[part]["calls"] for row in told["sums"]) == number


def test_sums_by_user_name_them_and_the_largest_comes_first(calls):
    calls.call("dear", user_id=32, rate=DEAR)
    desk, nobody = {"user": "desk@contoso.example"}, {"user": None, "display_name": None}
    told = sums_of(calls, "&by=user")
    assert [row["key"] for row in told["sums"]] == ["32", "31", ""]
    assert told["sums"][1] == {
        **desk, "key": "31", "display_name": "<Front> desk", "inbound": ONE,
        "outbound": {**ONE, "calls": 2, "used_seconds": 122, "billed_seconds": 240,
                     "charge": "0.1"},
        "total": {**ONE, "calls": 3, "used_seconds": 183, "billed_seconds": 360,
                  "charge": "0.15"},
    }  # fmt: skip
    assert told["sums"][2] == {**nobody, "key": "", "outbound": NO_CALLS, "inbound": ONE,
                               "total": ONE}  # fmt: skip
    by_calls = sums_of(calls, "&by=user&measure=calls")["sums"]
    assert [row["key"] for row in by_calls] == ["31", "", "32"]


def test_sums_by_country_and_capability_take_filters_and_those_by_user_none(calls):
    [germany] = sums_of(calls, "&by=country&type=user_out")["sums"]
    assert (germany["key"], germany["total"]["calls"], germany["user"]) == ("DE", 2, None)
    [found] = sums_of(calls, "&by=capability&user=desk@contoso.example")["sums"]
    assert (found["key"], found["total"]["calls"]) == ("MCOPSTNPP", 3)
    refused = ask(calls, "sums", "&by=user&type=user_out")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert ask(calls, "sums", "&user=nobody").json()["code"] == "unknown_user"


def test_the_pages_of_sums_have_each_row_once(calls):
    calls.call("dear", user_id=32, rate=DEAR)
    for by in ("user", "day", "country"):
        whole = sums_of(calls, f"&by={by}")["sums"]
        seen, path = [], f"sums?{days_of(calls)}&by={by}&limit=1"
        key = calls.money.key("read")
        client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
        path = f"/api/v1/organisations/Contoso/usage/{path}"
        while path:
            page = client.get(path).json()
            seen += page["sums"]
            path = page["next"]
            assert len(seen) <= len(whole)
        assert seen == whole
    assert ask(calls, "sums", "&cursor=evil").json()["code"] == "invalid_request"


@pytest.mark.parametrize("path", ["sums", "csv", "zip", "xlsx"])
def test_days_that_are_none_or_too_many_are_refused(calls, path):
    key = calls.money.key("read")
    client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
    for first, last, code in (
        ("2026-11-02", "2026-11-01", "invalid_value"),
        ("1969-12-31", "1970-01-01", "invalid_value"),
        ("2025-01-01", "2026-01-02", "range_too_long"),
        ("2026-11-01", "", "invalid_request"),
    ):
        query = f"from_day={first}&to_day={last}"
        response = client.get(f"/api/v1/organisations/Contoso/usage/{path}?{query}")
        assert response.json()["code"] == code, (first, last)
    assert USAGE_DAYS_MAX == 366


@pytest.mark.parametrize("path", ["sums", "csv", "zip", "xlsx"])
def test_days_of_more_than_a_year_ago_are_refused_as_in_the_console(calls, path):
    """R79."""
    key = calls.money.key("read")
    client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
    at = "/api/v1/organisations/Contoso"
    for before, status in ((USAGE_DAYS_MAX - 1, 200), (USAGE_DAYS_MAX + 1, 400)):
        query = f"from_day={day_of(calls, before)}&to_day={day_of(calls, before)}"
        for asked in (f"{at}/usage/{path}", f"{at}/usage", f"{at}/dial-out"):
            told = client.get(f"{asked}?{query}")
            assert told.status_code == status, (asked, before)
            assert status == 200 or told.json()["code"] == "range_too_long"


def test_records_are_found_by_their_conference(calls):
    calls.call("m", type_="conf_out", room="room 7")
    key = calls.money.key("read")
    client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
    at = f"/api/v1/organisations/Contoso/usage?{days_of(calls)}"
    found = client.get(f"{at}&conference_id=room+7").json()["usage"]
    assert [(row["callId"], row["conferenceId"]) for row in found] == [("m", "room 7")]
    assert client.get(f"{at}&conference_id=7").json()["usage"] == []
    assert client.get(f"{at}&conference_id={'7' * 65}").json()["code"] == "invalid_request"


def test_the_last_days_that_there_are_can_be_asked_for(calls):
    key = calls.money.key("read")
    client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
    query = "from_day=9999-12-30&to_day=9999-12-31"
    at = "/api/v1/organisations/Contoso"
    told = client.get(f"{at}/usage/sums?by=user&{query}")
    assert (told.status_code, told.json()["sums"]) == (200, [])
    assert client.get(f"{at}/dial-out?{query}").json() == {"organizers": []}


def test_a_programs_files_are_those_of_the_console(calls):
    create_admin(EMAIL, PASSWORD, calls.owner.id)
    admin = browser()
    sign_in(admin)
    page = f"/organisations/{calls.owner.id}/usage/export"
    for query in ("", "&type=user_in", f"&number=%2B{THEIRS[:9]}***"):
        asked = f"range=custom&first={day_of(calls, 6)}&last={day_of(calls)}{query}"
        theirs = admin.get(f"{page}/csv/?{asked}")
        ours = ask(calls, "csv", query)
        assert ours["Content-Type"] == theirs["Content-Type"] == "text/csv; charset=utf-8"
        assert ours["Content-Disposition"] == theirs["Content-Disposition"]
        assert b"".join(ours) == b"".join(theirs)
        book, their_book = ask(calls, "xlsx", query), admin.get(f"{page}/xlsx/?{asked}")
        assert book["Content-Type"] == their_book["Content-Type"]
        assert sheet_of(book) == sheet_of(their_book)
        zipped, their_zip = ask(calls, "zip", query), admin.get(f"{page}/zip/?{asked}")
        assert files_of(zipped) == files_of(their_zip)


def files_of(response):
    with zipfile.ZipFile(io.BytesIO(b"".join(response))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sheet_of(response):
    """All of a workbook but when it was made."""
    return {name: text for name, text in files_of(response).items() if "docProps" not in name}


def test_a_file_hides_what_the_report_hides_and_has_what_is_asked_for(calls):
    text = b"".join(ask(calls, "csv", "&type=user_out")).decode()
    lines = {line["Call ID"]: line for line in csv.DictReader(io.StringIO(text, newline=""))}
    assert set(lines) == {"a", "b"}
    assert lines["a"]["Destination Number"] == "+493012345***"
    assert THEIRS not in text
    parameters = json.loads(files_of(ask(calls, "zip", "&user=desk@contoso.example"))[
        "parameters.json"])  # fmt: skip
    assert parameters["user"] == "desk@contoso.example"


def test_records_are_found_by_a_number_with_its_hidden_digits(calls):
    found = ask(calls, "", f"&number=%2B{THEIRS[:9]}***")
    assert found.status_code == 404  # the list is at usage, without a slash
    key = calls.money.key("read")
    client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
    at = f"/api/v1/organisations/Contoso/usage?{days_of(calls)}"
    assert len(client.get(f"{at}&number=%2B{THEIRS[:9]}***").json()["usage"]) == 4
    assert client.get(f"{at}&number=%2B4930999").json()["usage"] == []
    assert client.get(f"{at}&number=none").json()["code"] == "invalid_request"


def test_a_file_is_streamed_under_asgi(calls):
    headers = {"authorization": f"Bearer {calls.money.key('read')}"}

    async def fetched():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as client:
            return await client.get(
                f"/api/v1/organisations/Contoso/usage/csv?{days_of(calls)}&type=user_in"
            )

    response = asyncio.run(fetched())
    assert (response.status_code, len(response.content.splitlines())) == (200, 2)


def test_more_than_a_file_takes_is_refused(calls):
    """The sums say how many records there are: a row is put among them."""
    today = calls.now_ms // 86_400_000
    with closing(calls.money.cell()) as cell, cell.transaction():
        cell.run(
            "INSERT INTO usage_day (organisation_id, day, user_id, country, context, capability, "
            "type, records, calls, used_s, billed_s, pool_s, charge_micros, post_micros) "
            "VALUES (?, ?, -1, 'DE', '', '', 'user_out', 200001, 0, 0, 0, 0, 0, 0)",
            [calls.owner.id, today],
        )
    refused = ask(calls, "xlsx")
    assert (refused.status_code, refused.json()["code"]) == (400, "range_too_long")
    assert "(200,000)" in refused.json()["detail"]
    assert ask(calls, "csv").status_code == 200


def test_what_is_largest_is_told_by_the_measure():
    parts = (Sums(calls=2, used_s=5, charge_micros=7), Sums(calls=1))
    ranks = {measure: usage_reports._rank("DE", parts, "country", measure)
             for measure in usage_reports.MEASURED}  # fmt: skip
    assert ranks == {"calls": (-3, "DE"), "minutes": (-5, "DE"), "charge": (-7, "DE")}

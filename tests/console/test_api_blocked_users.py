"""Calls, blocked users and dial-out from meetings as Graph lists them. Mirrors blocked_users.py,
usage.py and dial_out.py of src/talktime/console/api."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.test import Client

from tests.console.test_usage import Calls, switch_often
from tests.lively_books import FRANCE
from tests.many_usage import COPY_USAGE, FIRST_ID

DIAL_OUT = "callRecords/getPstnOnlineMeetingDialoutReport"
LOG, CALLS = "callRecords/getPstnBlockedUsersLog", "callRecords/getPstnCalls"
DAY_MS = 86_400_000
DESK = "desk@contoso.example"


@pytest.fixture
def calls(installation):
    return Calls(installation)


def client_of(calls, *scopes):
    headers = {"authorization": f"Bearer {calls.money.key(*scopes)}"}
    return Client(SERVER_NAME="localhost", headers=headers)


def put(calls, name, **fields):
    body = {"users": [{"name": name, **fields}]}
    path = "/api/v1/organisations/Contoso/users"
    response = client_of(calls, "users").post(path, body, "application/json")
    assert response.status_code == 200, response.content


def ask(calls, path):
    return client_of(calls, "read").get(f"/api/v1/organisations/Contoso/{path}")


def between(from_ms, to_ms):
    return f"(fromDateTime={_text(from_ms)},toDateTime={_text(to_ms)})"


def _text(at_ms):
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def test_who_was_blocked_is_a_log_as_graph_has_it(calls):
    """R84."""
    put(calls, DESK, active=False, reason="a lost telephone")
    put(calls, DESK, active=True)
    span = LOG + between(calls.now_ms, calls.now_ms + 600_000)
    told = ask(calls, span).json()
    assert (told["@odata.count"], "@odata.nextLink" in told) == (2, False)
    last, first = told["value"]
    assert (last["userBlockMode"], first["userBlockMode"]) == ("unblocked", "blocked")
    assert first["blockReason"] == "a lost telephone"
    assert last["blockReason"].startswith("Requested by ")
    assert (first["userPrincipalName"], first["userId"]) == (DESK, str(UUID(int=31)))
    assert first["blockDateTime"].endswith("0000Z")
    moment = datetime.fromisoformat(first["blockDateTime"])
    at_ms = int(moment.timestamp() * 1000)
    assert first in ask(calls, LOG + between(at_ms, at_ms)).json()["value"]
    assert ask(calls, LOG + between(at_ms - 60_000, at_ms - 1)).json()["value"] == []


def pages_of(calls, path):
    """The values of each page, to the last, which says of no other."""
    client, pages = client_of(calls, "read"), []
    path = f"/api/v1/organisations/Contoso/{path}"
    while path:
        page = client.get(path).json()
        assert page["@odata.count"] == len(page["value"])
        pages.append(page["value"])
        path = page.get("@odata.nextLink")
    return pages


def test_the_log_comes_in_pages_of_a_thousand(calls):
    """R80, R84."""
    with closing(calls.money.cell()) as cell, cell.transaction():
        switch_often(cell, calls.owner.id, calls.now_ms, 1_001)
    first, last = pages_of(calls, LOG + between(calls.now_ms - DAY_MS, calls.now_ms))
    assert (len(first), len(last)) == (1_000, 1)
    assert [row["remediationId"] for row in first + last] == [str(n) for n in range(1_001, 0, -1)]


@pytest.mark.parametrize("what", [LOG, CALLS])
def test_more_than_90_days_of_a_log_are_refused(calls, what):
    """R79."""
    from_ms = calls.now_ms - 90 * DAY_MS
    assert ask(calls, what + between(from_ms, calls.now_ms)).json()["value"] == []
    refused = ask(calls, what + between(from_ms - 1, calls.now_ms))
    assert (refused.status_code, refused.json()["code"]) == (400, "range_too_long")
    assert ask(calls, what + between(calls.now_ms, calls.now_ms - 1)).status_code == 422


def test_calls_are_listed_as_graph_does_both_ends_included_page_by_page(calls):
    """R79, R80."""
    for key, used_s in (("a", 61), ("b", 60), ("c", 60), ("d", 59)):
        calls.call(key, used_s=used_s)
    began_ms = calls.now_ms - 61_000
    whole = ask(calls, CALLS + between(began_ms, began_ms + 2_000)).json()
    found = [row["callId"] for row in whole["value"]]
    assert (found[0], set(found[1:3]), found[3]) == ("d", {"b", "c"}, "a")
    assert (whole["@odata.count"], "@odata.nextLink" in whole) == (4, False)
    within = ask(calls, CALLS + between(began_ms + 1, began_ms + 1_999)).json()
    assert within["value"] == whole["value"][1:3]


def test_calls_come_in_pages_of_a_thousand_in_one_order(calls):
    """R80."""
    calls.call("a")
    with closing(calls.money.cell()) as cell, cell.transaction():
        cell.run(COPY_USAGE, [1_000, FIRST_ID, calls.usage_id("a")])
    first, last = pages_of(calls, CALLS + between(calls.now_ms - DAY_MS, calls.now_ms))
    assert (len(first), len(last)) == (1_000, 1)
    ids = [int(row["usageId"]) for row in first + last]
    assert ids == sorted(set(ids), reverse=True)


def days(first, last):
    return f"(fromDateTime={first:%Y-%m-%d},toDateTime={last:%Y-%m-%d})"


def test_what_meetings_called_is_summed_by_organizer_as_graph_has_it(calls):
    """R83: the fees are in the charge; what others and other kinds of calls cost is not."""
    today = datetime.fromtimestamp(calls.now_ms / 1000, UTC)
    span = DIAL_OUT + days(today - timedelta(days=1), today)
    assert ask(calls, span).json() == {"@odata.count": 0, "value": []}
    calls.call("m1", user_id=32, type_="conf_out", rate=FRANCE)
    calls.call("m2", user_id=32, type_="conf_out", used_s=30, rate=FRANCE)
    calls.call("m3", user_id=31, type_="conf_out")
    calls.call("a", user_id=32)
    told = ask(calls, span).json()
    assert (told["@odata.count"], [row["userId"] for row in told["value"]]) == (
        2,
        [str(UUID(int=31)), str(UUID(int=32))],
    )
    exact = Decimal(66 * 21_000 // 60 + 30 * 21_000 // 60 + 2 * 5_000) / 1_000_000
    assert told["value"][1] == {
        "currency": "USD",
        "destinationContext": "International",
        "totalCallCharge": 0.04,
        "totalCalls": 2,
        "totalCallSeconds": 91,
        "usageLocation": "NO",
        "userDisplayName": "Boardroom Oslo",
        "userId": str(UUID(int=32)),
        "userPrincipalName": "board@contoso.example",
        "exactTotalCallCharge": str(exact),
    }
    before = DIAL_OUT + days(today - timedelta(days=9), today - timedelta(days=8))
    assert ask(calls, before).json()["value"] == []


def test_the_organizers_come_in_pages_of_a_thousand_in_one_order(calls):
    """R80, R83."""
    for n in range(1_001):
        calls.call(f"m{n}", user_id=1_000 + n, type_="conf_out")
    today = datetime.fromtimestamp(calls.now_ms / 1000, UTC)
    span = DIAL_OUT + days(today - timedelta(days=1), today)
    first, last = pages_of(calls, span)
    assert (len(first), len(last)) == (1_000, 1)
    assert {row["totalCalls"] for row in first + last} == {1}


def test_more_than_a_year_of_dial_out_is_refused(calls):
    """R79."""
    today = datetime.fromtimestamp(calls.now_ms / 1000, UTC)
    assert ask(calls, DIAL_OUT + days(today - timedelta(days=365), today)).status_code == 200
    refused = ask(calls, DIAL_OUT + days(today - timedelta(days=366), today))
    assert (refused.status_code, refused.json()["code"]) == (400, "range_too_long")
    assert ask(calls, DIAL_OUT + days(today, today - timedelta(days=1))).status_code == 422

"""Numbers, running calls, tests that are sent and simulations over the management API. Mirrors
src/talktime/console/api."""

from contextlib import closing

import pytest
from django.test import Client

from talktime.clock import now_ms
from talktime.console.api.shapes import moment_ms
from talktime.core.commands import EndCall
from talktime.operations.csv_rows import RowErrors
from talktime.operations.users import UserRow, put_users
from tests.console.money import Money
from tests.lively_books import Player
from tests.people import CATALOGUE, change

DESK, NIGHT = "front-desk@contoso.example", "night-desk@contoso.example"
NUMBER = "+14255550100"
AT = "/api/v1/organisations/Contoso"


@pytest.fixture
def money(installation):
    money = Money(installation)
    rows = [change(name, "MCOEV MCOPSTN1 MCOPSTNC") for name in (DESK, NIGHT)]
    with closing(money.cell()) as cell, cell.transaction():
        put_users(
            *(cell, money.owner, [UserRow(at, row) for at, row in enumerate(rows)], RowErrors()),
            catalogue=CATALOGUE,
            next_id=money.ids,
        )
    return money


@pytest.fixture
def api(money):
    def ask(method, path, body=None, scopes=("read", "users", "notices", "billing", "operator")):
        headers = {"authorization": f"Bearer {money.key(*scopes)}"}
        client = Client(SERVER_NAME="localhost", headers=headers)
        answer = client.generic(
            method, AT + path, "" if body is None else body, content_type="application/json"
        )
        return answer.status_code, answer.json()

    return ask


def test_a_number_is_assigned_given_taken_and_released(api):
    status, made = api("POST", "/numbers", f'{{"number": "{NUMBER}", "user": "{DESK}"}}')
    assert (status, made["number"], made["user"], made["kind"]) == (200, NUMBER, DESK, "user")
    assert api("GET", "/numbers")[1]["numbers"] == [made]
    again = api("POST", "/numbers", f'{{"number": "{NUMBER}", "user": "{DESK}"}}')
    assert again == (200, made)
    status, refused = api("POST", "/numbers", f'{{"number": "{NUMBER}"}}')
    assert (status, refused["code"]) == (409, "already_exists")
    status, refused = api("PUT", f"/numbers/{NUMBER}/user", f'{{"user": "{NIGHT}"}}')
    assert (status, refused["code"]) == (409, "already_exists")
    assert api("DELETE", f"/numbers/{NUMBER}/user/{NIGHT}")[1]["code"] == "unknown_number"
    assert api("DELETE", f"/numbers/{NUMBER}/user/{DESK}")[1]["user"] is None
    assert api("PUT", f"/numbers/{NUMBER}/user", f'{{"user": "{NIGHT}"}}')[1]["user"] == NIGHT
    assert api("DELETE", f"/numbers/{NUMBER}")[1]["active"] is False
    assert api("GET", "/numbers")[1] == {"numbers": [], "next": None}


def test_a_number_is_reserved_for_ten_minutes_by_the_operator_alone(api, money):
    """R90."""
    kept = f"/numbers/{NUMBER}/reservation"
    assert api("PUT", kept, "{}", ("read", "users"))[1]["code"] == "scope_missing"
    before_ms = now_ms()
    status, made = api("PUT", kept, '{"kind": "toll"}')
    assert (status, made["number"], made["kind"]) == (200, NUMBER, "toll")
    assert 599_000 < moment_ms(made["until"]) - before_ms < 660_000
    assert api("PUT", kept, '{"kind": "toll"}')[1] == made
    assert api("GET", "/numbers/reservations?kind=toll")[1] == {"reservations": [made]}
    assert api("GET", "/numbers/reservations")[1] == {"reservations": []}
    assert api("GET", "/numbers/quotas", None, ("read",))[1] == {
        "quotas": [
            {"kind": "user", "taken": 0, "allowed": 12},
            {"kind": "toll", "taken": 1, "allowed": 5},
            {"kind": "toll_free", "taken": 0, "allowed": 5},
        ]
    }
    assert api("DELETE", kept, None, ("read", "users"))[1]["code"] == "scope_missing"
    status, ended = api("DELETE", kept)
    assert (status, ended["number"], ended["kind"]) == (200, NUMBER, "toll")
    assert moment_ms(ended["until"]) <= now_ms()
    assert api("GET", "/numbers/reservations?kind=toll")[1] == {"reservations": []}
    assert api("DELETE", kept)[1]["code"] == "unknown_number"
    status, refused = api("PUT", "/numbers/+18005550199/reservation", '{"kind": "toll_free"}')
    assert (status, refused["code"]) == (409, "never_funded")
    assert api("POST", "/numbers", f'{{"number": "{NUMBER}", "kind": "toll"}}')[0] == 200
    assert api("PUT", kept, "{}")[1]["code"] == "already_exists"


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/numbers", '{"number": "nobody"}', "invalid_number"),
        ("POST", "/numbers", f'{{"number": "{NUMBER}", "user": "gone"}}', "unknown_user"),
        ("POST", "/numbers", f'{{"number": "{NUMBER}", "kind": "toll_free"}}', "invalid_value"),
        ("DELETE", f"/numbers/{NUMBER}", None, "unknown_number"),
        ("PUT", f"/numbers/{NUMBER}/attached", '{"attached": "bridge"}', "unknown_number"),
    ],
)
def test_a_number_that_cannot_be_is_refused(api, method, path, body, code):
    assert api(method, path, body)[1]["code"] == code
    assert api("GET", "/numbers")[1]["numbers"] == []


def test_only_the_operator_assigns_numbers(api):
    own = ("read", "users")
    assert api("POST", "/numbers", f'{{"number": "{NUMBER}"}}', own)[1]["code"] == "scope_missing"
    assert api("DELETE", f"/numbers/{NUMBER}", None, own)[1]["code"] == "scope_missing"


def test_running_calls_are_listed_in_pages_with_what_they_cost(api, money):
    with closing(money.cell()) as cell:
        player = Player(cell, now_ms() - 61_000)
        player.fund(money.owner.id, 10_000_000)
        player.authorize(money.owner.id, "a")
        player.answer("a")
        player.wait(1)
        player.authorize(money.owner.id, "b")
        player.do(EndCall(1, "b", money.owner.id, "user_inactive"))
    first = api("GET", "/calls/running?limit=1")[1]
    [call] = first["calls"]
    told = ("call_id", "to", "destination", "cost_so_far", "held", "is_to_end")
    assert [call[name] for name in told] == ["a", "+4930123456", "Germany", "0.03", "0.075", None]
    second = api("GET", first["next"].removeprefix(AT))[1]
    assert [(c["call_id"], c["is_to_end"], c["talked_seconds"]) for c in second["calls"]] == [
        ("b", "user_inactive", None)
    ]


def test_what_meetings_called_is_summed_by_organizer(api):
    assert api("GET", "/dial-out?from_day=2026-11-01&to_day=2026-11-30")[1] == {"organizers": []}
    status, refused = api("GET", "/dial-out?from_day=2026-11-30&to_day=2026-11-01")
    assert (status, refused["code"]) == (422, "invalid_value")
    status, refused = api("GET", "/dial-out?from_day=2020-11-30&to_day=2026-11-01")
    assert (status, refused["code"]) == (400, "range_too_long")


def test_settings_of_auto_recharge_are_tried_on_what_was_used(api, money):
    with closing(money.cell()) as cell:
        player = Player(cell, now_ms() - 2 * 86_400_000)
        player.fund(money.owner.id, 200_000_000)
        for name in ("a", "b"):
            player.call(money.owner.id, name, 300)
    plan = '{"trigger": "0.10", "amount": "100"}'
    status, tried = api("POST", "/recharge/simulation", plan)
    assert status == 200
    assert (tried["days"], tried["spent"]) == (28, "0.15")
    assert (tried["charges"], tried["total"]) == (["100"], "100")
    for amount, code in (
        ("0", "amount_out_of_bounds"),
        ("-100", "amount_out_of_bounds"),
        ("49", "amount_out_of_bounds"),
        ("100.001", "invalid_value"),
    ):
        plan = f'{{"trigger": "0.10", "amount": "{amount}"}}'
        status, refused = api("POST", "/recharge/simulation", plan)
        assert (status, refused["code"]) == (422, code)
    assert api("GET", "/recharge")[1]["enabled"] is False


def test_a_test_is_sent_to_a_recipient_once_a_minute(api):
    mail = "billing@contoso.example"
    assert api("POST", f"/recipients/{mail}/test")[1]["code"] == "unknown_recipient"
    api("POST", "/recipients", f'{{"email": "{mail}", "roles": ["billing"]}}')
    status, sent = api("POST", f"/recipients/{mail}/test")
    assert (status, sent["channel"], sent["target"], sent["state"]) == (200, "mail", mail, "due")
    assert api("POST", f"/recipients/{mail}/test")[0] == 422
    assert api("POST", "/webhooks/7/test")[1]["code"] == "unknown_endpoint"

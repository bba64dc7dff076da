"""Users in bulk over HTTP. Mirrors src/talktime/console/api."""

import asyncio
import json
import re
from contextlib import closing
from dataclasses import replace
from itertools import count

import httpx
import pytest
from django.test import Client

from talktime.clock import now_ms
from talktime.console.api.throttle import strangers, throttle
from talktime.console.asgi import application
from talktime.console.databases import set_up
from talktime.core.keys import SWITCH_SCOPES
from talktime.core.limits import CONSOLE_BODY_BYTES_MAX
from talktime.operations.keys import create_key, create_switch, revoke_key
from talktime.operations.organisations import create_organisation
from talktime.store.database import connect
from tests.contents import cell_contents
from tests.people import NOW_MS

PATH = "/api/v1/organisations/Contoso/users"
LICENCES = ["MCOEV", "MCOPSTN_PAYG_1", "MCOPSTNC"]
MANY = json.dumps({"users": [{"name": "a"}] * 10_001})
SECRETS = count(1)


@pytest.fixture
def control(installation):
    with closing(connect(installation.control_plane)) as connection:
        yield connection


@pytest.fixture
def cell(installation):
    with closing(connect(installation.cells["main"])) as connection:
        yield connection


@pytest.fixture
def key(control, cell):
    """Make a key of these scopes; the organisation is there."""
    ids = count(100).__next__
    create_organisation(
        *(control, {"main": cell}), name="Contoso", cell="main", currency="USD", time_zone="UTC",
        country="US", rate_card="standard", now_ms=NOW_MS, next_id=ids,
    )  # fmt: skip
    with control.transaction():
        switch = create_switch(
            control, name="Provisioning", operator="Contoso", now_ms=NOW_MS, next_id=ids
        )

    def key(*scopes):
        with control.transaction():
            return create_key(
                *(control, switch if set(scopes) <= set(SWITCH_SCOPES) else None),
                name="main", scopes=scopes, now_ms=NOW_MS, next_id=ids,
                entropy=next(SECRETS).to_bytes(32, "big"),
            )  # fmt: skip

    return key


@pytest.fixture
def api(key):
    """A client with a key for users."""
    return Client(
        SERVER_NAME="localhost",
        enforce_csrf_checks=True,
        headers={"authorization": f"Bearer {key('users').text}"},
    )


def post(api, users, path=PATH, **more):
    body = json.dumps({"users": users, **more})
    return api.post(path, body, content_type="application/json")


def refused(response, status, code):
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    return body


def test_users_are_made_changed_and_listed(api):
    desk = {"name": "Front-Desk", "licences": LICENCES, "spend_limit": "25.50"}
    response = post(api, [desk, {"name": "lobby", "display_name": "Lobby"}])
    assert response.status_code == 200
    assert response.json() == {"created": 2, "changed": 0, "unchanged": 0, "dry_run": False}
    changed = post(api, [{"name": "lobby", "active": False}, {"name": "front-desk"}])
    assert changed.json() == {"created": 0, "changed": 1, "unchanged": 1, "dry_run": False}
    page = api.get(PATH).json()
    assert page["next"] is None
    first, second = page["users"]
    assert (first["name"], first["licences"], first["spend_limit"]) == (
        *("front-desk", sorted(LICENCES)),
        "25.5",
    )
    assert (second["name"], second["display_name"], second["active"]) == ("lobby", "Lobby", False)
    post(api, [{"name": "front-desk", "spend_limit": None}])
    assert api.get(PATH).json()["users"][0]["spend_limit"] is None


def test_pages_lead_to_each_other_until_the_last(api):
    post(api, [{"name": name} for name in ("a+b@x.example", "c", "d")])
    page = api.get(f"{PATH}?limit=2").json()
    assert [user["name"] for user in page["users"]] == ["a+b@x.example", "c"]
    assert page["next"] == f"{PATH}?limit=2&cursor=c"
    last = api.get(page["next"]).json()
    assert ([user["name"] for user in last["users"]], last["next"]) == (["d"], None)
    assert api.get(f"{PATH}?limit=1").json()["next"] == f"{PATH}?limit=1&cursor=a%2Bb%40x.example"


def test_a_dry_run_tells_and_writes_nothing(api, cell):
    before = cell_contents(cell)
    assert post(api, [{"name": "a"}], dry_run=True).json()["created"] == 1
    assert cell_contents(cell) == before


def test_one_bad_user_keeps_all_out_and_is_named_by_its_place(api, cell):
    before = cell_contents(cell)
    users = [
        {"name": "good"},
        {"name": "a", "licences": ["MCOPSTNC"]},
        {"name": "b", "spend_limit": "much"},
        {"name": "GOOD"},
    ]
    body = refused(post(api, users), 422, "users_not_possible")
    assert body["detail"] == "3 rows are wrong; nothing has changed"
    assert (body["count"], body["who"]) == (3, "organisation admin")
    assert [error["index"] for error in body["errors"]] == [1, 2, 3]
    assert body["errors"][0]["reason"].startswith("MCOPSTNC (Communications Credits) needs")
    assert body["errors"][1]["reason"] == "spend_limit: 'much' is not a decimal number such as 12.5"
    assert body["errors"][2]["reason"] == "name: good stands already on line 0"
    assert cell_contents(cell) == before


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("", "the body: is missing"),
        ("[]", "the body: must be an object"),
        ('{"users":[]}', "/users: List should have at least 1 item"),
        ('{"users":[{"name":1}]}', "/users/0/name: must be a valid string"),
        ('{"users":[{"name":"a","size":1}]}', "/users/0/size: is no known field"),
        ('{"users":[{"display_name":"a"}]}', "/users/0/name: is missing"),
        (MANY, "/users: List should have at most 10000 items"),
    ],
)
def test_a_body_that_is_no_list_of_users_is_refused_and_nothing_changes(api, cell, body, detail):
    before = cell_contents(cell)
    response = api.post(PATH, body, content_type="application/json")
    assert refused(response, 422, "invalid_request")["detail"].startswith(detail)
    assert cell_contents(cell) == before


def over_the_port(key, body):
    """POST users as the process that serves gets them."""

    async def post():
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
            return await client.post(PATH, content=body, headers=headers)

    return asyncio.run(post())


def test_a_body_is_taken_up_to_its_bound_and_refused_above(key, cell):
    secret = key("users").text
    body = b'{"users":[{"name":"a"}]}'
    before = cell_contents(cell)
    response = over_the_port(secret, body.ljust(CONSOLE_BODY_BYTES_MAX + 1))
    refused(response, 413, "body_too_large")
    assert cell_contents(cell) == before
    taken = over_the_port(secret, body.ljust(CONSOLE_BODY_BYTES_MAX))
    assert (taken.status_code, taken.json()["created"]) == (200, 1)


def test_a_request_without_a_key_for_users_is_refused(api, key, control, cell):
    before = cell_contents(cell)
    revoked = key("users")
    with control.transaction():
        revoke_key(control, revoked.key.id, now_ms=NOW_MS - 10**12)
    for sent in ("", "Basic x", "Bearer", f"Bearer {'x' * 43}", f"Bearer {revoked.text}"):
        response = Client(SERVER_NAME="localhost", headers={"authorization": sent}).get(PATH)
        refused(response, 401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    switch = {"authorization": f"Bearer {key('calls', 'quotes').text}"}
    client = Client(SERVER_NAME="localhost", headers=switch)
    body = refused(post(client, [{"name": "a"}]), 403, "scope_missing")
    assert body["detail"] == "the key lacks the scope 'users'"
    assert cell_contents(cell) == before


def test_an_organisation_that_is_not_there_and_other_methods_are_refused(api):
    refused(api.get(PATH.replace("Contoso", "Fabrikam")), 404, "unknown_organisation")
    refused(api.delete(PATH), 405, "method_not_allowed")
    for path in ("openapi.json", "docs", "payment-events/stripe"):
        response = api.delete(f"/api/v1/{path}")
        refused(response, 405, "method_not_allowed")
        assert response.headers["Allow"]
    for limit in ("0", "1001", "many", "-1", "9" * 99):
        refused(api.get(f"{PATH}?limit={limit}"), 422, "invalid_request")


def test_a_query_that_an_address_does_not_take_is_refused_not_passed_over(api):
    """A misspelt filter would give all rows, as if they were those asked for."""
    body = refused(api.get(f"{PATH}?limit=5&licence=MCOEV&x=1"), 422, "invalid_request")
    assert body["errors"] == [
        {"in": "query", "path": "/licence", "reason": "is no known parameter"},
        {"in": "query", "path": "/x", "reason": "is no known parameter"},
    ]
    body = refused(api.get(f"{PATH}?limit=5&limit=6"), 422, "invalid_request")
    assert body["detail"] == "/limit: is given more than once"
    assert refused(api.post(f"{PATH}?dry_run=1"), 422, "invalid_request")["detail"].startswith(
        "/dry_run"
    )
    refused(Client(SERVER_NAME="localhost").get(f"{PATH}?x=1"), 401, "unauthorized")


def test_every_address_says_which_methods_it_takes_and_takes_head_with_get(api):
    answer = api.options(PATH)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert api.delete(PATH).headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert api.options("/api/v1/organisations/Contoso/rules").headers["Allow"] == "PATCH, OPTIONS"
    refused(api.head("/api/v1/organisations/Contoso/rules"), 405, "method_not_allowed")
    asked, got = api.head(PATH), api.get(PATH)
    assert (asked.status_code, asked.headers["Content-Type"]) == (200, got.headers["Content-Type"])
    assert asked.headers["Content-Length"] == got.headers["Content-Length"]


@pytest.mark.parametrize("name", ["Contoso%07", "%07", "%ED%A0%80"])
def test_what_no_organisation_can_be_named_is_unknown(api, name):
    refused(api.get(f"/api/v1/organisations/{name}/users"), 404, "unknown_organisation")


def test_a_page_begins_after_what_a_user_can_be_named(api):
    for after in ("%07", "a%07", "%0A"):
        body = refused(api.get(f"{PATH}?cursor={after}"), 422, "invalid_request")
        assert body["detail"] == "the cursor is none of this list"


def test_a_name_with_a_nul_is_refused_as_a_bad_row(api, cell):
    before = cell_contents(cell)
    body = refused(post(api, [{"name": "good"}, {"name": "a\0b"}]), 422, "users_not_possible")
    [error] = body["errors"]
    assert error["index"] == 1
    assert error["reason"].startswith("the user's name must be 1 to 128 printable characters")
    assert cell_contents(cell) == before


@pytest.mark.parametrize(
    "path", [f"{PATH}/", "/api/v1/organisations/a%2Fb/users", "/api/v1/", "/api/v2/x", "/api/"]
)
def test_an_address_that_is_none_is_answered_as_a_problem(api, path):
    refused(api.get(path), 404, "not_found")
    refused(post(api, [{"name": "a"}], path), 404, "not_found")


def test_a_database_that_is_away_is_said_to_be(api, installation):
    cell = installation.cells["main"]
    set_up(replace(installation, cells={"main": elsewhere(cell)}))
    response = api.get(PATH)
    refused(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "2"
    set_up(replace(installation, cells={"other": cell}))
    refused(api.get(PATH), 503, "unavailable")
    set_up(replace(installation, control_plane=elsewhere(installation.control_plane)))
    refused(api.get(PATH), 503, "unavailable")


def elsewhere(address):
    """The address of a database that is not there."""
    if address.path is not None:
        return replace(address, path=address.path.with_name("gone.sqlite3"))
    return replace(address, url=re.sub(r":\d+/", ":1/", address.url))


def test_unknown_keys_of_an_address_are_slowed_down_and_known_ones_are_not(key):
    here = {"SERVER_NAME": "localhost", "REMOTE_ADDR": "192.0.2.9"}
    known = Client(**here, headers={"authorization": f"Bearer {key('users').text}"})
    guess = Client(**here, headers={"authorization": "Bearer tt_guess"})
    assert (known.get(PATH).status_code, guess.get(PATH).status_code) == (200, 401)
    while strangers.takes("192.0.2.9", now_ms() + 60_000):
        pass
    refused(guess.get(PATH), 429, "too_many_requests")
    assert known.get(PATH).status_code == 200


def test_a_key_without_the_scope_is_slowed_down_as_any(key):
    made = key("calls")
    headers = {"authorization": f"Bearer {made.text}"}
    client = Client(SERVER_NAME="localhost", headers=headers)
    refused(client.get(PATH), 403, "scope_missing")
    while throttle.takes(made.key.id, now_ms() + 60_000):
        pass
    refused(client.get(PATH), 429, "too_many_requests")

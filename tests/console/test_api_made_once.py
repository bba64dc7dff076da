"""Switches, keys, peers, agreements, cards being added and webhooks' secrets are made once for a
key of the request's. Mirrors src/talktime/console/api."""

import json
from contextlib import closing

import pytest

from talktime.console.accounts import create_admin
from talktime.console.api.document import operations
from talktime.console.cell.models import CardSetup, PaymentMethod, WebhookEndpoint
from talktime.console.cell.models import Creation as CellCreation
from talktime.console.control_plane.models import AccountMail, ApiKey, Creation, Peer, Switch
from talktime.operations.organisations import create_organisation
from tests.console.money import Money
from tests.console.rows import CELL
from tests.console.test_api_money import BASE, client_of, refused, send

SWITCHES = "/api/v1/switches"
RADIUS = {"protocol": "radius", "name": "nas-1", "addresses": ["192.0.2.7"]}
HOOK = {"url": "https://hooks.contoso.example/talktime"}
# Address, a body, another body, and the field that is shown once.
MAKES = {
    "/switches": ({"name": "Oslo 1", "operator": "a"}, {"name": "Oslo 2", "operator": "a"}, ""),
    "/switches/{int:switch_id}/keys": ({"name": "main"}, {"name": "other"}, "key"),
    "/switches/{int:switch_id}/keys/{int:key_id}/rotate": (
        *({"keep_hours": 1}, {"keep_hours": 2}, "key"),
    ),
    "/switches/{int:switch_id}/peers": (
        RADIUS,
        {**RADIUS, "name": "nas-2", "addresses": ["192.0.2.8"]},
        "secret",
    ),
    "/keys": ({"name": "a", "scopes": ["read"]}, {"name": "b", "scopes": ["read"]}, "key"),
    "/keys/{int:key_id}/rotate": ({"keep_hours": 1}, {"keep_hours": 2}, "key"),
    "/payment-methods": ({"agreement": "EA-1"}, {"agreement": "EA-2"}, ""),
    "/payment-methods/cards": ({"return_url": "/a"}, {"return_url": "/b"}, ""),
    "/webhooks/{int:webhook_id}/rotate": (None, {}, "secret"),
}


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def api(money):
    return client_of(money.key("operator", "notices", "billing"))


@pytest.fixture
def north(api):
    """The address of a switch."""
    made = ask(api, SWITCHES, {"name": "North", "operator": "Contoso Voice"})
    return f"{SWITCHES}/{made.json()['switch_id']}"


@pytest.fixture
def ready(api, north):
    """An address at which a request can be made."""

    def ready(path):
        if path.startswith("/payment-methods"):
            return BASE + path
        if path.startswith("/webhooks/"):
            return rotation(api)
        keys = f"{north}/keys" if path.startswith("/switches/") else f"{BASE}/keys"
        if "{int:key_id}" in path:
            body = {"name": "old"} if path.startswith("/switches/") else MAKES["/keys"][0]
            return f"{keys}/{ask(api, keys, body).json()['key_id']}/rotate"
        if path.startswith("/switches/"):
            return north + path.partition("}")[2]
        return SWITCHES if path == "/switches" else keys

    return ready


def ask(api, at, body, key=None):
    headers = {} if key is None else {"idempotency-key": key}
    text = "" if body is None else json.dumps(body)
    return api.generic("POST", at, text, content_type="application/json", headers=headers)


def rotation(api, body=HOOK):
    """Where the secret of a new webhook is rotated."""
    made = ask(api, f"{BASE}/webhooks", body).json()
    return f"{BASE}/webhooks/{made['webhook_id']}/rotate"


def made_so_far():
    """How many of each there are, what was mailed of them, and the sealed secrets of webhooks."""
    counts = [each.objects.count() for each in (Switch, ApiKey, Peer, AccountMail)]
    hooks = WebhookEndpoint.objects.using(CELL).values_list("secret", "old_secret", "old_until_ms")
    counts += [each.objects.using(CELL).count() for each in (PaymentMethod, CardSetup)]
    return [*counts, *hooks.order_by("id")]


def kept_answers():
    """What is kept of the requests that had a key."""
    kept = [*Creation.objects.all(), *CellCreation.objects.using(CELL)]
    return [each.answer for each in kept]


def test_all_that_may_have_a_key_is_walked_here():
    found = {
        address.removeprefix("/api/v1").removeprefix("/organisations/{organisation}")
        for _, address, _, told in operations()
        if told.makes
    }
    assert found == {path.replace("{int:", "{") for path in MAKES}


@pytest.mark.parametrize("path", MAKES)
def test_the_same_again_makes_nothing_and_does_not_tell_the_secret(api, money, ready, path):
    create_admin("owner@contoso.example", "seven green bottles", money.owner.id)
    body, other, secret = MAKES[path]
    at = ready(path)
    done = ask(api, at, body, "key 1")
    assert (done.status_code, done.json()["replayed"]) == (200, False)
    after = made_so_far()
    again = ask(api, at, body, "key 1")
    hidden = {secret: None} if secret else {}
    assert (again.status_code, again.json()) == (200, {**done.json(), **hidden, "replayed": True})
    refused(ask(api, at, other, "key 1"), 409, "idempotency_key_reused")
    assert made_so_far() == after
    if secret:
        assert done.json()[secret]
        [answer] = kept_answers()
        assert done.json()[secret] not in answer


@pytest.mark.parametrize("path", MAKES)
def test_without_a_key_it_is_made_each_time_it_can_be(api, ready, path):
    body, other, secret = MAKES[path]
    at = ready(path)
    first = ask(api, at, body)
    # Names of switches and peers are taken once.
    second = ask(api, at, body if secret == "key" else other)
    for done in (first, second):
        assert (done.status_code, done.json()["replayed"]) == (200, False)
        assert not secret or done.json()[secret]
    assert kept_answers() == []


@pytest.mark.parametrize("path", MAKES)
@pytest.mark.parametrize("key", ["", "k" * 201])
def test_with_what_is_no_key_nothing_is_made(api, ready, path, key):
    at = ready(path)
    before = made_so_far()
    refused(ask(api, at, MAKES[path][0], key), 422, "invalid_value")
    assert made_so_far() == before


def test_a_refused_request_leaves_its_key_free(api, north):
    taken = {"name": "North", "operator": "a"}
    refused(ask(api, SWITCHES, taken, "key 1"), 409, "already_exists")
    assert ask(api, SWITCHES, {**taken, "name": "South"}, "key 1").status_code == 200


def test_a_key_is_of_one_address_and_one_owner(api, north):
    assert ask(api, f"{north}/keys", {"name": "main"}, "key 1").status_code == 200
    refused(ask(api, f"{north}/peers", RADIUS, "key 1"), 409, "idempotency_key_reused")
    assert ask(api, f"{BASE}/keys", MAKES["/keys"][0], "key 1").status_code == 200


def test_a_key_whose_text_was_lost_is_replaced_at_once(api, north):
    ask(api, f"{north}/keys", {"name": "main"}, "key 1")
    lost = ask(api, f"{north}/keys", {"name": "main"}, "key 1").json()
    at = f"{north}/keys/{lost['key_id']}/rotate"
    new = ask(api, at, {"keep_hours": 0}, "key 2").json()
    assert new["key"]
    states = {each["key_id"]: each["state"] for each in api.get(f"{north}/keys").json()["keys"]}
    assert states == {lost["key_id"]: "expired", new["key_id"]: "usable"}


def test_a_peer_whose_secret_was_lost_is_revoked_and_made_again(api, north):
    ask(api, f"{north}/peers", RADIUS, "key 1")
    lost = ask(api, f"{north}/peers", RADIUS, "key 1").json()
    api.post(f"{north}/peers/{lost['peer_id']}/revoke")
    assert ask(api, f"{north}/peers", RADIUS, "key 2").json()["secret"]


def test_a_secret_of_ones_own_is_compared_and_nowhere_kept(api, north):
    mine = {**RADIUS, "secret": "a-secret-of-my-own"}
    assert ask(api, f"{north}/peers", mine, "key 1").status_code == 200
    assert ask(api, f"{north}/peers", mine, "key 1").json()["replayed"] is True
    other = {**mine, "secret": "another-of-my-own"}
    refused(ask(api, f"{north}/peers", other, "key 1"), 409, "idempotency_key_reused")
    [answer] = kept_answers()
    assert "my-own" not in answer


def test_a_webhooks_secret_that_was_lost_is_replaced_by_the_next(api):
    at, other = rotation(api), rotation(api, {"url": "https://other.contoso.example/talktime"})
    first = ask(api, at, None, "key 1").json()["secret"]
    before = made_so_far()
    assert ask(api, at, None, "key 1").json()["secret"] is None
    refused(ask(api, other, None, "key 1"), 409, "idempotency_key_reused")
    assert made_so_far() == before
    assert ask(api, at, None, "key 2").json()["secret"] not in (None, first)


def test_an_agreement_of_another_organisation_may_have_the_same_key(api, money):
    with closing(money.control()) as control, closing(money.cell()) as cell:
        create_organisation(
            *(control, {"main": cell}), name="Fabrikam", cell="main", currency="USD",
            time_zone="UTC", country="US", rate_card="standard", now_ms=money.now_ms,
            next_id=money.ids,
        )  # fmt: skip
    places = [BASE, "/api/v1/organisations/Fabrikam"]
    made = [ask(api, f"{at}/payment-methods", {"agreement": "E"}, "key 1").json() for at in places]
    assert [each["replayed"] for each in made] == [False, False]
    assert made[0]["method_id"] != made[1]["method_id"]


def test_what_moves_money_has_keys_of_its_own(api, north):
    assert ask(api, f"{BASE}/keys", MAKES["/keys"][0], "key 1").status_code == 200
    assert ask(api, f"{BASE}/payment-methods", {"agreement": "E"}, "key 1").status_code == 200
    grant = {"amount": "5", "reason": "goodwill"}
    assert send(api, "POST", "/grants", grant, "key 1").status_code == 200

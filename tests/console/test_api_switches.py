"""Switches, their keys and peers over the management API. Mirrors
src/talktime/console/api/switches.py."""

import json
from contextlib import closing

import pytest
from django.test import Client

from talktime.console.control_plane.models import ApiKey, AuditEntry, Peer, Switch
from talktime.core.keys import SWITCH_SCOPES
from talktime.operations.keys import create_key, secret_hash
from talktime.operations.peers import SECRET_BYTES, new_secret
from talktime.operations.sealing import Seal
from tests.console.money import Money

RADIUS = {"protocol": "radius", "name": "nas-1", "addresses": ["192.0.2.7"]}
DIAMETER = {
    "protocol": "diameter", "name": "Sip.Example.net", "realm": "example.net",
    "addresses": ["192.0.2.0/24", "2001:db8::1"], "tls": True, "plus": False,
}  # fmt: skip


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def api(money):
    key = money.key("operator")
    Switch.objects.all().delete()

    def ask(method, path="", body=None):
        client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
        sent = "" if body is None else json.dumps(body)
        at = path if path.startswith("/api/") else f"/api/v1/switches{path}"
        answer = client.generic(method, at, sent, content_type="application/json")
        told = answer.json()
        assert told.pop("replayed", False) is False
        return answer.status_code, told

    return ask


@pytest.fixture
def north(api):
    """The path of a switch."""
    made = api("POST", "", {"name": "North", "operator": "Contoso Voice"})[1]
    return f"/{made['switch_id']}"


def code(answered):
    return answered[1]["code"]


def audited():
    """What was written down of switches, by whom."""
    return [
        (entry.action, entry.actor_kind)
        for entry in AuditEntry.objects.order_by("id")
        if entry.action.startswith(("switch.", "peer.", "key."))
    ]


def test_a_switch_is_made_found_and_listed_by_name(api):
    status, north = api("POST", "", {"name": "North", "operator": "Contoso Voice"})
    assert (status, north["name"], north["operator"]) == (200, "North", "Contoso Voice")
    assert api("GET", f"/{north['switch_id']}") == (200, north)
    assert audited()[-1] == ("switch.created", "key")
    east = api("POST", "", {"name": "East", "operator": "Fabrikam"})[1]
    first = api("GET", "?limit=1")[1]
    assert first["switches"] == [east]
    assert api("GET", first["next"])[1]["switches"] == [north]
    assert api("GET") == (200, {"switches": [east, north], "next": None})
    assert code(api("GET", "?cursor=a%00b")) == "invalid_request"


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"name": "North", "operator": "x"}, "already_exists"),
        ({"name": " East", "operator": "x"}, "invalid_value"),
        ({"name": "E\0", "operator": "x"}, "invalid_value"),
        ({"name": "East", "operator": ""}, "invalid_request"),
        ({"name": "East"}, "invalid_request"),
    ],
)
def test_a_switch_that_cannot_be_is_not_made(api, north, body, refused):
    assert code(api("POST", "", body)) == refused
    assert [each.name for each in Switch.objects.all()] == ["North"]


def test_a_switchs_key_is_shown_once_replaced_and_revoked(api, north):
    status, made = api("POST", f"{north}/keys", {"name": "main"})
    assert (status, made["state"], made["scopes"]) == (200, "usable", sorted(SWITCH_SCOPES))
    kept = ApiKey.objects.get(id=int(made["key_id"]))
    assert (kept.secret_hash, kept.switch_id) == (secret_hash(made["key"]), int(north[1:]))
    shown = {name: value for name, value in made.items() if name != "key"}
    assert api("GET", f"{north}/keys") == (200, {"keys": [shown], "next": None})
    rotated = api("POST", f"{north}/keys/{made['key_id']}/rotate", {"keep_hours": 1})[1]
    assert rotated["key"] not in ("", made["key"])
    [new, old] = api("GET", f"{north}/keys")[1]["keys"]
    assert (new["key_id"], new["expires"]) == (rotated["key_id"], None)
    assert old["expires"] is not None
    first = api("GET", f"{north}/keys?limit=1")[1]
    assert (first["keys"], api("GET", first["next"])[1]["keys"]) == ([new], [old])
    status, revoked = api("POST", f"{north}/keys/{new['key_id']}/revoke")
    assert (status, revoked["state"]) == (200, "revoked")
    assert "key" not in revoked
    assert code(api("POST", f"{north}/keys/{new['key_id']}/rotate", {})) == "invalid_value"
    assert [each for each in audited() if each[1] == "key"][-3:] == [
        ("key.created", "key"), ("key.rotated", "key"), ("key.revoked", "key"),
    ]  # fmt: skip


def test_a_switchs_key_opens_calls_and_quotes_alone(api, north):
    body = {"name": "main", "scopes": ["quotes"]}
    assert api("POST", f"{north}/keys", body)[1]["scopes"] == ["quotes"]
    for scopes in (["operator"], ["read"], [], ["calls", "operator"]):
        assert api("POST", f"{north}/keys", {**body, "scopes": scopes})[0] in (400, 422)
    past = {**body, "expires": "2020-01-01T00:00:00Z"}
    assert code(api("POST", f"{north}/keys", past)) == "invalid_value"
    assert ApiKey.objects.filter(switch_id=int(north[1:])).count() == 1


def test_other_keys_are_not_found_at_a_switch(api, north, money):
    with closing(money.control()) as control, control.transaction():
        own = create_key(
            *(control, money.owner), name="own", scopes=("read",), now_ms=money.now_ms,
            next_id=money.ids, entropy=bytes(32),
        ).key.id  # fmt: skip
    operators = ApiKey.objects.get(name="portal").id
    other = api("POST", "", {"name": "South", "operator": "x"})[1]["switch_id"]
    theirs = api("POST", f"/{other}/keys", {"name": "main"})[1]["key_id"]
    for key_id in (own, operators, theirs, 1):
        for switch in (north, "/0"):
            for act in ("rotate", "revoke"):
                body = {} if act == "rotate" else None
                answered = api("POST", f"{switch}/keys/{key_id}/{act}", body)
                assert (answered[0], code(answered)) == (404, "unknown_key")
    assert not ApiKey.objects.exclude(revoked_ms=None, expires_ms=None).exists()


def test_a_radius_client_gets_a_secret_that_is_told_once(api, north, money):
    status, made = api("POST", f"{north}/peers", RADIUS)
    assert (status, len(made["secret"])) == (200, len(new_secret(bytes(SECRET_BYTES))))
    sealed = Peer.objects.get(id=int(made["peer_id"])).sealed_secret
    assert made["secret"] not in sealed
    assert Seal(money.settings.seal_keys()).opened(sealed) == made["secret"]
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert api("GET", f"{north}/peers") == (200, {"peers": [shown], "next": None})
    assert (shown["addresses"], shown["plus"], shown["revoked"]) == (["192.0.2.7/32"], True, None)
    typed = {**RADIUS, "name": "nas-2", "addresses": ["192.0.2.8"], "secret": "s" * 16}
    assert api("POST", f"{north}/peers", typed)[1]["secret"] is None
    first = api("GET", f"{north}/peers?limit=1")[1]
    assert first["peers"] == [shown]
    assert [each["name"] for each in api("GET", first["next"])[1]["peers"]] == ["nas-2"]
    assert audited()[-1] == ("peer.created", "key")


def test_a_diameter_peer_has_no_secret(api, north):
    made = api("POST", f"{north}/peers", DIAMETER)[1]
    assert made["secret"] is None
    assert (made["name"], made["realm"], made["tls"], made["plus"]) == (
        "sip.example.net", "example.net", True, False,
    )  # fmt: skip
    assert made["addresses"] == ["192.0.2.0/24", "2001:db8::1/128"]


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({**RADIUS, "secret": "short"}, "invalid_value"),
        ({**RADIUS, "addresses": ["192.0.2.300"]}, "invalid_value"),
        ({**RADIUS, "addresses": []}, "invalid_value"),
        ({**RADIUS, "tls": True}, "invalid_value"),
        ({**DIAMETER, "secret": "s" * 16}, "invalid_value"),
        ({**DIAMETER, "protocol": "sip"}, "invalid_request"),
        ({**RADIUS, "name": "taken", "addresses": ["192.0.2.9"]}, "already_exists"),
    ],
)
def test_a_peer_that_cannot_be_is_not_made(api, north, body, refused):
    taken = {**RADIUS, "name": "taken", "addresses": ["192.0.2.1"]}
    api("POST", f"{north}/peers", taken)
    answered = api("POST", f"{north}/peers", body)
    assert code(answered) == refused
    if body.get("secret"):
        assert body["secret"] not in json.dumps(answered[1])
    assert Peer.objects.count() == 1


def test_a_peer_is_revoked_at_its_switch_alone(api, north):
    made = api("POST", f"{north}/peers", RADIUS)[1]
    other = api("POST", "", {"name": "South", "operator": "x"})[1]["switch_id"]
    assert code(api("POST", f"/{other}/peers/{made['peer_id']}/revoke")) == "unknown_peer"
    assert code(api("POST", f"{north}/peers/1/revoke")) == "unknown_peer"
    assert Peer.objects.get().revoked_ms is None
    status, revoked = api("POST", f"{north}/peers/{made['peer_id']}/revoke")
    assert status == 200
    assert revoked["revoked"] is not None
    assert "secret" not in revoked
    assert api("GET", f"{north}/peers")[1]["peers"] == [revoked]
    assert audited()[-1] == ("peer.revoked", "key")


def test_a_switch_that_is_not_there_is_not_found(api):
    for method, path, body in (
        ("GET", "/1", None), ("GET", "/1/keys", None), ("GET", "/1/peers", None),
        ("POST", "/1/keys", {"name": "main"}), ("POST", "/1/peers", RADIUS),
    ):  # fmt: skip
        status, told = api(method, path, body)
        assert (status, told["code"]) == (404, "unknown_switch")
        assert told["remedy"] == "List the switches and use one of their ids."

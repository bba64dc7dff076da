"""From where switches speak Diameter and RADIUS, in the shell."""

import io

import pytest

from talktime.core.peers import RADIUS
from talktime.operations.sealing import Seal
from talktime.store.peers import peers_in_use

pytestmark = pytest.mark.layouts("sqlite", "postgres")

SECRET = "a secret that is long enough".replace(" ", "-")
CREATE = ("peer", "create", "radius", "North", "nas-1", "--address", "192.0.2.7")


@pytest.fixture
def typed(monkeypatch):
    """Put a text on the shell's stdin."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def kept(store):
    """The peers that may speak, each with its secret opened."""
    seal = Seal(store.settings.seal_keys())
    control = store.control()
    with control.reading():
        found = peers_in_use(control, 10)
    return [(peer.name, peer.protocol, sealed and seal.opened(sealed)) for peer, sealed in found]


def test_a_radius_clients_secret_is_read_from_stdin_kept_sealed_and_never_shown(
    shell, store, typed
):
    typed(f"{SECRET}\n")
    said, logged = shell.run(*CREATE)
    assert "192.0.2.7/32" in said
    assert "its address, port 3799" in said
    assert kept(store) == [("nas-1", RADIUS, SECRET)]
    listed = shell("peer", "list") + str(shell.json("peer", "list"))
    assert SECRET not in said + logged + listed


def test_a_secret_that_is_made_is_shown_once(shell, store):
    made = shell.json(*CREATE, "--generate")
    assert len(made["secret"]) == 32
    assert kept(store) == [("nas-1", RADIUS, made["secret"])]
    [listed] = shell.json("peer", "list")["peers"]
    assert listed == {key: made[key] for key in made if key != "secret"}


def test_a_diameter_peer_has_a_realm_and_no_secret(shell, store):
    made = shell.json(
        *("peer", "create", "diameter", "North", "SIP.example.net"),
        *("--realm", "example.net", "--tls", "--national"),
    )
    assert (made["name"], made["realm"], made["tls"]) == ("sip.example.net", "example.net", True)
    assert (made["addresses"], made["international"]) == ([], False)
    assert kept(store) == [("sip.example.net", "diameter", "")]
    name_alone = ("peer", "create", "diameter", "North", "b.example.net", "--realm", "example.net")
    assert "its name proves nothing" in " ".join(shell.run(*name_alone, code=1)[1].split())
    assert "a Diameter peer has no secret" in shell.run(
        *("peer", "create", "diameter", "North", "b.example.net", "--generate"), code=2
    )[1].replace("│", "")


def test_the_list_shows_the_realm_by_which_a_peer_may_be_refused(shell, store):
    made = ("peer", "create", "diameter", "North", "sip.example.net", "--address", "192.0.2.7")
    shell.run(*made, "--realm", "elsewhere.example")
    assert "elsewhere.example" in shell.run("peer", "list")[0]


def test_a_revoked_peer_stays_in_the_list_and_leaves_its_name(shell, store):
    made = shell.json(*CREATE, "--generate")
    revoked = shell.json("peer", "revoke", made["id"])
    assert revoked["state"] == "revoked"
    assert kept(store) == []
    again = shell.json(*CREATE, "--generate")
    states = [(each["id"], each["state"]) for each in shell.json("peer", "list")["peers"]]
    assert states == [(made["id"], "revoked"), (again["id"], "usable")]


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", CREATE, "there is no secret on stdin"),
        ("short\n", CREATE, "the shared secret needs at least 16 characters"),
        (f"{SECRET}\n", CREATE[:5], "a RADIUS client needs the address it comes from"),
        (f"{SECRET}\n", (*CREATE[:-1], "192.0.2.300"), "an address must be an IP address"),
        (f"{SECRET}\n", (*CREATE, "--disconnect-to", "nas-1"), "must be host:port"),
        (f"{SECRET}\n", (*CREATE, "--tls"), "a RADIUS client has neither a realm nor TLS"),
    ],
)
def test_what_cannot_be_a_radius_client_is_refused_and_its_secret_not_repeated(
    shell, store, typed, text, arguments, said
):
    typed(text)
    error = shell.error(*arguments)
    assert said in error
    assert SECRET not in error
    assert kept(store) == []
    assert shell.json("key", "list")["keys"] == []


def test_an_address_is_one_clients_alone(shell, typed):
    shell.json(*CREATE, "--generate")
    error = shell.error(*CREATE[:4], "nas-2", *CREATE[5:], "--generate")
    assert error.startswith("192.0.2.7/32 is the address of the client 'nas-1'")


def test_another_protocol_is_a_wrong_use(shell):
    assert "choose one of radius, diameter" in shell.run(
        "peer", "create", "sip", "North", "x", code=2
    )[1].replace("│", "")


def test_what_is_done_to_peers_is_in_the_audit_log(shell):
    made = shell.json(*CREATE, "--generate")
    shell("peer", "revoke", made["id"])
    actions = [each["action"] for each in shell.json("audit")["changes"]]
    assert actions[:2] == ["peer.revoked", "peer.created"]
    assert made["secret"] not in str(shell.json("audit"))

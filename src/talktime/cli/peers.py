"""`talktime peer`: from where switches speak Diameter and RADIUS. A RADIUS secret is read from
stdin, asked for, or made and shown once; it is never an argument, and never shown again."""

import getpass
import secrets
import sys
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import Failure, unless_refused
from talktime.cli.installation import all_pages, control_plane, installation, new_ids
from talktime.cli.keys import owner_of
from talktime.cli.output import Json, moment, panel, show, table
from talktime.clock import now_ms
from talktime.core.ids import ID_MAX
from talktime.core.limits import PEER_SECRET_TEXT_MAX
from talktime.core.peers import DIAMETER, PROTOCOLS, RADIUS, Peer
from talktime.operations.keys import list_switches
from talktime.operations.peers import (
    SECRET_BYTES,
    NewPeer,
    create_peer,
    list_peers,
    new_secret,
    revoke_peer,
)
from talktime.operations.sealing import Seal
from talktime.store.database import Connection
from talktime.store.keys import Switch

group = typer.Typer(
    no_args_is_help=True, help="Peers: from where switches speak Diameter and RADIUS."
)

Id = Annotated[
    int,
    typer.Argument(
        min=0, max=ID_MAX, help="Its id, as `talktime peer list` shows it.", metavar="ID"
    ),
]


PROTOCOL_NAMES = {DIAMETER: "Diameter", RADIUS: "RADIUS"}

Protocol = Annotated[str, typer.Argument(help="radius or diameter.", metavar="PROTOCOL")]
OfSwitch = Annotated[
    str, typer.Argument(help="Name of the switch; made when it is new.", metavar="SWITCH")
]
Name = Annotated[str, typer.Argument(help="A name; for Diameter its Origin-Host.", metavar="NAME")]
Addresses = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        help="Where it comes from, once or more: an IP address or a network (192.0.2.0/24, "
        "2001:db8::/64). RADIUS needs one; Diameter one, or --tls with a certificate of its name.",
    ),
]
Realm = Annotated[str, typer.Option(help="Its Origin-Realm (Diameter).")]
Tls = Annotated[bool, typer.Option("--tls", help="Take it with TLS alone (Diameter).")]
National = Annotated[
    bool,
    typer.Option("--national", help="Numbers without + are national. Default: international."),
]
DisconnectTo = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="Where requests to end a call go (RADIUS), [2001:db8::7]:3799 with IPv6. Default: its "
        "address, port 3799.",
    ),
]
Generate = Annotated[
    bool, typer.Option("--generate", help="Make the secret, and show it once (RADIUS).")
]
Operator = Annotated[
    str, typer.Option(help="Whose switch it is, when it is new. Default: its name.")
]


@group.command("create")
def create_command(
    protocol: Protocol,
    switch: OfSwitch,
    name: Name,
    address: Addresses = None,
    realm: Realm = "",
    tls: Tls = False,
    national: National = False,
    disconnect_to: DisconnectTo = "",
    generate: Generate = False,
    operator: Operator = "",
    json: Json = False,
) -> None:
    """Let a switch speak Diameter or RADIUS from an address.

    The shared secret of a RADIUS client is a line of stdin, or asked for at a terminal; with
    --generate it is made. It is kept sealed.
    """
    if protocol not in PROTOCOLS:
        choices = ", ".join(reversed(PROTOCOLS))
        raise typer.BadParameter(f"choose one of {choices}", param_hint="PROTOCOL")
    if generate and protocol == DIAMETER:
        raise typer.BadParameter("a Diameter peer has no secret", param_hint="--generate")
    settings, at_ms, next_id = installation(), now_ms(), new_ids().next
    secret = given_secret(generate) if protocol == RADIUS else ""
    asked = NewPeer(
        protocol, name, realm, tuple(address or ()), secret, tls, not national, disconnect_to
    )
    with control_plane(settings) as control, control.transaction():
        whose = owner_of(control, switch, None, operator)
        assert isinstance(whose, Switch)
        seal = Seal(settings.seal_keys())
        made = unless_refused(
            create_peer(control, seal, whose, asked, now_ms=at_ms, next_id=next_id)
        )
    show_peer(json, made, whose.name, secret if generate else None)


def given_secret(generate: bool) -> str:
    """The shared secret: made, a line of stdin, or asked for where that is a terminal."""
    if generate:
        return new_secret(secrets.token_bytes(SECRET_BYTES))
    if sys.stdin.isatty():
        return getpass.getpass("Shared secret: ").strip()
    try:
        line = sys.stdin.readline(PEER_SECRET_TEXT_MAX + 2).strip()
    except UnicodeDecodeError as error:
        raise Failure("the secret on stdin is not UTF-8 text") from error
    if not line:
        raise Failure("there is no secret on stdin: write it in a line, or use --generate")
    return line


@group.command("list")
def list_command(json: Json = False) -> None:
    """List all peers, oldest first; never their secrets."""
    with control_plane(installation()) as control, control.reading():
        found = all_pages(lambda after: list_peers(control, after=after), 0, lambda each: each.id)
        names = switch_names(control)
    columns = ("Id", "Protocol", "Name", "Realm", "Switch", "From", "State")
    rows = [
        (
            *(each.id, each.protocol, each.name, each.realm, names.get(each.switch_id, "")),
            *(places(each), state_of(each)),
        )
        for each in found
    ]
    documents = [document(each, names.get(each.switch_id, "")) for each in found]
    empty = "There are no peers: `talktime peer create` makes one."
    show(json, {"peers": documents}, table(columns, rows, empty=empty))


@group.command("revoke")
def revoke_command(peer: Id, json: Json = False) -> None:
    """Take nothing from a peer from now on."""
    settings = installation()
    at_ms = now_ms()
    with control_plane(settings) as control, control.transaction():
        revoked = unless_refused(revoke_peer(control, peer, now_ms=at_ms))
        switch = switch_names(control).get(revoked.switch_id, "")
    show_peer(json, revoked, switch)


def switch_names(control: Connection) -> dict[int, str]:
    """The names of all switches by id."""
    found = all_pages(lambda after: list_switches(control, after=after), "", lambda each: each.name)
    return {each.id: each.name for each in found}


def places(peer: Peer) -> str:
    """Where a peer comes from, for people."""
    return ", ".join(map(str, peer.networks)) or "anywhere"


def state_of(peer: Peer) -> str:
    """A peer's state in one word."""
    return "usable" if peer.revoked_ms is None else "revoked"


def document(peer: Peer, switch: str) -> dict[str, Any]:
    """A peer for programs."""
    return {
        "id": str(peer.id),
        "protocol": peer.protocol,
        "name": peer.name,
        "switch": switch,
        "realm": peer.realm or None,
        "addresses": [str(network) for network in peer.networks],
        "tls": peer.tls,
        "international": peer.plus,
        "disconnect_to": peer.disconnect_to or None,
        "state": state_of(peer),
        "created": moment(peer.created_ms),
        "revoked": moment(peer.revoked_ms),
    }


def show_peer(as_json: bool, peer: Peer, switch: str, secret: str | None = None) -> None:
    """Show a peer, and its secret where that was just made."""
    shown = document(peer, switch)
    if secret is not None:
        shown["secret"] = secret
    facts: dict[str, object] = {
        "Id": peer.id,
        "Switch": switch,
        "From": places(peer),
        "Numbers without +": "international" if peer.plus else "national",
        "State": state_of(peer),
    }
    if peer.protocol == DIAMETER:
        facts |= {"Realm": peer.realm, "TLS": "needed" if peer.tls else "not needed"}
    else:
        facts["Disconnects to"] = peer.disconnect_to or "its address, port 3799"
    pictures: list[RenderableType] = [panel(f"{PROTOCOL_NAMES[peer.protocol]} {peer.name}", facts)]
    if secret is not None:
        pictures += ["The shared secret, shown this once:", secret]
    show(as_json, shown, *pictures)

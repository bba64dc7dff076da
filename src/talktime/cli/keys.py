"""`talktime key`: the API keys of switches. A key's text is shown once, when it is made."""

import secrets
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import unless_refused
from talktime.cli.installation import all_pages, control_plane, installation, new_ids
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, moment, panel, show, table
from talktime.clock import now_ms
from talktime.core.keys import SWITCH_SCOPES, ApiKey
from talktime.operations.keys import (
    ENTROPY_BYTES,
    create_key,
    create_switch,
    find_key,
    list_keys,
    list_switches,
    revoke_key,
    rotate_key,
)
from talktime.store.database import Connection
from talktime.store.keys import switch_named

group = typer.Typer(no_args_is_help=True, help="API keys with which switches charge calls.")

HOUR_MS = 3_600_000
HOURS_MAX = 24 * 366

Id = Annotated[int, typer.Argument(help="Its id, as `talktime key list` shows it.", metavar="ID")]


@group.command("create")
def create_command(
    switch: Annotated[
        str, typer.Argument(help="Name of the switch; made when it is new.", metavar="SWITCH")
    ],
    operator: Annotated[
        str, typer.Option(help="Whose switch it is, when it is new. Default: its name.")
    ] = "",
    name: Annotated[str, typer.Option(help="A name for the key.")] = "main",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="calls, quotes, users or billing, once or more. Default: calls and quotes."
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="When it stops to open anything. Default: never.")
    ] = "",
    json: Json = False,
) -> None:
    """Make a key for a switch. Its text is shown now, and never again."""
    at_ms, next_id = now_ms(), new_ids().next
    with control_plane(installation()) as control, control.transaction():
        whose = switch_named(control, switch) or unless_refused(
            create_switch(
                control, name=switch, operator=operator or switch, now_ms=at_ms, next_id=next_id
            )
        )
        made = unless_refused(
            create_key(
                control,
                whose,
                name=name,
                scopes=scope or SWITCH_SCOPES,
                expires_ms=moment_ms(expires) if expires else None,
                now_ms=at_ms,
                next_id=next_id,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )
        )
    show_key(json, made.key, whose.name, at_ms, made.text)


@group.command("list")
def list_command(json: Json = False) -> None:
    """List all keys, oldest first; never their texts."""
    at_ms = now_ms()
    with control_plane(installation()) as control, control.reading():
        found = all_pages(lambda after: list_keys(control, after=after), 0, lambda each: each.id)
        names = switch_names(control)
    columns = ("Id", "Switch", "Name", "Scopes", "State", "Expires")
    rows = [
        (
            *(each.id, names.get(each.switch_id), each.name, ", ".join(sorted(each.scopes))),
            *(state(each, at_ms), moment(each.expires_ms)),
        )
        for each in found
    ]
    documents = [document(each, names.get(each.switch_id), at_ms) for each in found]
    empty = "There are no keys: `talktime key create` makes one."
    show(json, {"keys": documents}, table(columns, rows, empty=empty))


@group.command("show")
def show_command(key: Id, json: Json = False) -> None:
    """Show a key; never its text."""
    with control_plane(installation()) as control, control.reading():
        found = unless_refused(find_key(control, key))
        names = switch_names(control)
    show_key(json, found, names.get(found.switch_id), now_ms())


@group.command("rotate")
def rotate_command(
    key: Id,
    keep_hours: Annotated[
        int,
        typer.Option(min=0, max=HOURS_MAX, help="How long the old key still works."),
    ] = 24,
    json: Json = False,
) -> None:
    """Make a new key of the same switch and scopes; the old one expires after a while."""
    at_ms = now_ms()
    with control_plane(installation()) as control, control.transaction():
        made = unless_refused(
            rotate_key(
                control,
                key,
                old_expires_ms=at_ms + keep_hours * HOUR_MS,
                now_ms=at_ms,
                next_id=new_ids().next,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )
        )
        names = switch_names(control)
    show_key(json, made.key, names.get(made.key.switch_id), at_ms, made.text)


@group.command("revoke")
def revoke_command(key: Id, json: Json = False) -> None:
    """Let a key open nothing from now on."""
    at_ms = now_ms()
    with control_plane(installation()) as control, control.transaction():
        revoked = unless_refused(revoke_key(control, key, now_ms=at_ms))
        names = switch_names(control)
    show_key(json, revoked, names.get(revoked.switch_id), at_ms)


def switch_names(control: Connection) -> dict[int, str]:
    """The names of all switches, by id."""
    switches = all_pages(
        lambda after: list_switches(control, after=after), "", lambda each: each.name
    )
    return {switch.id: switch.name for switch in switches}


def state(key: ApiKey, at_ms: int) -> str:
    """A key's state in one word."""
    if key.revoked_ms is not None:
        return "revoked"
    return "usable" if key.usable(at_ms) else "expired"


def document(key: ApiKey, switch: str | None, at_ms: int) -> dict[str, Any]:
    """A key for programs."""
    return {
        "id": str(key.id),
        "switch": switch,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "state": state(key, at_ms),
        "expires": moment(key.expires_ms),
        "revoked": moment(key.revoked_ms),
    }


def show_key(
    as_json: bool, key: ApiKey, switch: str | None, at_ms: int, text: str | None = None
) -> None:
    """Show a key, and its text where it was just made."""
    shown = document(key, switch, at_ms)
    if text is not None:
        shown["key"] = text
    pictures: list[RenderableType] = [picture(key, switch, at_ms)]
    if text is not None:
        pictures += ["The key's text, shown this once:", text]
    show(as_json, shown, *pictures)


def picture(key: ApiKey, switch: str | None, at_ms: int) -> RenderableType:
    """A key for people."""
    facts = {
        "Id": key.id,
        "Switch": switch,
        "Scopes": ", ".join(sorted(key.scopes)),
        "State": state(key, at_ms),
        "Expires": moment(key.expires_ms),
        "Revoked": moment(key.revoked_ms),
    }
    return panel(f"Key {key.name}", facts)

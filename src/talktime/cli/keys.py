"""`talktime key`: API keys of switches, organisations and the operator's programs. A key's text is
shown once, when it is made."""

import secrets
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import RenderableType

from talktime.cli.failures import unless_refused
from talktime.cli.installation import (
    all_pages,
    control_plane,
    installation,
    new_ids,
    sealed_mail,
)
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, moment, panel, show, table
from talktime.clock import now_ms
from talktime.config import Settings
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.keys import READ, SWITCH_SCOPES, ApiKey
from talktime.core.limits import KEEP_HOURS_MAX
from talktime.operations.key_mail import KEY_CREATED, KEY_ROTATED, tell_owners
from talktime.operations.keys import (
    ENTROPY_BYTES,
    create_key,
    create_switch,
    find_key,
    list_keys,
    list_switches,
    revoke_key,
    rotate_key,
    state_of,
)
from talktime.operations.organisations import find_organisation
from talktime.store.database import Connection
from talktime.store.keys import Switch, switch_named
from talktime.store.organisations import organisation_of_id

group = typer.Typer(
    no_args_is_help=True,
    help="API keys: of switches, of organisations, of the operator's own programs.",
)

HOUR_MS = 3_600_000

Id = Annotated[
    int,
    typer.Argument(
        min=0, max=ID_MAX, help="Its id, as `talktime key list` shows it.", metavar="ID"
    ),
]


OfOrganisation = Annotated[
    str | None,
    typer.Option(help="Instead of a switch: the organisation that the key opens alone."),
]


@group.command("create")
def create_command(
    switch: Annotated[
        str | None,
        typer.Argument(
            help="Name of the switch; made when it is new. Without it, the key is the operator's.",
            metavar="[SWITCH]",
        ),
    ] = None,
    organisation: OfOrganisation = None,
    operator: Annotated[
        str, typer.Option(help="Whose switch it is, when it is new. Default: its name.")
    ] = "",
    name: Annotated[str, typer.Option(help="A name for the key.")] = "main",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it opens, once or more: of a switch calls, quotes; else read, users, "
            "billing, notices, operator (not an organisation's). Default: calls and quotes; read."
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="When it stops to open anything. Default: never.")
    ] = "",
    json: Json = False,
) -> None:
    """Make a key for a switch, an organisation or the operator. Its text is shown now, and never
    again."""
    if switch is not None and organisation is not None:
        raise typer.BadParameter("a key is a switch's or an organisation's, not both")
    settings = installation()
    at_ms, next_id = now_ms(), new_ids().next
    with control_plane(settings) as control, control.transaction():
        whose = owner_of(control, switch, organisation, operator)
        made = unless_refused(
            create_key(
                control,
                whose,
                name=name,
                scopes=scope or ((READ,) if switch is None else SWITCH_SCOPES),
                expires_ms=moment_ms(expires) if expires else None,
                now_ms=at_ms,
                next_id=next_id,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )
        )
        tell(settings, control, made.key, KEY_CREATED)
        owners = owner_names(control, [made.key])
    show_key(json, made.key, owners, at_ms, made.text)


def tell(settings: Settings, control: Connection, key: ApiKey, kind: str) -> None:
    """Tell those whom a key concerns, where it is an organisation's."""
    if key.organisation_id is not None:
        tell_owners(control, key, kind, sealed_mail(settings))


def owner_of(
    control: Connection, switch: str | None, organisation: str | None, operator: str
) -> Switch | Organisation | None:
    """Whose a new key is; a switch that is new is made. None for the operator's own: only where
    nobody is named, not where the name is empty (a script's variable that is not set)."""
    if organisation is not None:
        return unless_refused(find_organisation(control, organisation))
    if switch is None:
        return None
    return switch_named(control, switch) or unless_refused(
        create_switch(
            control,
            name=switch,
            operator=operator or switch,
            now_ms=now_ms(),
            next_id=new_ids().next,
        )
    )


@group.command("list")
def list_command(json: Json = False) -> None:
    """List all keys, oldest first; never their texts."""
    settings = installation()
    at_ms = now_ms()
    with control_plane(settings) as control, control.reading():
        found = all_pages(lambda after: list_keys(control, after=after), 0, lambda each: each.id)
        owners = owner_names(control, found)
    columns = ("Id", "Of", "Name", "Scopes", "State", "Expires")
    rows = [
        (
            *(each.id, owners.of(each), each.name, ", ".join(sorted(each.scopes))),
            *(state_of(each, at_ms), moment(each.expires_ms)),
        )
        for each in found
    ]
    documents = [document(each, owners, at_ms) for each in found]
    empty = "There are no keys: `talktime key create` makes one."
    show(json, {"keys": documents}, table(columns, rows, empty=empty))


@group.command("show")
def show_command(key: Id, json: Json = False) -> None:
    """Show a key; never its text."""
    with control_plane(installation()) as control, control.reading():
        found = unless_refused(find_key(control, key))
        owners = owner_names(control, [found])
    show_key(json, found, owners, now_ms())


@group.command("rotate")
def rotate_command(
    key: Id,
    keep_hours: Annotated[
        int,
        typer.Option(min=0, max=KEEP_HOURS_MAX, help="How long the old key still works."),
    ] = 24,
    json: Json = False,
) -> None:
    """Make a new key of the same owner and scopes, to live as long as the old one was to; that
    one expires after a while."""
    settings = installation()
    at_ms = now_ms()
    with control_plane(settings) as control, control.transaction():
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
        tell(settings, control, made.key, KEY_ROTATED)
        owners = owner_names(control, [made.key])
    show_key(json, made.key, owners, at_ms, made.text)


@group.command("revoke")
def revoke_command(key: Id, json: Json = False) -> None:
    """Let a key open nothing from now on."""
    settings = installation()
    at_ms = now_ms()
    with control_plane(settings) as control, control.transaction():
        revoked = unless_refused(revoke_key(control, key, now_ms=at_ms))
        owners = owner_names(control, [revoked])
    show_key(json, revoked, owners, at_ms)


class Owners(NamedTuple):
    """The names of those whose keys are shown, by id."""

    switches: dict[int, str]
    organisations: dict[int, str]

    def of(self, key: ApiKey) -> str:
        """Whose a key is, for people."""
        if key.organisation_id is not None:
            return self.organisations.get(key.organisation_id, str(key.organisation_id))
        return self.switches.get(key.switch_id, "") if key.switch_id else "the operator"


def owner_names(control: Connection, keys: Iterable[ApiKey]) -> Owners:
    """The names of all switches, and of the organisations of these keys."""
    switches = all_pages(
        lambda after: list_switches(control, after=after), "", lambda each: each.name
    )
    found = (
        organisation_of_id(control, id_)
        for id_ in {key.organisation_id for key in keys}
        if id_ is not None
    )
    return Owners(
        {switch.id: switch.name for switch in switches},
        {each.id: each.name for each in found if each is not None},
    )


def document(key: ApiKey, owners: Owners, at_ms: int) -> dict[str, Any]:
    """A key for programs."""
    return {
        "id": str(key.id),
        "switch": owners.switches.get(key.switch_id),
        "organisation": owners.organisations.get(key.organisation_id or 0),
        "name": key.name,
        "scopes": sorted(key.scopes),
        "state": state_of(key, at_ms),
        "expires": moment(key.expires_ms),
        "revoked": moment(key.revoked_ms),
        "last_used": moment(key.used_ms),
    }


def show_key(
    as_json: bool, key: ApiKey, owners: Owners, at_ms: int, text: str | None = None
) -> None:
    """Show a key, and its text where it was just made."""
    shown = document(key, owners, at_ms)
    if text is not None:
        shown["key"] = text
    pictures: list[RenderableType] = [picture(key, owners, at_ms)]
    if text is not None:
        pictures += ["The key's text, shown this once:", text]
    show(as_json, shown, *pictures)


def picture(key: ApiKey, owners: Owners, at_ms: int) -> RenderableType:
    """A key for people."""
    facts = {
        "Id": key.id,
        "Of": owners.of(key),
        "Scopes": ", ".join(sorted(key.scopes)),
        "State": state_of(key, at_ms),
        "Expires": moment(key.expires_ms),
        "Revoked": moment(key.revoked_ms),
    }
    return panel(f"Key {key.name}", facts)

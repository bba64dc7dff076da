"""`talktime number`: which number is whose."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import unless_refused
from talktime.cli.installation import (
    all_pages,
    cell,
    control_plane,
    installation,
    organisation_of,
)
from talktime.cli.output import Json, panel, show, table
from talktime.config import Settings
from talktime.core.directory import USER_NUMBER, NumberEntry, Organisation, User
from talktime.operations.assign_numbers import (
    assign_number,
    find_number,
    list_numbers,
    release_number,
)
from talktime.operations.users import find_user
from talktime.store.directory import organisation_of_id, user_of_id

group = typer.Typer(no_args_is_help=True, help="Telephone numbers of organisations and users.")

OrganisationName = Annotated[
    str, typer.Argument(help="Name of the organisation.", metavar="ORGANISATION")
]
Number = Annotated[str, typer.Argument(help="The number: +14255550100.", metavar="NUMBER")]


@group.command("create")
def create_command(
    organisation: OrganisationName,
    number: Number,
    user: Annotated[str, typer.Option(help="Sign-in name of the user it belongs to.")] = "",
    kind: Annotated[
        str, typer.Option(help="user, or a service number: toll or toll_free.")
    ] = USER_NUMBER,
    json: Json = False,
) -> None:
    """Assign a number to an organisation, and to a user of it."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        whose = None
        if user:
            with cell(settings, owner.cell) as connection, connection.reading():
                whose = unless_refused(find_user(connection, owner, user))
        with control.transaction():
            entry = unless_refused(assign_number(control, owner, number, kind=kind, user=whose))
    show(json, document(entry, owner, whose), picture(entry, owner, whose))


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List an organisation's numbers."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        with control.reading():
            found = all_pages(
                lambda after: list_numbers(control, owner, after=after),
                "",
                lambda each: each.digits,
            )
    with cell(settings, owner.cell) as connection, connection.reading():
        users = {
            each.user_id: user_of_id(connection, owner.id, each.user_id)
            for each in found
            if each.user_id is not None
        }
    whose = [users.get(each.user_id) if each.user_id is not None else None for each in found]
    rows = [
        (f"+{each.digits}", user.name if user else None, each.kind, each.active)
        for each, user in zip(found, whose, strict=True)
    ]
    documents = [document(each, owner, user) for each, user in zip(found, whose, strict=True)]
    empty = f"{owner.name} has no numbers: `talktime number create` assigns one."
    columns = ("Number", "User", "Kind", "In use")
    show(json, {"numbers": documents}, table(columns, rows, empty=empty))


@group.command("show")
def show_command(number: Number, json: Json = False) -> None:
    """Show whose a number is."""
    settings = installation()
    with control_plane(settings) as control, control.reading():
        entry = unless_refused(find_number(control, number))
        owner = organisation_of_id(control, entry.organisation_id)
    user = user_of(settings, owner, entry)
    show(json, document(entry, owner, user), picture(entry, owner, user))


@group.command("release")
def release_command(organisation: OrganisationName, number: Number, json: Json = False) -> None:
    """Take a number out of use; it can be assigned again."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        with control.transaction():
            entry = unless_refused(release_number(control, owner, number))
    user = user_of(settings, owner, entry)
    show(json, document(entry, owner, user), picture(entry, owner, user))


def user_of(settings: Settings, owner: Organisation | None, entry: NumberEntry) -> User | None:
    """The user of a number, where it has one."""
    if owner is None or entry.user_id is None:
        return None
    with cell(settings, owner.cell) as connection, connection.reading():
        return user_of_id(connection, owner.id, entry.user_id)


def document(entry: NumberEntry, owner: Organisation | None, user: User | None) -> dict[str, Any]:
    """A number for programs."""
    return {
        "number": f"+{entry.digits}",
        "organisation": owner.name if owner else None,
        "organisation_id": str(entry.organisation_id),
        "user": user.name if user else None,
        "user_id": None if entry.user_id is None else str(entry.user_id),
        "kind": entry.kind,
        "active": entry.active,
    }


def picture(entry: NumberEntry, owner: Organisation | None, user: User | None) -> RenderableType:
    """A number for people."""
    facts = {
        "Organisation": owner.name if owner else entry.organisation_id,
        "User": user.name if user else None,
        "Kind": entry.kind,
        "In use": entry.active,
    }
    return panel(f"+{entry.digits}", facts)

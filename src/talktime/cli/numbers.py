"""`talktime number`: which number is whose."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import unless_refused
from talktime.cli.installation import (
    all_pages,
    catalogue_of,
    cell,
    control_plane,
    installation,
    organisation_of,
)
from talktime.cli.output import Json, moment, panel, show, table
from talktime.clock import now_ms
from talktime.config import Settings
from talktime.core.directory import (
    NOT_ATTACHED,
    NUMBER_KINDS,
    USER_NUMBER,
    NumberEntry,
    Organisation,
    User,
)
from talktime.operations.assign_numbers import (
    assign_number,
    attach_number,
    release_number,
    reserve_number,
)
from talktime.operations.find_numbers import find_number, list_numbers, numbers_taken
from talktime.operations.give_up_reservation import give_up_reservation
from talktime.operations.number_quotas import Allowance, read_allowance
from talktime.operations.users import find_user
from talktime.store.database import Connection
from talktime.store.numbers import Reservation
from talktime.store.organisations import organisation_of_id
from talktime.store.users import user_of_id

group = typer.Typer(no_args_is_help=True, help="Telephone numbers of organisations and users.")

OrganisationName = Annotated[
    str, typer.Argument(help="Name of the organisation.", metavar="ORGANISATION")
]
Number = Annotated[str, typer.Argument(help="The number: +14255550100.", metavar="NUMBER")]


Kind = Annotated[str, typer.Option(help="user, or a service number: toll or toll_free.")]
UserName = Annotated[str, typer.Option(help="Sign-in name of the user it belongs to.")]


@group.command("create")
def create_command(
    organisation: OrganisationName,
    number: Number,
    user: UserName = "",
    kind: Kind = USER_NUMBER,
    attached: Annotated[
        str, typer.Option(help="What a service number answers as: bridge, attendant or queue.")
    ] = NOT_ATTACHED,
    over_quota: Annotated[
        bool, typer.Option("--over-quota", help="Though its licences allow no more of the kind.")
    ] = False,
    json: Json = False,
) -> None:
    """Assign a number to an organisation, and to a user of it."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        whose, allowance = user_and_allowance(settings, control, owner, user)
        with control.transaction():
            entry = unless_refused(
                assign_number(
                    control,
                    owner,
                    number,
                    kind=kind,
                    user=whose,
                    attached=attached,
                    allowance=allowance,
                    over_quota=over_quota,
                    now_ms=now_ms(),
                )
            )
    show(json, document(entry, owner, whose), picture(entry, owner, whose))


@group.command("reserve")
def reserve_command(
    organisation: OrganisationName, number: Number, kind: Kind = USER_NUMBER, json: Json = False
) -> None:
    """Keep a number for an organisation for ten minutes; `number create` then assigns it."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        _, allowance = user_and_allowance(settings, control, owner, "")
        with control.transaction():
            kept = unless_refused(
                reserve_number(
                    control, owner, number, kind=kind, allowance=allowance, now_ms=now_ms()
                )
            )
    show_reservation(json, owner, kept)


@group.command("give-up")
def give_up_command(organisation: OrganisationName, number: Number, json: Json = False) -> None:
    """Keep a number no longer for an organisation: anybody can be given it."""
    with control_plane(installation()) as control:
        owner = organisation_of(control, organisation)
        with control.transaction():
            ended = unless_refused(give_up_reservation(control, owner, number, now_ms=now_ms()))
    show_reservation(json, owner, ended)


def show_reservation(json: bool, owner: Organisation, kept: Reservation) -> None:
    """Show a reservation, and until when it is or was one."""
    until = moment(kept.until_ms)
    shown = {
        "number": f"+{kept.digits}",
        "organisation": owner.name,
        "kind": kept.kind,
        "until": until,
    }
    facts = {"Organisation": owner.name, "Kind": kept.kind, "Reserved until": until}
    show(json, shown, panel(f"+{kept.digits}", facts))


@group.command("attach")
def attach_command(
    organisation: OrganisationName,
    number: Number,
    attached: Annotated[str, typer.Option(help="bridge, attendant or queue; '' for none of them.")],
    user: UserName = "",
    json: Json = False,
) -> None:
    """Let a service number answer as a bridge, an attendant or a queue."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        whose, _ = user_and_allowance(settings, control, owner, user)
        with control.transaction():
            entry = unless_refused(
                attach_number(control, owner, number, attached=attached, user=whose)
            )
    show(json, document(entry, owner, whose), picture(entry, owner, whose))


@group.command("quota")
def quota_command(organisation: OrganisationName, json: Json = False) -> None:
    """Show how many numbers an organisation has, and how many its licences allow."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        _, allowance = user_and_allowance(settings, control, owner, "")
        with control.reading():
            taken = numbers_taken(control, owner, now_ms=now_ms())
    documents = {
        kind: {"taken": taken[kind], "allowed": allowance.of(kind)} for kind in NUMBER_KINDS
    }
    rows = [(kind, taken[kind], allowance.of(kind)) for kind in NUMBER_KINDS]
    columns = ("Kind", "Taken", "Allowed")
    show(json, documents, table(columns, rows, right=columns[1:]))


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
        (
            *(f"+{each.digits}", user.name if user else None),
            *(each.kind, each.attached, each.active),
        )
        for each, user in zip(found, whose, strict=True)
    ]
    documents = [document(each, owner, user) for each, user in zip(found, whose, strict=True)]
    empty = f"{owner.name} has no numbers: `talktime number create` assigns one."
    columns = ("Number", "User", "Kind", "Answers as", "In use")
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


def user_and_allowance(
    settings: Settings, control: Connection, owner: Organisation, name: str
) -> tuple[User | None, Allowance]:
    """The user of this name, where one is given, and the numbers that the organisation may have."""
    catalogue = catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.reading():
        user = unless_refused(find_user(connection, owner, name)) if name else None
        return user, read_allowance(connection, owner, catalogue)


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
        "attached": entry.attached,
        "active": entry.active,
    }


def picture(entry: NumberEntry, owner: Organisation | None, user: User | None) -> RenderableType:
    """A number for people."""
    facts = {
        "Organisation": owner.name if owner else entry.organisation_id,
        "User": user.name if user else None,
        "Kind": entry.kind,
        "Answers as": entry.attached,
        "In use": entry.active,
    }
    return panel(f"+{entry.digits}", facts)

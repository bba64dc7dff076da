"""`talktime user`: an organisation's users, their licences and where they are."""

from typing import Annotated

import typer
from rich.console import RenderableType

from talktime.cli.failures import unless_refused
from talktime.cli.installation import (
    all_pages,
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.output import Json, document_of, lines, panel, show, table
from talktime.core.directory import LICENCES, PERSON, Organisation, User
from talktime.operations.assign_numbers import list_numbers
from talktime.operations.users import change_user, create_user, find_user, list_users

group = typer.Typer(no_args_is_help=True, help="Users of an organisation, with their licences.")

OrganisationName = Annotated[
    str, typer.Argument(help="Name of the organisation.", metavar="ORGANISATION")
]
Name = Annotated[
    str, typer.Argument(help="Sign-in name: front-desk@contoso.example.", metavar="NAME")
]


@group.command("create")
def create_command(
    organisation: OrganisationName,
    name: Name,
    display_name: Annotated[
        str, typer.Option(help="Name for people. Default: the sign-in name.")
    ] = "",
    usage_location: Annotated[
        str, typer.Option(help="Country of the user. Default: the organisation's.")
    ] = "",
    licence: Annotated[
        list[str] | None,
        typer.Option(help="A licence, once or more; MCOPSTNC is Communications Credits."),
    ] = None,
    kind: Annotated[str, typer.Option(help="person or resource_account.")] = PERSON,
    json: Json = False,
) -> None:
    """Add a user to an organisation."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        made = unless_refused(
            create_user(
                connection,
                owner,
                name=name,
                display_name=display_name or name,
                usage_location=usage_location or owner.country,
                licences=licence or (),
                kind=kind,
                next_id=new_ids().next,
            )
        )
    show(json, document_of(made), picture(owner, made))


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List an organisation's users by name."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        found = all_pages(
            lambda after: list_users(connection, owner, after=after), "", lambda each: each.name
        )
    columns = ("Name", "Display name", "Location", "Licences", "Kind", "Active")
    rows = [
        (
            *(each.name, each.display_name, each.usage_location),
            *(", ".join(sorted(each.licences)), each.kind, each.active),
        )
        for each in found
    ]
    empty = f"{owner.name} has no users: `talktime user create` adds one."
    show(json, {"users": [document_of(each) for each in found]}, table(columns, rows, empty=empty))


@group.command("show")
def show_command(organisation: OrganisationName, name: Name, json: Json = False) -> None:
    """Show a user with licences and numbers."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        with cell(settings, owner.cell) as connection, connection.reading():
            found = unless_refused(find_user(connection, owner, name))
        with control.reading():
            numbers = all_pages(
                lambda after: list_numbers(control, owner, after=after),
                "",
                lambda each: each.digits,
            )
    own = [f"+{each.digits}" for each in numbers if each.user_id == found.id and each.active]
    show(json, {**document_of(found), "numbers": own}, picture(owner, found, own))


@group.command("change")
def change_command(
    organisation: OrganisationName,
    name: Name,
    display_name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    usage_location: Annotated[str | None, typer.Option(help="Country of the user.")] = None,
    licence: Annotated[
        list[str] | None, typer.Option(help="All licences from now on, once for each.")
    ] = None,
    no_licences: Annotated[
        bool, typer.Option("--no-licences", help="Take all licences away.")
    ] = False,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="May call, or may not.")
    ] = None,
    json: Json = False,
) -> None:
    """Change a user's licences, location or name; switch a user off or on."""
    if licence and no_licences:
        raise typer.BadParameter("give either --licence or --no-licences")
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        changed = unless_refused(
            change_user(
                connection,
                owner,
                name,
                display_name=display_name,
                usage_location=usage_location,
                licences=() if no_licences else licence or None,
                active=active,
            )
        )
    show(json, document_of(changed), picture(owner, changed))


def picture(owner: Organisation, user: User, numbers: list[str] | None = None) -> RenderableType:
    """A user for people."""
    facts: dict[str, object] = {
        "Id": user.id,
        "Organisation": owner.name,
        "Name": user.display_name,
        "Usage location": user.usage_location,
        "Licences": lines(f"{code}  {LICENCES.get(code, '')}" for code in sorted(user.licences))
        if user.licences
        else None,
        "Kind": user.kind,
        "Active": user.active,
    }
    if numbers is not None:
        facts["Numbers"] = ", ".join(numbers)
    return panel(user.name, facts)

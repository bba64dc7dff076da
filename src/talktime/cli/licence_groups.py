"""`talktime group`: groups of users that share licences."""

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
    new_ids,
    organisation_of,
)
from talktime.cli.output import Json, panel, show, table
from talktime.cli.users import OrganisationName
from talktime.core.licensing import LicenceGroup
from talktime.operations.licence_groups import (
    change_group,
    create_group,
    delete_group,
    find_group,
    list_groups,
    list_members,
)
from talktime.operations.user_changes import UserChange
from talktime.operations.users import change_user

group = typer.Typer(no_args_is_help=True, help="Groups of users that share licences.")

Name = Annotated[str, typer.Argument(help="Name of the group: sales.", metavar="NAME")]
Users = Annotated[list[str], typer.Argument(help="Sign-in names.", metavar="USER...")]
Licence = Annotated[list[str] | None, typer.Option(help="A licence, once or more.")]


@group.command("create")
def create_command(
    organisation: OrganisationName, name: Name, licence: Licence = None, json: Json = False
) -> None:
    """Make a group, without members."""
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.transaction():
        made = unless_refused(
            create_group(
                connection,
                owner,
                name=name,
                licences=frozenset(licence or ()),
                catalogue=catalogue,
                next_id=new_ids().next,
            )
        )
    show(json, document(made), picture(made))


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List an organisation's groups by name."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        found = list_groups(connection, owner)
    rows = [(each.name, ", ".join(sorted(each.licences))) for each in found]
    empty = f"{owner.name} has no groups: `talktime group create` makes one."
    documents = {"groups": [document(each) for each in found]}
    show(json, documents, table(("Name", "Licences"), rows, empty=empty))


@group.command("show")
def show_command(organisation: OrganisationName, name: Name, json: Json = False) -> None:
    """Show a group with its members."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        found = unless_refused(find_group(connection, owner, name))
        members = all_pages(
            lambda after: list_members(connection, found, after=after),
            "",
            lambda each: each.user.name,
        )
    names = [each.user.name for each in members]
    rows = table(("Members",), [(each,) for each in names], empty="It has no members.")
    show(json, {**document(found), "members": names}, picture(found), rows)


@group.command("change")
def change_command(
    organisation: OrganisationName,
    name: Name,
    licence: Annotated[
        list[str] | None, typer.Option(help="All licences from now on, once for each.")
    ] = None,
    add_licence: Annotated[
        list[str] | None, typer.Option(help="A licence to give beside the others.")
    ] = None,
    remove_licence: Annotated[list[str] | None, typer.Option(help="A licence to take.")] = None,
    json: Json = False,
) -> None:
    """Give a group, and so all its members, other licences."""
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.transaction():
        changed = unless_refused(
            change_group(
                connection,
                owner,
                name,
                licences=frozenset(licence) if licence else None,
                add=frozenset(add_licence or ()),
                remove=frozenset(remove_licence or ()),
                catalogue=catalogue,
            )
        )
    show(json, document(changed), picture(changed))


@group.command("delete")
def delete_command(organisation: OrganisationName, name: Name, json: Json = False) -> None:
    """Forget a group; its members lose the licences that came with it."""
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.transaction():
        gone = unless_refused(delete_group(connection, owner, name, catalogue=catalogue))
    show(json, document(gone), picture(gone))


@group.command("join")
def join_command(
    organisation: OrganisationName, name: Name, users: Users, json: Json = False
) -> None:
    """Put users into a group: all of them, or none."""
    change_members(
        organisation, name, [UserChange(user, join=frozenset((name,))) for user in users], json
    )


@group.command("leave")
def leave_command(
    organisation: OrganisationName, name: Name, users: Users, json: Json = False
) -> None:
    """Take users out of a group: all of them, or none."""
    change_members(
        organisation, name, [UserChange(user, leave=frozenset((name,))) for user in users], json
    )


def change_members(organisation: str, name: str, changes: list[UserChange], as_json: bool) -> None:
    """Change users in one transaction, and show the group."""
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.transaction():
        found = unless_refused(find_group(connection, owner, name))
        for change in changes:
            unless_refused(change_user(connection, owner, change, catalogue=catalogue))
    show(as_json, document(found), picture(found))


def document(found: LicenceGroup) -> dict[str, Any]:
    """A group for programs."""
    return {"name": found.name, "licences": sorted(found.licences)}


def picture(found: LicenceGroup) -> RenderableType:
    """A group for people."""
    return panel(found.name, {"Licences": ", ".join(sorted(found.licences))})

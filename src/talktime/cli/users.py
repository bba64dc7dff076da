"""`talktime user`: an organisation's users, their licences and where they are."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from talktime.cli import FAILURE_EXIT
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
from talktime.cli.output import Json, amount, lines, panel, show, table
from talktime.core.catalogue import Catalogue
from talktime.core.directory import PERSON, Organisation
from talktime.core.licensing import Holder
from talktime.core.money import parse_micros
from talktime.operations.find_numbers import list_numbers
from talktime.operations.user_changes import NO_LIMIT, UserChange
from talktime.operations.user_file import user_document
from talktime.operations.users import (
    change_user,
    create_user,
    find_holder,
    list_holders,
    not_lawful,
)
from talktime.store.database import Connection

group = typer.Typer(no_args_is_help=True, help="Users of an organisation, with their licences.")

OrganisationName = Annotated[
    str, typer.Argument(help="Name of the organisation.", metavar="ORGANISATION")
]
Name = Annotated[
    str, typer.Argument(help="Sign-in name: front-desk@contoso.example.", metavar="NAME")
]
Policy = Annotated[str | None, typer.Option(help="Dial-out policy; '' for the organisation's.")]
SpendLimit = Annotated[
    str | None,
    typer.Option(help="Most the user may spend a month: 25.50; none for the organisation's."),
]
TollFreeDialIn = Annotated[
    bool | None, typer.Option(help="Let callers join the user's meetings on toll-free numbers.")
]


@group.command("create")
def create_command(
    organisation: OrganisationName,
    name: Name,
    display_name: Annotated[
        str | None, typer.Option(help="Name for people. Default: the sign-in name.")
    ] = None,
    usage_location: Annotated[
        str | None, typer.Option(help="Country of the user. Default: the organisation's.")
    ] = None,
    licence: Annotated[
        list[str] | None,
        typer.Option(help="A licence, once or more; MCOPSTNC is Communications Credits."),
    ] = None,
    in_group: Annotated[
        list[str] | None, typer.Option("--group", help="A group to be in, once or more.")
    ] = None,
    policy: Policy = None,
    spend_limit: SpendLimit = None,
    toll_free_dial_in: TollFreeDialIn = None,
    kind: Annotated[str, typer.Option(help="person or resource_account.")] = PERSON,
    json: Json = False,
) -> None:
    """Add a user to an organisation."""
    new = UserChange(
        name,
        display_name=display_name or None,
        usage_location=usage_location or None,
        licences=frozenset(licence or ()),
        groups=frozenset(in_group or ()),
        policy=policy,
        spend_limit_micros=limit_micros(spend_limit),
        toll_free_dial_in=toll_free_dial_in,
        kind=kind,
    )
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.transaction():
        unless_refused(
            create_user(connection, owner, new, catalogue=catalogue, next_id=new_ids().next)
        )
        made = unless_refused(find_holder(connection, owner, name))
    show(json, user_document(made), picture(owner, catalogue, made))


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List an organisation's users by name."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        found = list(all_users(connection, owner))
    documents = {"users": [user_document(each) for each in found]}
    empty = f"{owner.name} has no users: `talktime user create` adds one."
    show(json, documents, users_table(found, empty))


@group.command("check")
def check_command(organisation: OrganisationName, json: Json = False) -> None:
    """List the users whose licences are not lawful by the catalogue now, each with why and what to
    do. Exit code 1 where there are any. Changes nothing."""
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.reading():
        found = not_lawful(all_users(connection, owner), catalogue)
    documents = [
        {
            "name": holder.user.name,
            "code": why.code,
            "reason": why.detail,
            "remedy": why.kind.remedy,
        }
        for holder, why in found
    ]
    rows = [(each["name"], each["reason"], each["remedy"]) for each in documents]
    empty = f"The licences of all users of {owner.name} are in order."
    shown = table(("Name", "Why", "What to do"), rows, empty=empty)
    show(json, {"organisation": owner.name, "not_lawful": documents}, shown)
    if found:
        raise typer.Exit(FAILURE_EXIT)


@group.command("show")
def show_command(organisation: OrganisationName, name: Name, json: Json = False) -> None:
    """Show a user with licences and numbers."""
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
        with cell(settings, owner.cell) as connection, connection.reading():
            found = unless_refused(find_holder(connection, owner, name))
        with control.reading():
            numbers = all_pages(
                lambda after: list_numbers(control, owner, after=after),
                "",
                lambda each: each.digits,
            )
    own = [f"+{each.digits}" for each in numbers if each.user_id == found.user.id and each.active]
    shown = {**user_document(found), "numbers": own}
    show(json, shown, picture(owner, catalogue, found, own))


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
    add_licence: Annotated[
        list[str] | None, typer.Option(help="A licence to give beside the others.")
    ] = None,
    remove_licence: Annotated[list[str] | None, typer.Option(help="A licence to take.")] = None,
    join_group: Annotated[list[str] | None, typer.Option(help="A group to be in.")] = None,
    leave_group: Annotated[list[str] | None, typer.Option(help="A group to leave.")] = None,
    policy: Policy = None,
    spend_limit: SpendLimit = None,
    toll_free_dial_in: TollFreeDialIn = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="May call, or may not.")
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why the user is switched off or on, as it is kept.")
    ] = "",
    json: Json = False,
) -> None:
    """Change a user's licences, groups, location, limits or name; switch a user off or on."""
    if licence and no_licences:
        raise typer.BadParameter("give either --licence or --no-licences")
    change = UserChange(
        name,
        display_name=display_name,
        usage_location=usage_location,
        licences=frozenset(licence or ()) if licence or no_licences else None,
        add=frozenset(add_licence or ()),
        remove=frozenset(remove_licence or ()),
        join=frozenset(join_group or ()),
        leave=frozenset(leave_group or ()),
        policy=policy,
        spend_limit_micros=limit_micros(spend_limit),
        toll_free_dial_in=toll_free_dial_in,
        active=active,
        reason=reason,
    )
    apply_change(organisation, change, json)


def apply_change(organisation: str, change: UserChange, as_json: bool) -> None:
    """Change a user, and show what came of it."""
    settings = installation()
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, organisation), catalogue_of(control)
    with cell(settings, owner.cell) as connection, connection.transaction():
        unless_refused(change_user(connection, owner, change, catalogue=catalogue))
        changed = unless_refused(find_holder(connection, owner, change.name))
    show(as_json, user_document(changed), picture(owner, catalogue, changed))


def all_users(connection: Connection, owner: Organisation) -> Iterator[Holder]:
    """Every user of an organisation, by name; a page is read when it is wanted."""
    after = ""
    while page := list_holders(connection, owner, after=after):
        yield from page
        after = page[-1].user.name


def limit_micros(text: str | None) -> int | None:
    """A limit as typed: an amount; `none` takes it away."""
    if text is None:
        return None
    if text == "none":
        return NO_LIMIT
    try:
        micros = parse_micros(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; or none") from error
    if micros < 0:
        raise typer.BadParameter("a limit is not negative; or none")
    return micros


def users_table(found: Iterable[Holder], empty: str) -> RenderableType:
    """Users for people."""
    columns = ("Name", "Display name", "Location", "Licences", "Kind", "Active")
    rows = [
        (
            *(user.name, user.display_name, user.usage_location),
            *(", ".join(sorted(user.licences)), user.kind, user.active),
        )
        for user, *_ in found
    ]
    return table(columns, rows, empty=empty)


def picture(
    owner: Organisation, catalogue: Catalogue, holder: Holder, numbers: list[str] | None = None
) -> RenderableType:
    """A user for people."""
    user, limit = holder.user, holder.user.spend_limit_micros
    facts: dict[str, object] = {
        "Id": user.id,
        "Organisation": owner.name,
        "Name": user.display_name,
        "Usage location": user.usage_location,
        "Licences": licences_shown(catalogue, holder),
        "Groups": ", ".join(sorted(holder.groups)),
        "Dial-out policy": user.policy or owner.rules.policy,
        "Spend limit": None if limit is None else amount(limit, owner.currency),
        "Toll-free dial-in": user.toll_free_dial_in,
        "Kind": user.kind,
        "Active": user.active,
    }
    if numbers is not None:
        facts["Numbers"] = ", ".join(numbers)
    return panel(user.name, facts)


def licences_shown(catalogue: Catalogue, holder: Holder) -> RenderableType | None:
    """All licences of a user, a line each, and which of them come with a group."""
    if not holder.user.licences:
        return None
    shown = []
    for code in sorted(holder.user.licences):
        known = catalogue.licences.get(code)
        by_group = "" if code in holder.own_licences else " (by group)"
        shown.append(f"{code}  {known.name if known else ''}{by_group}")
    return lines(shown)

"""`talktime recipient`: who gets an organisation's mail."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import unless_refused
from talktime.cli.installation import (
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.output import Json, panel, show, table
from talktime.cli.users import OrganisationName
from talktime.clock import now_ms
from talktime.core.notices import ROLES
from talktime.operations.recipients import (
    Person,
    add_recipient,
    list_recipients,
    remove_recipient,
)

group = typer.Typer(no_args_is_help=True, help="Who gets an organisation's mail.")

Email = Annotated[str, typer.Argument(help="An e-mail address.", metavar="EMAIL")]


@group.command("add")
def add_command(
    organisation: OrganisationName,
    email: Email,
    role: Annotated[
        list[str] | None,
        typer.Option(help="billing, voice or admin (gets everything), once or more."),
    ] = None,
    language: Annotated[
        str, typer.Option(help="What language mail is in: en, en-US, de, de-CH.")
    ] = "en",
    time_zone: Annotated[
        str, typer.Option(help="Whose clock times are on. Default: the organisation's.")
    ] = "",
    json: Json = False,
) -> None:
    """Let an address get mail, in one role or more; again, to add roles or change the language."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        person = unless_refused(
            add_recipient(
                connection,
                owner.id,
                email,
                roles=role or ["admin"],
                language=language,
                time_zone=time_zone or owner.time_zone,
                now_ms=now_ms(),
                next_id=new_ids().next,
            )
        )
    show(json, document(person), picture(person))


@group.command("remove")
def remove_command(
    organisation: OrganisationName,
    email: Email,
    role: Annotated[
        list[str] | None, typer.Option(help="Take this role alone, once or more.")
    ] = None,
    json: Json = False,
) -> None:
    """Take roles from an address, by default all: it gets no more mail for them."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.transaction():
        kept = unless_refused(remove_recipient(connection, owner.id, email, roles=role or ROLES))
    left = document(kept) if kept else {"email": email.strip().lower(), "roles": []}
    show(json, left, picture(kept) if kept else f"{left['email']} gets no more mail.")


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List who gets mail."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        people = list_recipients(connection, owner.id)
    columns = ("E-mail", "Roles", "Language", "Time zone")
    rows = [(each.email, ", ".join(each.roles), each.language, each.time_zone) for each in people]
    empty = "Nobody gets mail yet: `talktime recipient add` lets somebody."
    show(
        json, {"recipients": [document(each) for each in people]}, table(columns, rows, empty=empty)
    )


def document(person: Person) -> dict[str, Any]:
    """A recipient as JSON."""
    return {**person._asdict(), "roles": list(person.roles)}


def picture(person: Person) -> RenderableType:
    """A recipient for people."""
    facts = {
        "Roles": ", ".join(person.roles),
        "Language": person.language,
        "Time zone": person.time_zone,
    }
    return panel(person.email, facts)

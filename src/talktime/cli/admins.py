"""`talktime admin`: people who sign in to the console and look after an organisation."""

import secrets
import sys
from typing import Annotated, Any

import typer

from talktime.cli.failures import Failure
from talktime.cli.installation import control_plane, installation, organisation_of
from talktime.cli.output import Json, moment, panel, show, table
from talktime.config import Settings
from talktime.core.limits import PASSWORD_TEXT_MAX

group = typer.Typer(no_args_is_help=True, help="People who sign in to the console.")

PASSWORD_BYTES = 32


@group.command("create")
def create_command(
    email: Annotated[str, typer.Argument(help="The e-mail address to sign in with.")],
    organisation: Annotated[str, typer.Option(help="Name of the organisation to look after.")],
    role: Annotated[
        str, typer.Option(help="owner, billing_admin, voice_admin or viewer.")
    ] = "owner",
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password from stdin. Default: a new one."),
    ] = False,
    json: Json = False,
) -> None:
    """Let a person sign in to the console and look after an organisation.

    A new account's password is made here and shown once. An account that is there gets the
    organisation too, or another role there; its password stays, unless one is given with
    --password-stdin.
    """
    settings = installation()
    given = password_from_stdin() if password_stdin else ""
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    set_up_django(settings)
    from talktime.console.accounts import account_exists, create_admin

    made = "" if given or account_exists(email) else secrets.token_urlsafe(PASSWORD_BYTES)
    account_id = create_admin(email, given or made or None, owner.id, role)
    document = {
        "id": str(account_id),
        "email": email.strip().lower(),
        "organisation": owner.name,
        "organisation_id": str(owner.id),
        "role": role,
        "password": made or None,
    }
    facts = {
        "Id": account_id,
        "Organisation": owner.name,
        "Role": role,
        "Sign in": f"{place(settings)}sign-in/",
    }
    shown = [panel(str(document["email"]), facts)]
    show(json, document, *shown, *(["The password, shown this once:", made] if made else []))


@group.command("list")
def list_command(json: Json = False) -> None:
    """List who may sign in, and to which organisation."""
    settings = installation()
    with control_plane(settings):
        set_up_django(settings)
    from talktime.console.accounts import list_admins

    documents: list[dict[str, Any]] = [
        {
            "id": str(each.account_id),
            "email": each.email,
            "organisation": each.organisation,
            "organisation_id": str(each.organisation_id),
            "role": each.role,
            "active": each.active,
            "created": moment(each.created_ms),
        }
        for each in list_admins()
    ]
    columns = ("E-mail", "Organisation", "Role", "Active", "Created")
    shown = ("email", "organisation", "role", "active", "created")
    rows = [tuple(each[name] for name in shown) for each in documents]
    empty = "Nobody can sign in yet: `talktime admin create` lets somebody."
    show(json, {"admins": documents}, table(columns, rows, empty=empty))


def password_from_stdin() -> str:
    """The first line of stdin, as it is."""
    try:
        line = sys.stdin.readline(PASSWORD_TEXT_MAX)
    except UnicodeDecodeError as error:
        raise Failure("the password on stdin is not UTF-8 text") from error
    password = line.rstrip("\r\n")
    if not password:
        raise Failure("there is no password on stdin: write it there in one line")
    return password


def place(settings: Settings) -> str:
    """The console's address, as far as the environment tells it."""
    return f"{settings.public_url}/" if settings.public_url else "/"


def set_up_django(settings: Settings) -> None:
    """Django's models can be imported only when Django has been set up."""
    from talktime.console.databases import set_up

    set_up(settings)

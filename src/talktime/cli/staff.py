"""`talktime staff`: the operator's own people, who look after all organisations."""

import secrets
from typing import Annotated, Any

import typer

from talktime.cli.admins import PASSWORD_BYTES, password_from_stdin, place, set_up_django
from talktime.cli.installation import control_plane, installation
from talktime.cli.output import Json, moment, panel, show, table

group = typer.Typer(no_args_is_help=True, help="The operator's people, for all organisations.")

Email = Annotated[str, typer.Argument(help="The e-mail address to sign in with.")]


@group.command("add")
def add_command(
    email: Email,
    role: Annotated[
        str, typer.Option(help="operator (looks after all) or finance (sees all).")
    ] = "operator",
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password from stdin. Default: a new one."),
    ] = False,
    json: Json = False,
) -> None:
    """Let a person of the operator's sign in and look after all organisations.

    A new account's password is made here and shown once. An account that is there gets the role;
    its password stays, unless one is given with --password-stdin. An operator made here may give
    credits and approve at once; one made in the console waits until a second operator, or this
    command, confirms it.
    """
    settings = installation()
    given = password_from_stdin() if password_stdin else ""
    with control_plane(settings):
        set_up_django(settings)
    from talktime.console.accounts import account_exists, create_staff

    made = "" if given or account_exists(email) else secrets.token_urlsafe(PASSWORD_BYTES)
    account_id = create_staff(email, given or made or None, role)
    document = {
        "id": str(account_id),
        "email": email.strip().lower(),
        "role": role,
        "password": made or None,
    }
    facts = {"Id": account_id, "Role": role, "Sign in": f"{place(settings)}sign-in/"}
    shown = [panel(str(document["email"]), facts)]
    show(json, document, *shown, *(["The password, shown this once:", made] if made else []))


@group.command("list")
def list_command(json: Json = False) -> None:
    """List the operator's people and their roles."""
    settings = installation()
    with control_plane(settings):
        set_up_django(settings)
    from talktime.console.accounts import list_staff

    documents: list[dict[str, Any]] = [
        {
            "id": str(each.account_id),
            "email": each.email,
            "role": each.role,
            "confirmed": each.confirmed,
            "active": each.active,
            "created": moment(each.created_ms),
        }
        for each in list_staff()
    ]
    shown = ("email", "role", "confirmed", "active", "created")
    rows = [tuple(each[name] for name in shown) for each in documents]
    empty = "There is no staff yet: `talktime staff add` lets somebody look after all."
    columns = ("E-mail", "Role", "Confirmed", "Active", "Created")
    show(json, {"staff": documents}, table(columns, rows, empty=empty))


@group.command("remove")
def remove_command(email: Email, json: Json = False) -> None:
    """Take the role from somebody of the operator's; the account stays."""
    settings = installation()
    with control_plane(settings):
        set_up_django(settings)
    from talktime.console.accounts import remove_staff

    remove_staff(email)
    document = {"email": email.strip().lower(), "role": None}
    show(json, document, f"{document['email']} is no longer one of the operator's people.")

"""The commands of `talktime`, and their order in its help.

One is loaded when it is asked for, all for the help: most take less time than loading the others.
"""

import getpass
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from socket import gethostname
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from talktime import __version__
from talktime.cli.installation import new_ids
from talktime.clock import now_ms
from talktime.core.audit import Actor
from talktime.operations.audit import acting

PANELS = {
    "Run": {
        "serve": "serve:serve_command",
        "migrate": "migrate:migrate_command",
        "jobs": "jobs:jobs_command",
        "clock": "clock:group",
    },
    "Set up": {
        "organisation": "organisations:group",
        "admin": "admins:group",
        "staff": "staff:group",
        "user": "user_files:group",
        "group": "licence_groups:group",
        "number": "numbers:group",
        "key": "keys:group",
        "peer": "peers:group",
        "provider": "providers:group",
        "recipient": "recipients:group",
        "webhook": "webhooks:group",
        "import-rates": "rates:import_rates_command",
        "licensing": "licensing:licensing_command",
        "catalogue": "catalogue:group",
    },
    "Calls": {
        "pools": "pools:pools_command",
        "calls": "running_calls:calls_command",
        "quote": "calls:quote_command",
        "call": "calls:group",
        "replay": "replay:replay_command",
    },
    "Money and proof": {
        "wallet": "wallet:wallet_command",
        "purchase": "purchases:group",
        "payment-method": "payment_methods:group",
        "recharge": "recharge:group",
        "alerts": "recharge:alerts_group",
        "grant": "grants:group",
        "refund": "refunds:group",
        "fund": "fund:fund_command",
        "take-back": "take_back:take_back_command",
        "billing-profile": "invoices:profile_group",
        "invoice": "invoices:group",
        "post-statement": "post_statements:group",
        "statement": "statement:statement_command",
        "attention": "attention:group",
        "notices": "notices:notices_command",
        "audit": "audit:audit_command",
        "check-books": "check_books:check_books_command",
        "usage": "usage:group",
    },
}
"""The panels of the help, and by its name where each command or group of commands is: the module
of this package, and what it is called there."""


PLACES = {name: (panel, place) for panel, of_it in PANELS.items() for name, place in of_it.items()}


class Commands(Mapping[str, Any]):
    """The commands by name, each loaded when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        panel, place = PLACES[name]
        return _loaded(name, panel, *place.split(":"))

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


@cache
def _loaded(name: str, panel: str, module: str, attribute: str) -> Any:
    found = getattr(import_module(f"talktime.cli.{module}"), attribute)
    holder = typer.Typer(rich_markup_mode="rich")
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name, rich_help_panel=panel)
    else:
        holder.command(name, rich_help_panel=panel)(found)
    holder.callback()(lambda: None)  # with one, also a single command is in a group
    return typer.main.get_group(holder).commands[name]


class Shell(TyperGroup):
    """`talktime` itself."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added to it


app = typer.Typer(
    cls=Shell,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Prepaid communications credits for voice platforms, charged call by call.\n\n"
    "The environment says which installation is meant: TALKTIME_DATA or DATABASE_URL, "
    "TALKTIME_CELLS; HOST and PORT to serve on; TALKTIME_URL and TALKTIME_KEY for requests.",
)


ACTS_FOR_OTHERS = ("serve",)
"""Commands in which the shell does not act itself: what runs in them says for whom."""


def shell_actor() -> Actor:
    """Who runs this shell, on which machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Actor("shell", name, gethostname())


def version(wanted: bool) -> None:
    if wanted:
        print(f"talktime {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What holds for all commands."""
    if context.invoked_subcommand not in ACTS_FOR_OTHERS:
        ids = new_ids()
        context.with_resource(acting(shell_actor(), now_ms, ids.next))


@cache
def command() -> Any:
    """`talktime` with all its commands, to be called with arguments.

    Put together once a process: that takes longer than most of the commands do.
    """
    return typer.main.get_command(app)

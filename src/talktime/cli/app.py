"""The commands of `talktime`, and their order in its help."""

import getpass
import os
from functools import cache
from socket import gethostname
from typing import Annotated, Any

import typer

from talktime import __version__
from talktime.cli.admins import group as admin_group
from talktime.cli.audit import audit_command
from talktime.cli.calls import group as call_group
from talktime.cli.calls import quote_command
from talktime.cli.catalogue import group as catalogue_group
from talktime.cli.check_books import check_books_command
from talktime.cli.clock import group as clock_group
from talktime.cli.commerce_model import move_command
from talktime.cli.fund import fund_command
from talktime.cli.grants import group as grant_group
from talktime.cli.installation import new_ids
from talktime.cli.invoices import group as invoice_group
from talktime.cli.invoices import profile_group as billing_profile_group
from talktime.cli.jobs import jobs_command
from talktime.cli.keys import group as key_group
from talktime.cli.licence_groups import group as licence_group_group
from talktime.cli.licensing import licensing_command
from talktime.cli.migrate import migrate_command
from talktime.cli.notices import notices_command
from talktime.cli.numbers import group as number_group
from talktime.cli.organisations import group as organisation_group
from talktime.cli.payment_methods import group as payment_method_group
from talktime.cli.peers import group as peer_group
from talktime.cli.pools import pools_command
from talktime.cli.post_statements import group as post_statement_group
from talktime.cli.providers import group as provider_group
from talktime.cli.purchases import group as purchase_group
from talktime.cli.rates import import_rates_command
from talktime.cli.recharge import alerts_group
from talktime.cli.recharge import group as recharge_group
from talktime.cli.recipients import group as recipient_group
from talktime.cli.refunds import group as refund_group
from talktime.cli.replay import replay_command
from talktime.cli.running_calls import calls_command
from talktime.cli.serve import serve_command
from talktime.cli.staff import group as staff_group
from talktime.cli.statement import statement_command
from talktime.cli.take_back import take_back_command
from talktime.cli.usage import group as usage_group
from talktime.cli.user_files import export_users_command, import_users_command
from talktime.cli.users import group as user_group
from talktime.cli.wallet import wallet_command
from talktime.cli.webhooks import group as webhook_group
from talktime.clock import now_ms
from talktime.core.audit import Actor
from talktime.operations.audit import acting

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
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


RUN, KEEP, CALL, PROVE = "Run", "Set up", "Calls", "Money and proof"

app.command("serve", rich_help_panel=RUN)(serve_command)
app.command("migrate", rich_help_panel=RUN)(migrate_command)
app.command("jobs", rich_help_panel=RUN)(jobs_command)
app.add_typer(clock_group, name="clock", rich_help_panel=RUN)
app.add_typer(organisation_group, name="organisation", rich_help_panel=KEEP)
organisation_group.command("move")(move_command)
app.add_typer(admin_group, name="admin", rich_help_panel=KEEP)
app.add_typer(staff_group, name="staff", rich_help_panel=KEEP)
app.add_typer(user_group, name="user", rich_help_panel=KEEP)
user_group.command("import")(import_users_command)
user_group.command("export")(export_users_command)
app.add_typer(licence_group_group, name="group", rich_help_panel=KEEP)
app.add_typer(number_group, name="number", rich_help_panel=KEEP)
app.add_typer(key_group, name="key", rich_help_panel=KEEP)
app.add_typer(peer_group, name="peer", rich_help_panel=KEEP)
app.add_typer(provider_group, name="provider", rich_help_panel=KEEP)
app.add_typer(recipient_group, name="recipient", rich_help_panel=KEEP)
app.add_typer(webhook_group, name="webhook", rich_help_panel=KEEP)
app.command("import-rates", rich_help_panel=KEEP)(import_rates_command)
app.command("licensing", rich_help_panel=KEEP)(licensing_command)
app.add_typer(catalogue_group, name="catalogue", rich_help_panel=KEEP)
app.command("pools", rich_help_panel=CALL)(pools_command)
app.command("calls", rich_help_panel=CALL)(calls_command)
app.command("quote", rich_help_panel=CALL)(quote_command)
app.add_typer(call_group, name="call", rich_help_panel=CALL)
app.command("replay", rich_help_panel=CALL)(replay_command)
app.command("wallet", rich_help_panel=PROVE)(wallet_command)
app.add_typer(purchase_group, name="purchase", rich_help_panel=PROVE)
app.add_typer(payment_method_group, name="payment-method", rich_help_panel=PROVE)
app.add_typer(recharge_group, name="recharge", rich_help_panel=PROVE)
app.add_typer(alerts_group, name="alerts", rich_help_panel=PROVE)
app.add_typer(grant_group, name="grant", rich_help_panel=PROVE)
app.add_typer(refund_group, name="refund", rich_help_panel=PROVE)
app.command("fund", rich_help_panel=PROVE)(fund_command)
app.command("take-back", rich_help_panel=PROVE)(take_back_command)
app.add_typer(billing_profile_group, name="billing-profile", rich_help_panel=PROVE)
app.add_typer(invoice_group, name="invoice", rich_help_panel=PROVE)
app.add_typer(post_statement_group, name="post-statement", rich_help_panel=PROVE)
app.command("statement", rich_help_panel=PROVE)(statement_command)
app.command("notices", rich_help_panel=PROVE)(notices_command)
app.command("audit", rich_help_panel=PROVE)(audit_command)
app.command("check-books", rich_help_panel=PROVE)(check_books_command)
app.add_typer(usage_group, name="usage", rich_help_panel=PROVE)


@cache
def command() -> Any:
    """`talktime` with all its commands, to be called with arguments.

    Put together once a process: that takes longer than most of the commands do.
    """
    return typer.main.get_command(app)

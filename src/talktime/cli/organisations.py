"""`talktime organisation`: make one with its wallet, look at it, change it, list all."""

from contextlib import ExitStack
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import Failure, unless_refused
from talktime.cli.installation import (
    all_pages,
    cell,
    control_plane,
    installation,
    new_ids,
    now_ms,
    organisation_of,
)
from talktime.cli.output import Json, amount, document_of, moment, panel, show, table
from talktime.core.books import Terms
from talktime.core.commands import ExpireLots
from talktime.core.directory import Organisation
from talktime.core.ledger import Wallet
from talktime.core.money import decimal_text
from talktime.operations.organisations import (
    change_organisation,
    create_organisation,
    list_organisations,
)
from talktime.store.load import load

group = typer.Typer(no_args_is_help=True, help="Organisations, each with one wallet.")

Name = Annotated[str, typer.Argument(help="Its name: contoso.example.", metavar="NAME")]


@group.command("create")
def create_command(
    name: Name,
    country: Annotated[str, typer.Option(help="Its country: US.")],
    currency: Annotated[str, typer.Option(help="Currency of its wallet, for good.")] = "USD",
    time_zone: Annotated[
        str, typer.Option(help="Its time zone: Europe/Oslo. Money expires by it.")
    ] = "UTC",
    rate_card: Annotated[str, typer.Option(help="The rate card its calls cost by.")] = "standard",
    cell_name: Annotated[
        str, typer.Option("--cell", help="Where its books are. Default: the first cell.")
    ] = "",
    json: Json = False,
) -> None:
    """Make an organisation, prepaid, with an empty wallet."""
    settings = installation()
    home = cell_name or next(iter(settings.cells))
    with ExitStack() as opened:
        control = opened.enter_context(control_plane(settings))
        cells = {home: opened.enter_context(cell(settings, home))}
        made = unless_refused(
            create_organisation(
                control,
                cells,
                name=name,
                cell=home,
                currency=currency,
                time_zone=time_zone,
                country=country,
                rate_card=rate_card,
                now_ms=now_ms(),
                next_id=new_ids().next,
            )
        )
    show(json, document_of(made), picture(made))


@group.command("list")
def list_command(json: Json = False) -> None:
    """List all organisations by name."""
    with control_plane(installation()) as control, control.reading():
        found = all_pages(
            lambda after: list_organisations(control, after=after), "", lambda each: each.name
        )
    columns = ("Name", "Country", "Currency", "Time zone", "Rate card", "Active")
    rows = [
        (each.name, each.country, each.currency, each.time_zone, each.rate_card, each.active)
        for each in found
    ]
    empty = "There are no organisations: `talktime organisation create` makes one."
    document = {"organisations": [document_of(each) for each in found]}
    show(json, document, table(columns, rows, empty=empty))


@group.command("show")
def show_command(name: Name, json: Json = False) -> None:
    """Show an organisation with its balance and its lots."""
    settings = installation()
    at_ms = now_ms()
    with control_plane(settings) as control:
        found = organisation_of(control, name)
    with cell(settings, found.cell) as connection, connection.reading():
        books = load(connection, [ExpireLots(found.id)], new_ids().next, Terms(), lock=False)
    wallet = books.wallets.get(found.id)
    if wallet is None:
        raise Failure(f"the wallet of {found.name} is missing in cell {found.cell}")
    document = {**document_of(found), "wallet": wallet_document(wallet, at_ms)}
    show(json, document, picture(found, wallet, at_ms), lots_table(wallet, at_ms))


@group.command("change")
def change_command(
    name: Name,
    active: Annotated[
        bool | None,
        typer.Option("--active/--inactive", help="Let its calls through, or refuse them."),
    ] = None,
    rate_card: Annotated[str | None, typer.Option(help="The rate card from now on.")] = None,
    json: Json = False,
) -> None:
    """Switch an organisation off or on, or rate it by another card."""
    with control_plane(installation()) as control, control.transaction():
        changed = unless_refused(
            change_organisation(control, name, active=active, rate_card=rate_card)
        )
    show(json, document_of(changed), picture(changed))


def picture(
    organisation: Organisation, wallet: Wallet | None = None, at_ms: int = 0
) -> RenderableType:
    """An organisation for people."""
    facts: dict[str, object] = {
        "Id": organisation.id,
        "Country": organisation.country,
        "Time zone": organisation.time_zone,
        "Rate card": organisation.rate_card,
        "Model": organisation.commerce_model,
        "Cell": organisation.cell,
        "Active": organisation.active,
    }
    if wallet is None:
        facts["Currency"] = organisation.currency
    else:
        currency = wallet.currency
        facts["Balance"] = amount(wallet.balance_micros, currency)
        facts["Held"] = amount(wallet.held_micros, currency)
        facts["Available"] = amount(wallet.available_micros(at_ms), currency)
        if wallet.debt_micros:
            facts["Debt"] = amount(wallet.debt_micros, currency)
    return panel(organisation.name, facts)


def wallet_document(wallet: Wallet, at_ms: int) -> dict[str, Any]:
    """A wallet for programs."""
    return {
        "currency": wallet.currency,
        "balance": decimal_text(wallet.balance_micros),
        "held": decimal_text(wallet.held_micros),
        "debt": decimal_text(wallet.debt_micros),
        "available": decimal_text(wallet.available_micros(at_ms)),
        "lots": [
            {
                "lot_id": str(lot.id),
                "source": lot.source,
                "amount": decimal_text(lot.amount_micros),
                "remaining": decimal_text(lot.remaining_micros),
                "held": decimal_text(lot.held_micros),
                "purchased": moment(lot.purchased_ms),
                "expires": moment(lot.expires_ms),
                "expired": lot.expires_ms <= at_ms,
                "reason": lot.reason,
                "actor": lot.actor,
            }
            for lot in wallet.lots
        ],
    }


def lots_table(wallet: Wallet, at_ms: int) -> RenderableType:
    """A wallet's lots for people, in the order in which they are spent."""
    currency = wallet.currency
    rows = [
        (
            *(lot.source, amount(lot.amount_micros, currency)),
            *(amount(lot.remaining_micros, currency), amount(lot.held_micros, currency)),
            f"{moment(lot.expires_ms)}{' (expired)' if lot.expires_ms <= at_ms else ''}",
            *(lot.actor, lot.reason),
        )
        for lot in wallet.lots
    ]
    columns = ("Source", "Amount", "Left", "Held", "Expires", "By", "Reason")
    empty = "Nothing was funded, or all of it is spent."
    return table(columns, rows, title="Lots", right=("Amount", "Left", "Held"), empty=empty)

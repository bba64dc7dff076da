"""`talktime payment-method`: what an organisation pays with. Cards are added by their holders, in
the console."""

from typing import Annotated

import typer
from rich.console import RenderableType

from talktime.cli.counters import counter_of
from talktime.cli.failures import unless_refused
from talktime.cli.fund import account
from talktime.cli.installation import new_ids
from talktime.cli.output import Json, moment, panel, show, table
from talktime.cli.purchases import Actor, Organisation_
from talktime.clock import now_ms
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.payments import PaymentMethod, PaymentTry
from talktime.operations.money_documents import method_document
from talktime.operations.payment_methods import (
    add_invoice,
    declined_for_good,
    list_methods,
    make_first,
    remove_method,
)

Declined = dict[int, PaymentTry]

group = typer.Typer(no_args_is_help=True, help="What organisations pay with.")

MethodId = Annotated[
    int,
    typer.Argument(
        min=0, max=ID_MAX, help="Its id, as `talktime payment-method list` shows it.", metavar="ID"
    ),
]


@group.command("add-invoice")
def add_invoice_command(
    organisation: Organisation_,
    agreement: Annotated[str, typer.Option(help="Number of the agreement to pay invoices.")],
    po_number: Annotated[str, typer.Option(help="Purchase order of all its invoices.")] = "",
    actor: Actor = "",
    json: Json = False,
) -> None:
    """Let an organisation pay by invoice, under an agreement."""
    who = actor or account()
    with counter_of(organisation) as (owner, counter, *_):
        made = unless_refused(
            add_invoice(
                counter.cell,
                owner,
                agreement=agreement,
                po_number=po_number,
                actor=who,
                now_ms=now_ms(),
                next_id=new_ids().next,
            )
        )
    facts = {"Id": made.id, "PO number": made.po_number, "By": made.created_by}
    show(json, method_document(made), panel(f"{owner.name}: {made.name}", facts))


@group.command("list")
def list_command(organisation: Organisation_, json: Json = False) -> None:
    """List the payment methods in the order in which they are tried."""
    with counter_of(organisation) as (owner, counter, *_):
        found = list_methods(counter.cell, owner)
        declined = declined_for_good(counter.cell, owner)
    show(json, documents(found, declined), picture(owner, found, declined))


@group.command("first")
def first_command(organisation: Organisation_, method: MethodId, json: Json = False) -> None:
    """Try this method before all others."""
    with counter_of(organisation) as (owner, counter, *_):
        found = unless_refused(make_first(counter, method))
        declined = declined_for_good(counter.cell, owner)
    show(json, documents(found, declined), picture(owner, found, declined))


@group.command("remove")
def remove_command(organisation: Organisation_, method: MethodId, json: Json = False) -> None:
    """Use a method no more. A charge that is on its way is finished."""
    with counter_of(organisation) as (owner, counter, *_):
        removed = unless_refused(remove_method(counter, method))
        left = list_methods(counter.cell, owner)
        declined = declined_for_good(counter.cell, owner)
    gone = method_document(removed, declined.get(removed.id))
    show(json, gone, picture(owner, left, declined))


def documents(methods: list[PaymentMethod], declined: Declined) -> dict[str, object]:
    """The methods for programs; `declined`: the last charges of cards, declined for good."""
    return {"payment_methods": [method_document(each, declined.get(each.id)) for each in methods]}


def picture(
    owner: Organisation, methods: list[PaymentMethod], declined: Declined
) -> RenderableType:
    """The methods for people; `declined`: the last charges of cards, declined for good."""
    rows = [
        (
            *(each.id, each.name, f"{each.exp_year}-{each.exp_month:02}" if each.exp_month else ""),
            *(each.po_number, moment(each.created_ms), why(declined.get(each.id))),
        )
        for each in methods
    ]
    columns = ("Id", "Method", "Expires", "PO number", "Since", "Declined")
    empty = "none yet. A card is added in the console, an agreement with `add-invoice`."
    return table(columns, rows, title=f"Payment methods of {owner.name}", empty=empty)


def why(declined: PaymentTry | None) -> str:
    """When and why a card was declined for good; empty where it was not."""
    if declined is None:
        return ""
    at = moment(declined.closed_ms or declined.created_ms)
    return f"{at}: {declined.detail or declined.code}"

"""`talktime refund`: give money of a payment back, and see what went back."""

import secrets
from typing import Annotated

import typer
from rich.console import RenderableType

from talktime.cli.counters import counter_of, micros_of
from talktime.cli.failures import unless_refused
from talktime.cli.fund import account, repeatable
from talktime.cli.output import Json, amount, moment, panel, show, table
from talktime.cli.purchases import Actor, Money, Organisation_, PaymentId
from talktime.core.directory import Organisation
from talktime.core.refunding import Refund
from talktime.operations.money_documents import refund_document
from talktime.operations.refunds import list_refunds, start_refund

group = typer.Typer(no_args_is_help=True, help="Money of payments that goes back.")


@group.command("start")
def start_command(
    organisation: Organisation_,
    payment: PaymentId,
    money: Money,
    reason: Annotated[str, typer.Option(help="Why; kept with the refund.")],
    reference: Annotated[
        str, typer.Option(help="Of an invoice's payment: how it was given back by hand.")
    ] = "",
    actor: Actor = "",
    idempotency_key: Annotated[
        str, typer.Option(help="The same key again refunds nothing twice. Default: a new one.")
    ] = "",
    json: Json = False,
) -> None:
    """Refund a payment, or a part of it: what is left of its lot is taken back, what is spent
    becomes a debt, and auto-recharge pauses until that is paid."""
    amount_micros = micros_of(money, "AMOUNT")
    key, who = idempotency_key or secrets.token_hex(16), actor or account()
    with counter_of(organisation) as opened, repeatable(key, "it was refunded", "refunds"):
        begun = unless_refused(
            start_refund(
                opened.counter,
                payment,
                amount_micros,
                reason=reason,
                actor=who,
                idempotency_key=key,
                reference=reference,
            )
        )
    document = {**refund_document(begun.refund), "replayed": begun.replayed}
    show(json, {**document, "idempotency_key": key}, picture(opened.owner, begun.refund))


@group.command("list")
def list_command(organisation: Organisation_, payment: PaymentId, json: Json = False) -> None:
    """List what of a payment went back: refunds and chargebacks."""
    with counter_of(organisation) as (owner, counter, *_):
        found = list_refunds(counter, payment)
    rows = [
        (
            *(each.id, moment(each.created_ms), each.kind, each.state),
            *(amount(micros, "").strip() for micros in (each.amount_micros, each.debt_micros)),
            each.detail or each.reason,
        )
        for each in found
    ]
    columns = ("Id", "Begun", "Kind", "State", f"Amount ({owner.currency})", "Of it debt", "Why")
    title = f"What went back of payment {payment}"
    pictured = table(columns, rows, title=title, right=columns[4:6], empty="Nothing went back.")
    show(json, {"refunds": [refund_document(each) for each in found]}, pictured)


def picture(owner: Organisation, refund: Refund) -> RenderableType:
    """A refund for people."""
    facts: dict[str, object] = {
        "Id": refund.id,
        "State": refund.state,
        "Taken from its lot": amount(refund.voided_micros, owner.currency),
        "Made a debt": amount(refund.debt_micros, owner.currency),
        "Reason": refund.reason,
        "By": refund.actor,
    }
    return panel(
        f"{owner.name}: {refund.kind} of {amount(refund.amount_micros, owner.currency)}", facts
    )

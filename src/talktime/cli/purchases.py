"""`talktime purchase`: buy credits with a payment method of the organisation's, see what came of
it, say that an invoice is paid."""

import secrets
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.counters import counter_of, giver_of, micros_of
from talktime.cli.failures import unless_refused
from talktime.cli.fund import account, repeatable
from talktime.cli.output import Json, amount, lines, moment, panel, show, table
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.payments import SUCCEEDED, Payment
from talktime.operations.money_documents import payment_document, terms_document
from talktime.operations.purchases import (
    cancel_payment,
    find_payment,
    list_payments,
    start_purchase,
    terms_of,
)
from talktime.operations.receipts import receive

group = typer.Typer(no_args_is_help=True, help="Purchases of credits, and all other payments.")

SHOWN_MAX = 100

Organisation_ = Annotated[str, typer.Argument(help="Its name.", metavar="ORGANISATION")]
Money = Annotated[
    str, typer.Argument(help="How much, in the wallet's currency: 250 or 99.50.", metavar="AMOUNT")
]
PaymentId = Annotated[
    int,
    typer.Argument(
        min=0, max=ID_MAX, help="Its id, as `talktime purchase list` shows it.", metavar="ID"
    ),
]
Actor = Annotated[str, typer.Option(help="Who does it. Default: the account of this shell.")]


@group.command("terms")
def terms_command(organisation: Organisation_, money: Money, json: Json = False) -> None:
    """Show what holds for a purchase of so much, if it were made now: when it would expire."""
    amount_micros = micros_of(money, "AMOUNT")
    with counter_of(organisation) as (owner, counter, why_not, *_):
        terms = unless_refused(terms_of(counter, amount_micros, why_not))
    facts = {
        "Amount": amount(amount_micros, owner.currency),
        "Expires": moment(terms.expires_ms),
        "Terms": lines(terms.terms),
    }
    show(json, terms_document(terms, owner.currency), panel(f"{owner.name}: terms", facts))


@group.command("start")
def start_command(
    organisation: Organisation_,
    money: Money,
    method: Annotated[
        int, typer.Option(min=0, max=ID_MAX, help="Id of the payment method that pays.")
    ],
    po_number: Annotated[str, typer.Option(help="Purchase order, for an invoice alone.")] = "",
    actor: Actor = "",
    idempotency_key: Annotated[
        str, typer.Option(help="The same key again buys nothing twice. Default: a new one.")
    ] = "",
    json: Json = False,
) -> None:
    """Buy credits: a card is charged at once, an invoice waits for its money.

    They expire 12 months later in the organisation's time zone, or after the months that the
    catalogue says (`lot_months`), and are not refundable.
    """
    amount_micros = micros_of(money, "AMOUNT")
    key, who = idempotency_key or secrets.token_hex(16), actor or account()
    with counter_of(organisation) as opened, repeatable(key, "it was bought", "buys"):
        begun = unless_refused(
            start_purchase(
                opened.counter,
                amount_micros=amount_micros,
                method_id=method,
                po_number=po_number,
                idempotency_key=key,
                actor=who,
                why_not=opened.why_not,
            )
        )
    document = {**payment_document(begun.payment), "replayed": begun.replayed}
    more = {"Idempotency key": key, "Replayed": begun.replayed or ""}
    show(json, {**document, "idempotency_key": key}, picture(opened.owner, begun.payment, **more))


@group.command("show")
def show_command(organisation: Organisation_, payment: PaymentId, json: Json = False) -> None:
    """Show a payment, and why it stands as it does."""
    with counter_of(organisation) as (owner, counter, *_):
        found = unless_refused(find_payment(counter, payment))
    show(json, payment_document(found), picture(owner, found))


@group.command("list")
def list_command(
    organisation: Organisation_,
    before: Annotated[
        int | None,
        typer.Option(min=0, max=ID_MAX, help="Go on after the payment of this id, to older ones."),
    ] = None,
    json: Json = False,
) -> None:
    """List all payments, recharges too, the latest 100 first."""
    with counter_of(organisation) as (owner, counter, *_):
        found = list_payments(counter, before=before, limit=SHOWN_MAX)
    rows = [
        (
            *(each.id, moment(each.created_ms), each.kind, amount(each.amount_micros, "").strip()),
            *(each.state, each.detail or each.code),
        )
        for each in found
    ]
    columns = ("Id", "Begun", "Kind", f"Amount ({owner.currency})", "State", "Why")
    title = f"Payments of {owner.name}"
    pictured = table(columns, rows, title=title, right=(columns[3],), empty="There are none yet.")
    show(json, {"payments": [payment_document(each) for each in found]}, pictured)


@group.command("receipt")
def receipt_command(
    organisation: Organisation_,
    payment: PaymentId,
    reference: Annotated[str, typer.Option(help="What the bank's statement says of it.")],
    actor: Actor = "",
    json: Json = False,
) -> None:
    """Say that the money of an invoice is there: its credits are added, once.

    Said again it changes nothing, whatever the reference. Who ordered it confirms no more than one
    person may give in 24 hours: another (--actor) does.
    """
    who = actor or account()
    with counter_of(organisation) as opened:
        owner, counter = opened.owner, opened.counter
        before = unless_refused(find_payment(counter, payment))
        done = receive(giver_of(opened), counter, payment, reference=reference, actor=who)
        paid = unless_refused(done)
    again = before.state == SUCCEEDED
    words = "had been received before: nothing was changed, its reference neither" if again else ""
    document = {**payment_document(paid), "replayed": again}
    show(json, document, picture(owner, paid, Receipt=words))


@group.command("cancel")
def cancel_command(
    organisation: Organisation_,
    payment: PaymentId,
    reason: Annotated[str, typer.Option(help="Why; kept with the payment.")],
    json: Json = False,
) -> None:
    """Give up a payment that nothing was charged for: an invoice, or a recharge that waits."""
    with counter_of(organisation) as (owner, counter, *_):
        given_up = unless_refused(cancel_payment(counter, payment, reason=reason))
    show(json, payment_document(given_up), picture(owner, given_up))


def picture(owner: Organisation, payment: Payment, **more: Any) -> RenderableType:
    """A payment for people."""
    facts: dict[str, object] = {
        "Id": payment.id,
        "State": payment.state,
        "Why": payment.detail or payment.code,
        "Bank's page": payment.action_url,
        "PO number": payment.po_number,
        "Next step": moment(payment.due_ms),
        "Begun": moment(payment.created_ms),
        "Ended": moment(payment.closed_ms),
        "Lot": payment.lot_id,
        "By": payment.actor,
        **more,
    }
    title = f"{owner.name}: {payment.kind} of {amount(payment.amount_micros, payment.currency)}"
    return panel(title, {name: value for name, value in facts.items() if value})

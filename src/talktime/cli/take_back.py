"""`talktime take-back`: an operator takes back credits that were entered by mistake."""

import secrets
from typing import Annotated

import typer
from rich.console import RenderableType

from talktime.cli.counters import counter_of, micros_of
from talktime.cli.failures import unless_refused
from talktime.cli.fund import account, repeatable
from talktime.cli.output import Json, amount, panel, show
from talktime.cli.purchases import Actor, Money, Organisation_
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.operations.money_documents import taken_back_document
from talktime.operations.take_back import Took, take_back

LotId = Annotated[
    int,
    typer.Argument(
        min=0, max=ID_MAX, help="Its id, as `talktime statement` shows it.", metavar="LOT"
    ),
]


def take_back_command(
    organisation: Organisation_,
    lot: LotId,
    money: Money,
    reason: Annotated[str, typer.Option(help="Why; kept with what was taken back.")],
    owe: Annotated[
        bool, typer.Option("--owe", help="What is spent or held by calls becomes a debt.")
    ] = False,
    actor: Actor = "",
    idempotency_key: Annotated[
        str, typer.Option(help="The same key again takes nothing back twice. Default: a new one.")
    ] = "",
    json: Json = False,
) -> None:
    """Take back credits that were entered by hand, by mistake: a lot, or a part of it.

    Only what is free of the lot, unless you say --owe. What a payment has bought is refunded
    instead.
    """
    amount_micros = micros_of(money, "AMOUNT")
    key, who = idempotency_key or secrets.token_hex(16), actor or account()
    with counter_of(organisation) as opened, repeatable(key, "it was taken back", "takes it back"):
        took = unless_refused(
            take_back(
                *(opened.counter, lot, amount_micros),
                reason=reason,
                actor=who,
                idempotency_key=key,
                owe=owe,
            )
        )
    document = {**taken_back_document(took.taken), "replayed": took.replayed}
    show(json, {**document, "idempotency_key": key}, picture(opened.owner, took, key))


def picture(owner: Organisation, took: Took, key: str) -> RenderableType:
    """What was taken back, for people."""
    taken = took.taken
    facts = {
        "Lot": taken.lot_id,
        "Taken from it": amount(taken.voided_micros, owner.currency),
        "Made a debt": amount(taken.debt_micros, owner.currency),
        "Reason": taken.reason,
        "By": taken.actor,
        "Idempotency key": key,
    }
    done = "had been taken back with this key before" if took.replayed else "taken back"
    return panel(f"{owner.name}: {amount(taken.amount_micros, owner.currency)} {done}", facts)

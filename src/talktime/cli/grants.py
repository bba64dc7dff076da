"""`talktime grant`: credits that an operator gives; above a limit another operator must approve."""

import secrets
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.counters import OpenCounter, counter_of, giver_of, micros_of
from talktime.cli.failures import refused, unless_refused
from talktime.cli.fund import account, repeatable
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, amount, moment, panel, show, table
from talktime.cli.purchases import Actor, Money, Organisation_
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.outcomes import Funded
from talktime.core.refusal import Refusal
from talktime.operations.grants import (
    Grant,
    approve,
    give,
    list_requests,
    reject,
)
from talktime.operations.money_documents import grant_document, lot_document
from talktime.store.grants import GrantRequest

group = typer.Typer(no_args_is_help=True, help="Credits that an operator gives.")

RequestId = Annotated[
    int,
    typer.Argument(
        min=0, max=ID_MAX, help="Its id, as `talktime grant list` shows it.", metavar="ID"
    ),
]


@group.command("give")
def give_command(
    organisation: Organisation_,
    money: Money,
    reason: Annotated[str, typer.Option(help="Why; kept with the money.")],
    promotional: Annotated[
        bool, typer.Option("--promotional", help="Spent before what was paid for.")
    ] = False,
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="When it expires. Default: as what is bought.")
    ] = "",
    actor: Actor = "",
    idempotency_key: Annotated[
        str, typer.Option(help="The same key again gives nothing twice. Default: a new one.")
    ] = "",
    json: Json = False,
) -> None:
    """Give credits, or, of more than one person may give in 24 hours, ask another to approve."""
    amount_micros = micros_of(money, "AMOUNT")
    key, who = idempotency_key or secrets.token_hex(16), actor or account()
    lasts_until_ms = moment_ms(expires) if expires else None
    grant = Grant(amount_micros, reason, who, key, promotional, lasts_until_ms)
    with counter_of(organisation) as opened, repeatable(key, "it was given", "gives"):
        done = give(giver_of(opened), grant)
        if isinstance(done, Refusal):
            raise refused(done)
    show(json, {**document(done, opened), "idempotency_key": key}, picture(opened.owner, done))


@group.command("list")
def list_command(organisation: Organisation_, json: Json = False) -> None:
    """List the grants that wait for a second operator, and those that were decided."""
    with counter_of(organisation) as opened:
        found = list_requests(giver_of(opened))
    owner = opened.owner
    rows = [
        (
            *(each.id, moment(each.asked_ms), amount(each.amount_micros, "").strip(), each.state),
            *(each.asked_by, each.decided_by, each.reason),
        )
        for each in found
    ]
    columns = ("Id", "Asked", f"Amount ({owner.currency})", "State", "By", "Decided by", "Reason")
    pictured = table(columns, rows, title=f"Grants to {owner.name}", empty="None was asked for.")
    show(json, {"grants": [grant_document(each) for each in found]}, pictured)


@group.command("approve")
def approve_command(
    organisation: Organisation_, request: RequestId, actor: Actor = "", json: Json = False
) -> None:
    """Give what another operator asked for, once."""
    with counter_of(organisation) as opened:
        done = unless_refused(approve(giver_of(opened), request, actor=actor or account()))
    show(json, document(done, opened), picture(opened.owner, done))


@group.command("reject")
def reject_command(
    organisation: Organisation_, request: RequestId, actor: Actor = "", json: Json = False
) -> None:
    """Do not give what another operator asked for."""
    with counter_of(organisation) as opened:
        done = unless_refused(reject(giver_of(opened), request, actor=actor or account()))
    show(json, document(done, opened), picture(opened.owner, done))


def document(done: Funded | GrantRequest, opened: OpenCounter) -> dict[str, Any]:
    """What was given or asked for, for programs."""
    if isinstance(done, GrantRequest):
        return grant_document(done)
    return {"state": "given", "lot": lot_document(done.lot, opened.counter.now_ms)}


def picture(owner: Organisation, done: Funded | GrantRequest) -> RenderableType:
    """What was given or asked for, for people."""
    if isinstance(done, Funded):
        facts: dict[str, object] = {
            "Lot": done.lot.id,
            "Expires": moment(done.lot.expires_ms),
            "Reason": done.lot.reason,
            "By": done.lot.actor,
        }
        return panel(f"{owner.name}: {amount(done.lot.amount_micros, owner.currency)} given", facts)
    facts = {
        "Id": done.id,
        "State": done.state,
        "Reason": done.reason,
        "Asked by": done.asked_by,
        "Decided by": done.decided_by or None,
    }
    if done.state == "asked":
        facts["Next"] = f'another operator: talktime grant approve "{owner.name}" {done.id}'
    title = f"{owner.name}: a {done.source} of {amount(done.amount_micros, owner.currency)}"
    return panel(title, {name: fact for name, fact in facts.items() if fact})

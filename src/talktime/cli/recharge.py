"""`talktime recharge` and `talktime alerts`: keep a wallet filled, and be told when it is not."""

from typing import Annotated

import typer
from rich.console import RenderableType

from talktime.cli.counters import counter_of, micros_of
from talktime.cli.failures import unless_refused
from talktime.cli.fund import account
from talktime.cli.output import Json, amount, moment, panel, show
from talktime.cli.purchases import Actor, Organisation_
from talktime.core.directory import Organisation
from talktime.core.payments import AMOUNT, UP_TO
from talktime.core.recharging import RECHARGES_A_DAY
from talktime.operations.money_documents import recharge_document, standing_of
from talktime.operations.recharge_settings import (
    RechargePlan,
    RechargeView,
    resume,
    set_alerts,
    set_recharge,
    view_recharge,
)

group = typer.Typer(no_args_is_help=True, help="Auto-recharge: what keeps a wallet filled.")
alerts_group = typer.Typer(no_args_is_help=True, help="Balances at which somebody is told.")


@group.command("show")
def show_command(organisation: Organisation_, json: Json = False) -> None:
    """Show auto-recharge: its settings, and the reason why it buys now or does not."""
    with counter_of(organisation) as (owner, counter, *_):
        view = view_recharge(counter)
    show_recharge(json, owner, view)


@group.command("set")
def set_command(
    organisation: Organisation_,
    below: Annotated[str, typer.Option(help="When the balance falls below: 20.")],
    amount_: Annotated[
        str, typer.Option("--amount", help="Recharge with this much: 100; with --up-to, to it.")
    ],
    up_to: Annotated[
        bool, typer.Option("--up-to", help="Fill up to the amount instead of adding it.")
    ] = False,
    month_limit: Annotated[
        str, typer.Option(help="At most so much in a calendar month. Default: no limit.")
    ] = "",
    day_max: Annotated[int, typer.Option(help="At most so often in 24 hours.")] = RECHARGES_A_DAY,
    actor: Actor = "",
    json: Json = False,
) -> None:
    """Turn auto-recharge on. Where the balance is below already, it buys at once."""
    plan = RechargePlan(
        True,
        micros_of(below, "--below"),
        micros_of(amount_, "--amount"),
        UP_TO if up_to else AMOUNT,
        micros_of(month_limit, "--month-limit") if month_limit else None,
        day_max,
    )
    who = actor or account()
    with counter_of(organisation) as (owner, counter, why_not, *_):
        view = unless_refused(set_recharge(counter, plan, actor=who, why_not=why_not))
    show_recharge(json, owner, view)


@group.command("off")
def off_command(organisation: Organisation_, actor: Actor = "", json: Json = False) -> None:
    """Turn auto-recharge off. A charge that is on its way is finished, what waits is given up."""
    who = actor or account()
    with counter_of(organisation) as (owner, counter, *_):
        plan = RechargePlan(False)
        view = unless_refused(set_recharge(counter, plan, actor=who, why_not=None))
    show_recharge(json, owner, view)


@group.command("resume")
def resume_command(organisation: Organisation_, actor: Actor = "", json: Json = False) -> None:
    """Go on after a pause. Where the balance is below the trigger, it buys at once."""
    who = actor or account()
    with counter_of(organisation) as (owner, counter, *_):
        view = unless_refused(resume(counter, actor=who))
    show_recharge(json, owner, view)


@alerts_group.command("set")
def alerts_command(
    organisation: Organisation_,
    below: Annotated[
        list[str] | None,
        typer.Argument(help="Balances, in the wallet's currency; none for none.", metavar="BELOW"),
    ] = None,
    json: Json = False,
) -> None:
    """Tell the organisation when its balance falls below each of these. All others are dropped."""
    levels_micros = {micros_of(text, "BELOW") for text in below or ()}
    with counter_of(organisation) as (owner, counter, *_):
        view = unless_refused(set_alerts(counter, levels_micros))
    show_recharge(json, owner, view)


def show_recharge(as_json: bool, owner: Organisation, view: RechargeView) -> None:
    """Show how auto-recharge stands."""
    show(as_json, recharge_document(view), picture(owner, view))


def picture(owner: Organisation, view: RechargeView) -> RenderableType:
    """Auto-recharge for people."""
    return panel(f"{owner.name}: auto-recharge", facts_of(owner, view))


def facts_of(owner: Organisation, view: RechargeView) -> dict[str, object]:
    """How auto-recharge stands, by name."""
    recharge, currency = view.recharge, owner.currency
    _, words, until_ms = standing_of(view)
    facts: dict[str, object] = {
        "Now": f"{words}, until {moment(until_ms)}" if until_ms is not None else words
    }
    if recharge is not None:
        adds = "Recharge up to" if recharge.method == UP_TO else "Recharge with"
        facts |= {
            "State": "on" if recharge.enabled else "off",
            "Falls below": amount(recharge.trigger_micros, currency),
            adds: amount(recharge.amount_micros, currency),
            "A month": "no limit"
            if recharge.month_cap_micros is None
            else f"{amount(recharge.month_cap_micros, currency)} at most",
            "In 24 hours": f"{recharge.day_max} times at most",
        }
    if view.month_left_micros is not None:
        facts["Left this month"] = amount(view.month_left_micros, currency)
    if view.attempt is not None:
        attempt = view.attempt
        facts["On its way"] = f"{amount(attempt.amount_micros, currency)}, {attempt.state}"
        facts["Next step"] = moment(attempt.due_ms)
    levels = [amount(each.below_micros, currency) for each in view.levels if each.below_micros]
    facts["Told below"] = ", ".join(levels)
    return facts

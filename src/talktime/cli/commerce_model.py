"""`talktime organisation move`: from prepaid to billing after use, and back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import refusal_line, refused, unless_refused
from talktime.cli.fund import account
from talktime.cli.installation import (
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.output import Json, amount, document_of, lines, moment, panel, show
from talktime.clock import now_ms
from talktime.core.directory import Organisation
from talktime.core.money import decimal_text
from talktime.operations.commerce_models import (
    DRAINING,
    POST_USAGE,
    Preview,
    blocked_move,
    change_model,
    mark_moved,
    preview_change,
)
from talktime.operations.counters import Counters
from talktime.operations.till import Counter
from talktime.store.database import Connection

SPELT = {"post-usage": POST_USAGE, DRAINING: POST_USAGE}
MODELS = {"prepaid": "prepaid", "draining": "using up its credits", "post_usage": "post-usage"}


def move_command(
    name: Annotated[str, typer.Argument(help="Its name.", metavar="NAME")],
    to: Annotated[
        str, typer.Option(help="post-usage (it uses up its credits first), or prepaid.")
    ] = "post-usage",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; do not ask.")] = False,
    actor: Annotated[str, typer.Option(help="Who does it. Default: this shell's account.")] = "",
    by_reseller: Annotated[
        bool, typer.Option("--by-reseller", help="Only note that its reseller has moved it.")
    ] = False,
    json: Json = False,
) -> None:
    """Move an organisation from prepaid credits to billing after use, or back; show first what
    that does. Without --yes it asks, and only shows where there is no terminal."""
    with paying_place(name) as (control, counter):
        if by_reseller:
            with control.transaction():
                mark_moved(control, counter.organisation, True)
        shown = unless_refused(preview_change(counter, SPELT.get(to, to)))
        if by_reseller or not (yes or asked(shown, json)):
            show(json, document(shown), picture(shown))
            return
        changed = unless_refused(change_model(control, counter, shown.to, actor=actor or account()))
    facts = {"Model": MODELS[changed.commerce_model], "Effects": lines(shown.effects)}
    show(json, document_of(changed), panel(changed.name, facts))


def moved_to(organisation: Organisation, model: str) -> Organisation:
    """The organisation after its model was changed; Failure where that is refused."""
    with paying_place(str(organisation.id)) as (control, counter):
        to = SPELT.get(model, model)
        return unless_refused(change_model(control, counter, to, actor=account()))


@contextmanager
def paying_place(name: str) -> Iterator[tuple[Connection, Counter]]:
    """The control plane, and where an organisation pays."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, name)
        with cell(settings, owner.cell) as connection:
            counters = Counters(lambda: control, connection, now_ms, new_ids().next)
            yield control, counters.of(owner)


def asked(shown: Preview, json: bool) -> bool:
    """Whether a person at the terminal has said yes to what is shown."""
    if shown.refusal is not None:
        raise refused(shown.refusal)
    if json or not sys.stdin.isatty():
        return False
    show(False, None, picture(shown))
    return typer.confirm(f"Move {shown.organisation.name}?")


def picture(shown: Preview) -> RenderableType:
    """What a change would do, for people."""
    organisation, currency = shown.organisation, shown.organisation.currency
    credits_left = [
        f"{amount(lot.remaining_micros, currency)}, expires {moment(lot.expires_ms)}"
        for lot in shown.lots
    ]
    facts: dict[str, object] = {
        "Model": MODELS[organisation.commerce_model],
        "Would be": MODELS[shown.to],
        "Blocked": blocked_move(organisation, shown.recharge_on),
        "Refused": "" if shown.refusal is None else refusal_line(shown.refusal),
        "Balance": amount(shown.balance_micros, currency),
        "Held": amount(shown.held_micros, currency),
        "Credits": lines(credits_left or ["none"]),
        "Auto-recharge": "on" if shown.recharge_on else "off",
        "On its way": "" if shown.attempt is None else f"recharge {shown.attempt.id}",
        "Effects": lines(shown.effects),
        "To do it": "say it again with --yes",
    }
    return panel(organisation.name, {label: value for label, value in facts.items() if value})


def document(shown: Preview) -> dict[str, Any]:
    """What a change would do, for programs."""
    organisation = shown.organisation
    return {
        "organisation": organisation.name,
        "commerce_model": organisation.commerce_model,
        "to": shown.to,
        "balance": decimal_text(shown.balance_micros),
        "held": decimal_text(shown.held_micros),
        "lots": [
            {
                "lot_id": str(lot.id),
                "remaining": decimal_text(lot.remaining_micros),
                "expires": moment(lot.expires_ms),
            }
            for lot in shown.lots
        ],
        "recharge": shown.recharge_on,
        "open_attempt_id": None if shown.attempt is None else str(shown.attempt.id),
        "refused": None if shown.refusal is None else shown.refusal._asdict(),
        "blocked": blocked_move(organisation, shown.recharge_on),
        "effects": list(shown.effects),
    }

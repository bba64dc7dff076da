"""`talktime audit`: who changed what, of an organisation or of all."""

from contextlib import ExitStack
from typing import Annotated, Any

import typer

from talktime.cli.installation import cell, control_plane, installation, organisation_of
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, moment, show, table
from talktime.core.audit import Change, Value
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.money import decimal_text
from talktime.operations.audit_log import list_changes
from talktime.store.audit import LAST, Sought

SHOWN = 50


def audit_command(
    organisation: Annotated[
        str, typer.Argument(help="Its name, or its id; none for all of them.")
    ] = "",
    action: Annotated[str, typer.Option(help="An action alone: recharge.set.")] = "",
    actor: Annotated[str, typer.Option(help="Who did it: a part of the name.")] = "",
    since: Annotated[str, typer.Option("--from", help="Since a day or a moment.")] = "",
    until: Annotated[str, typer.Option("--to", help="Before a day or a moment.")] = "",
    last: Annotated[
        int, typer.Option(min=1, max=PAGE_ROWS_MAX, help="How many, the newest first.")
    ] = SHOWN,
    json: Json = False,
) -> None:
    """List who changed what, the newest first: of an organisation, or of all and the operator's."""
    from talktime.console.audit.actions import words_of

    settings = installation()
    from_ms = moment_ms(since) if since else 0
    before = (moment_ms(until), 0) if until else LAST
    with ExitStack() as opened:
        control = opened.enter_context(control_plane(settings))
        owner = organisation_of(control, organisation) if organisation else None
        names = settings.cells if owner is None else [owner.cell]
        cells = [opened.enter_context(cell(settings, name)) for name in names]
        sought = Sought(owner.id if owner else None, action, actor, from_ms, before)
        found = list_changes([control, *cells], sought, limit=last)
    rows = [
        (moment(each.at_ms), who(each), words_of(each.action, each.subject), differs(each))
        for each in found
    ]
    empty = "Nothing was changed, or nothing fits what is looked for."
    documents = [document(each) for each in found]
    show(json, {"changes": documents}, table(("When", "Who", "What", "Change"), rows, empty=empty))


def who(change: Change) -> str:
    """Who did it, and from where."""
    actor = change.actor
    return f"{actor.name} ({', '.join(each for each in (actor.kind, actor.place) if each)})"


def differs(change: Change) -> str:
    """What differs, in one line."""
    parts = []
    for name in dict.fromkeys((*change.before, *change.after)):
        old, new = (value(name, side.get(name)) for side in (change.before, change.after))
        short = name.removesuffix("_micros").removesuffix("_ms")
        if old or new:
            was = f"{old or '-'} > " if change.before else ""
            parts.append(f"{short}: {was}{new or '-'}")
    return "; ".join(parts)


def value(name: str, kept: Value) -> str:
    """A value as the shell writes it; empty for none."""
    if kept is None or kept == "" or kept == []:
        return ""
    if isinstance(kept, bool):
        return "yes" if kept else "no"
    if isinstance(kept, list):
        micros = name.endswith("_micros")
        return ", ".join(decimal_text(int(each)) if micros else each for each in kept)
    if isinstance(kept, int) and name.endswith("_micros"):
        return decimal_text(kept)
    if isinstance(kept, int) and name.endswith("_ms"):
        return moment(kept) or ""
    return str(kept)


def document(change: Change) -> dict[str, Any]:
    """A change as JSON; its facts as they are kept."""
    owner = change.organisation_id
    return {
        "id": str(change.id),
        "at": moment(change.at_ms),
        "organisation_id": None if owner is None else str(owner),
        "actor": change.actor._asdict(),
        "action": change.action,
        "subject": change.subject,
        "before": dict(change.before),
        "after": dict(change.after),
    }

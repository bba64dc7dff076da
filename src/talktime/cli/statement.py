"""`talktime statement`: what an organisation had, what came, what went, what is left."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from talktime.cli import FAILURE_EXIT
from talktime.cli.failures import unless_refused
from talktime.cli.installation import cell, control_plane, installation, organisation_of
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, amount, moment, panel, show, table
from talktime.clock import now_ms
from talktime.core.directory import Organisation
from talktime.core.money import decimal_text
from talktime.operations.statement import Statement, UsageLine, statement

SUMS = (
    ("opening", "Opening balance"),
    ("purchases", "plus purchases"),
    ("grants", "plus grants"),
    ("adjustments", "plus adjustments"),
    ("reinstatements", "plus what went back and came again"),
    ("usage", "less calls"),
    ("corrections", "less corrections"),
    ("forfeitures", "less forfeitures"),
    ("refunds", "less refunds"),
    ("chargebacks", "less chargebacks"),
    ("taken_back", "less what was taken back"),
    ("closing", "Closing balance"),
)
RARE_SUMS = ("reinstatements", "refunds", "chargebacks", "taken_back")
"""Shown to people where there were any."""


def statement_command(
    organisation: Annotated[str, typer.Argument(help="Its name.", metavar="ORGANISATION")],
    from_: Annotated[
        str,
        typer.Option(
            "--from", metavar="TIME", help="First moment. Default: this month's, UTC.",
            show_default=False,
        ),
    ] = "",
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="TIME", help="End, not included. Default: now.", show_default=False
        ),
    ] = "",
    json: Json = False,
) -> None:  # fmt: skip
    """An organisation's statement for a period, its sums proven against the transfers.

    A call counts when it was charged, that is when it was over, whatever it cost and whoever paid;
    a late report when it came. (Usage reports, minute pools and the statements of what is paid
    after use count a call when it began.) Times are dates (2026-01-31) or moments
    (2026-01-31T12:00:00Z). Exit code 1 where the sums do not add up.
    """
    settings = installation()
    at_ms = now_ms()
    to_ms = moment_ms(to) if to else at_ms + 1
    from_ms = moment_ms(from_) if from_ else start_of_month_ms(at_ms)
    with control_plane(settings) as connection:
        found = organisation_of(connection, organisation)
    with cell(settings, found.cell) as connection:
        drawn_up = unless_refused(statement(connection, found.id, from_ms, to_ms))
    show(json, document(found, drawn_up), *pictures(found, drawn_up))
    if drawn_up.unproven:
        raise typer.Exit(FAILURE_EXIT)


def start_of_month_ms(at_ms: int) -> int:
    """The first moment of a moment's calendar month, UTC (D13)."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return int(datetime(at.year, at.month, 1, tzinfo=UTC).timestamp()) * 1000


def document(organisation: Organisation, drawn_up: Statement) -> dict[str, Any]:
    """The statement for programs: amounts are decimal strings, exact."""
    return {
        "organisation": organisation.name,
        "organisation_id": str(organisation.id),
        "currency": drawn_up.currency,
        "from": moment(drawn_up.from_ms),
        "to": moment(drawn_up.to_ms),
        **{name: decimal_text(getattr(drawn_up, f"{name}_micros")) for name, _ in SUMS},
        "debt": decimal_text(drawn_up.debt_micros),
        "calls": [usage_document(line) for line in drawn_up.usage],
        "late_reports": [usage_document(line) for line in drawn_up.corrections],
        "lots": [
            {
                "lot_id": str(lot.id),
                "source": lot.source,
                "amount": decimal_text(lot.amount_micros),
                "remaining": decimal_text(lot.remaining_micros),
                "expires": moment(lot.expires_ms),
            }
            for lot in drawn_up.lots
        ],
        "unproven": list(drawn_up.unproven),
    }


def usage_document(line: UsageLine) -> dict[str, Any]:
    """One destination for programs."""
    return {
        "destination": line.destination,
        "calls": line.calls,
        "used_seconds": line.used_s,
        "billed_seconds": line.billed_s,
        "connection_fees": decimal_text(line.fee_micros),
        "charge": decimal_text(line.charge_micros),
        "paid_after_use": decimal_text(line.post_micros),
    }


def pictures(organisation: Organisation, drawn_up: Statement) -> list[RenderableType]:
    """The statement for people."""
    currency = drawn_up.currency
    period = f"{moment(drawn_up.from_ms)} to {moment(drawn_up.to_ms)}"
    shown = [(name, words, getattr(drawn_up, f"{name}_micros")) for name, words in SUMS]
    sums = [
        (words, amount(micros, currency))
        for name, words, micros in shown
        if micros or name not in RARE_SUMS
    ]
    if drawn_up.debt_micros:
        sums.append(("of which debt", amount(-drawn_up.debt_micros, currency)))
    drawn: list[RenderableType] = [
        panel(f"Statement of {organisation.name}", {"Period": period}),
        table(("", "Amount"), sums, right=("Amount",)),
        usage_table("Calls", drawn_up.usage, currency),
    ]
    if drawn_up.corrections:
        drawn.append(usage_table("Late reports", drawn_up.corrections, currency))
    lots = [
        (
            *(str(lot.id), lot.source, amount(lot.amount_micros, currency)),
            *(amount(lot.remaining_micros, currency), moment(lot.expires_ms)),
        )
        for lot in drawn_up.lots
    ]
    columns = ("Lot", "Source", "Amount", "Left", "Expires")
    drawn.append(table(columns, lots, title="Lots with money left", right=("Amount", "Left")))
    drawn += [Text(f"Does not add up: {line}", style="bold red") for line in drawn_up.unproven]
    return drawn


def usage_table(title: str, usage: Iterable[UsageLine], currency: str) -> RenderableType:
    """Calls by destination, the dearest first; what of it is paid after use, where anything is."""
    lines = sorted(usage, key=lambda line: -line.charge_micros)
    after_use = any(line.post_micros for line in lines)
    rows = [
        (
            *(line.destination or "free", f"{line.calls:,}"),
            *(minutes(line.used_s), minutes(line.billed_s), amount(line.charge_micros, currency)),
            *([amount(line.post_micros, currency)] if after_use else []),
        )
        for line in lines
    ]
    figures: tuple[str, ...] = ("Calls", "Talked min", "Billed min", "Charge")
    if after_use:
        figures = (*figures, "of it after use")
    return table(("Destination", *figures), rows, title=title, right=figures)


def minutes(seconds: int) -> str:
    """Seconds as minutes and seconds.

    >>> minutes(61), minutes(-5)
    ('1:01', '-0:05')
    """
    whole, rest = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else ''}{whole:,}:{rest:02}"

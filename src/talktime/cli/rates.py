"""`talktime import-rates`: publish a rate file, and see what it changes."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.csv_files import bad_file, content_of, progress_bar
from talktime.cli.failures import unless_refused
from talktime.cli.installation import control_plane, installation, new_ids
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, moment, panel, show, table
from talktime.clock import now_ms
from talktime.core.limits import RATE_FILE_BYTES_MAX
from talktime.core.money import decimal_text
from talktime.core.rating import Rate
from talktime.operations.csv_rows import BadFile
from talktime.operations.import_rates import Changes, ImportReport, import_rates
from talktime.operations.rate_file import read_rate_file

WAYS = ("added", "dropped", "dearer", "cheaper")


ValidFrom = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="When it comes into force: 2026-01-31 or 2026-01-31T12:00:00Z. Default: now.",
    ),
]


def import_rates_command(
    file: Annotated[
        Path, typer.Argument(help="CSV of prefixes and prices.", exists=True, dir_okay=False)
    ],
    name: Annotated[str, typer.Option(help="Name of the rate card.")] = "standard",
    currency: Annotated[str, typer.Option(help="Currency of its prices.")] = "USD",
    valid_from: ValidFrom = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would change; write nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Publish a rate file as a new version of a card: whole, or nothing of it.

    Every bad row is named by line and reason. Tells what changes against the version in force:
    added, dropped, dearer and cheaper prefixes. docs/reference/rate-files.md describes the files.
    """
    settings = installation()
    at_ms = now_ms()
    valid_from_ms = moment_ms(valid_from) if valid_from else at_ms
    with progress_bar() as progress:
        task = progress.add_task("Reading", total=None)

        def tell(doing: str, rows: int) -> None:
            progress.update(task, description=f"Rows {doing}", completed=rows)

        rows = read_rate_file(
            content_of(file, RATE_FILE_BYTES_MAX), valid_from_ms=valid_from_ms, progress=tell
        )
        if isinstance(rows, BadFile):
            raise bad_file(file, rows)
        progress.update(task, total=len(rows), completed=0)
        with control_plane(settings) as connection, connection.transaction():
            report = unless_refused(
                import_rates(
                    connection,
                    rows,
                    name=name,
                    currency=currency,
                    source=file.name,
                    valid_from_ms=valid_from_ms,
                    now_ms=at_ms,
                    next_id=new_ids().next,
                    dry_run=dry_run,
                    progress=tell,
                )
            )
    show(json, document(report), *pictures(report))


def document(report: ImportReport) -> dict[str, Any]:
    version, replaced = report.version, report.replaces
    return {
        "card": version.name,
        "currency": version.currency,
        "valid_from": moment(version.valid_from_ms),
        "rows": version.row_count,
        "dry_run": report.dry_run,
        "replaces": None if replaced is None else moment(replaced.valid_from_ms),
        **{way: changes_document(getattr(report, way)) for way in WAYS},
        "unchanged": report.unchanged,
    }


def changes_document(changes: Changes) -> dict[str, Any]:
    return {
        "count": changes.count,
        "examples": [
            {
                "direction": change.direction,
                "prefix": change.prefix,
                "destination": change.destination,
                "old": rate_document(change.old),
                "new": rate_document(change.new),
            }
            for change in changes.examples
        ],
    }


def rate_document(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "per_minute": decimal_text(rate.per_minute_micros),
        "connection_fee": decimal_text(rate.fee_micros),
        "first_increment_s": rate.first_increment_s,
        "next_increment_s": rate.next_increment_s,
    }


def pictures(report: ImportReport) -> list[RenderableType]:
    version, replaced = report.version, report.replaces
    against = "nothing: it is the first" if replaced is None else moment(replaced.valid_from_ms)
    facts = {
        "Card": f"{version.name}, {version.currency}",
        "In force from": moment(version.valid_from_ms),
        "Rows": f"{version.row_count:,}",
        "Replaces": against,
        "Changes": ", ".join(f"{getattr(report, way).count:,} {way}" for way in WAYS)
        + f", {report.unchanged:,} unchanged",
    }
    title = "Dry run: nothing was written" if report.dry_run else "Published"
    drawn: list[RenderableType] = [panel(title, facts)]
    for way in WAYS:
        changes: Changes = getattr(report, way)
        if changes.count and (replaced is not None):
            drawn.append(changes_table(way, changes))
    return drawn


def changes_table(way: str, changes: Changes) -> RenderableType:
    rest = changes.count - len(changes.examples)
    title = f"{way.capitalize()}: {changes.count:,}"
    return table(
        ("Prefix", "Destination", "Before", "After"),
        [
            (change.prefix, change.destination, price_text(change.old), price_text(change.new))
            for change in changes.examples
        ],
        title=title + (f", of which {len(changes.examples)}" if rest else ""),
        right=("Before", "After"),
    )


def price_text(rate: Rate | None) -> str | None:
    """A rate's price as a person compares it.

    >>> price_text(Rate("49", "Germany", 15_000, 20_000, 60, 6))
    '0.015/min +0.02 60/6'
    """
    if rate is None:
        return None
    fee = f" +{decimal_text(rate.fee_micros)}" if rate.fee_micros else ""
    return (
        f"{decimal_text(rate.per_minute_micros)}/min{fee} "
        f"{rate.first_increment_s}/{rate.next_increment_s}"
    )

"""`talktime check-books`: prove the books on live data; what does not hold is named."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from talktime.cli import FAILURE_EXIT
from talktime.cli.installation import cell, control_plane, installation
from talktime.cli.output import Json, show, table
from talktime.clock import now_ms
from talktime.operations.check_books import BooksChecked, Finding, check_books
from talktime.operations.check_directory import check_directory, with_directory
from talktime.store.organisations import organisation_of_id


def check_books_command(
    only: Annotated[str, typer.Option("--cell", help="Only this cell.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """Prove the books of every cell: balances, lots, holds, transfers, usage; whose they are.

    Exit code 1 on any finding. Reads one moment of live data and locks nothing: calls go on.
    """
    settings = installation()
    proved: dict[str, BooksChecked] = {}
    names: dict[int, str] = {}
    with control_plane(settings) as control:
        for name in [only] if only else settings.cells:
            with cell(settings, name) as connection:
                books = check_books(connection, now_ms)
                directory = check_directory(control, connection, name, now_ms)
                proved[name] = with_directory(books, directory)
        owners = {
            finding.organisation_id for checked in proved.values() for finding in checked.findings
        }
        for organisation_id in owners:
            organisation = organisation_of_id(control, organisation_id)
            names[organisation_id] = organisation.name if organisation else str(organisation_id)
    show(json, document(proved, names), *pictures(proved, names))
    if not all(checked.clean for checked in proved.values()):
        raise typer.Exit(FAILURE_EXIT)


def document(proved: dict[str, BooksChecked], names: dict[int, str]) -> dict[str, Any]:
    """The proof for programs."""
    return {
        "clean": all(checked.clean for checked in proved.values()),
        "cells": [
            {
                "cell": name,
                "clean": checked.clean,
                "took_ms": checked.took_ms,
                "checks": [
                    {
                        "check": check.name,
                        "proves": check.proves,
                        "rows": check.rows,
                        "broken": check.broken,
                        "findings": [finding_document(each, names) for each in check.findings],
                    }
                    for check in checked.checks
                ],
            }
            for name, checked in proved.items()
        ],
    }


def finding_document(finding: Finding, names: dict[int, str]) -> dict[str, Any]:
    """One finding for programs."""
    return {
        "organisation": names.get(finding.organisation_id),
        "organisation_id": str(finding.organisation_id),
        "ids": [str(each) for each in finding.ids],
        "finding": finding.words,
    }


def pictures(proved: dict[str, BooksChecked], names: dict[int, str]) -> list[RenderableType]:
    """The proof for people: each check, then each finding."""
    drawn: list[RenderableType] = []
    for name, checked in proved.items():
        rows = [
            (
                Text("no", style="bold red") if check.broken else Text("yes", style="green"),
                check.proves,
                f"{check.rows:,}",
                f"{check.broken:,}",
            )
            for check in checked.checks
        ]
        title = f"Cell {name}: {len(rows)} checks in {checked.took_ms:,} ms"
        columns = ("Holds", "What is proved", "Rows", "Broken")
        drawn.append(table(columns, rows, title=title, right=("Rows", "Broken")))
        found = [
            (names.get(finding.organisation_id), finding.check, finding.words)
            for finding in checked.findings
        ]
        if found:
            drawn.append(table(("Organisation", "Check", "Finding"), found, title="Findings"))
    broken = sum(check.broken for checked in proved.values() for check in checked.checks)
    rows_do = "1 row does" if broken == 1 else f"{broken:,} rows do"
    verdict = f"{rows_do} not hold." if broken else "The books hold."
    drawn.append(Text(verdict, style="bold red" if broken else "bold green"))
    return drawn

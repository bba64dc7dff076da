"""The proof of the books: each check in words, what came of it last, another one asked for."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from talktime.clock import now_ms
from talktime.console.doors import OperatorDesk, operator_page
from talktime.console.operator.places import all_cells
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.roles import FINANCE, OPERATE
from talktime.console.said import said_capital
from talktime.operations.book_proofs import BooksState, CheckState, ask_for_proof, books_state

COLUMNS = (
    Column(gettext_lazy("What must hold")),
    Column(gettext_lazy("Outcome")),
    Column(gettext_lazy("Rows"), figures=True),
    Column(gettext_lazy("Took"), figures=True),
    Column(gettext_lazy("Made")),
)


@operator_page(may=FINANCE)
def books(desk: OperatorDesk) -> HttpResponse:
    """Every check in every cell."""
    with all_cells() as cells:
        states: list[tuple[str, BooksState]] = []
        for name, cell in cells.open.items():
            with cell.reading():
                states.append((name, books_state(cell)))
    asked = any(state.asked_ms for _name, state in states)
    shown = {
        "away": cells.away,
        "asked": asked,
        "refresh": asked,
        "cells": [cell_shown(desk, name, state) for name, state in states],
    }
    return desk.page("operator/books.html", shown)


def cell_shown(desk: OperatorDesk, name: str, state: BooksState) -> dict[str, object]:
    """One cell's books."""
    return {
        "name": name,
        "proved": desk.wording.moment(state.proved_ms) if state.proved_ms else "",
        "asked": desk.wording.moment(state.asked_ms) if state.asked_ms else "",
        "broken": state.broken,
        "table": table(_("Checks"), COLUMNS, [check_row(desk, each) for each in state.checks]),
        "findings": [
            {"check": each.name, "proves": each.proves, "words": each.last.findings}
            for each in state.checks
            if each.last and each.last.findings
        ],
    }


def check_row(desk: OperatorDesk, check: CheckState) -> list[Cell]:
    """One check."""
    proves, last = said_capital(check.proves), check.last
    named = Cell(proves, note=check.name, code_note=True)
    if last is None:
        return [named, Cell(tags=(Tag(_("Not made yet")),)), *[Cell()] * 3]
    outcome = Tag(_("Holds"), "good")
    if last.broken:
        said = ngettext("%(number)s does not hold", "%(number)s do not hold", last.broken)
        outcome = Tag(said % {"number": desk.wording.decimal(last.broken)}, "bad")
    return [
        named,
        Cell(tags=(outcome,)),
        Cell(desk.wording.decimal(last.rows)),
        Cell(_("%(number)s ms") % {"number": desk.wording.decimal(last.took_ms)}),
        Cell(desk.wording.moment(last.proved_ms)),
    ]


@operator_page(may=OPERATE, methods=("POST",))
def prove(desk: OperatorDesk) -> HttpResponse:
    """Ask for a proof in every cell; the job makes it within seconds."""
    with all_cells() as cells:
        for cell in cells.open.values():
            with cell.transaction():
                ask_for_proof(cell, now_ms())
    messages.info(desk.request, _("The books are being proven. This page shows when it is done."))
    return redirect("operator-books")

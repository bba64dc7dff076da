"""`talktime attention`: what of all organisations waits for somebody of the operator's.

Programs get the fields that `/api/v1/attention` gives them.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Annotated, Any, NamedTuple

import typer

from talktime.cli.installation import catalogue_of, cell, control_plane, installation
from talktime.cli.output import Json, amount, moment, show, table
from talktime.clock import now_ms
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.masking import shown_parties
from talktime.core.money import decimal_text
from talktime.operations.wording import duration
from talktime.store.attention import (
    PausedRow,
    PaymentRow,
    RefundRow,
    UnpricedCall,
    failed_payments,
    open_payments,
    open_refunds,
    paused_recharges,
    unpriced_calls,
)
from talktime.store.database import Connection
from talktime.store.organisations import organisations_of_ids

group = typer.Typer(
    no_args_is_help=True,
    help="What of all organisations waits for somebody of the operator's.",
)

Document = dict[str, Any]
FAILED = "failed"
STATES = ("unknown", "declined", "invoiced", FAILED)
KINDS = ("refund", "chargeback")


def one_of(choices: Sequence[str], value: str) -> str:
    """What was typed; a wrong call where it is no choice."""
    if value not in choices:
        raise typer.BadParameter(f"choose one of {', '.join(choices)}")
    return value


State = Annotated[
    str,
    typer.Option(
        callback=lambda value: one_of(STATES, value),
        help="unknown: the provider has not said whether it charged. declined: tried again by a "
        "schedule. invoiced: the money is to come. failed: in the last 7 days.",
    ),
]
Kind = Annotated[
    str,
    typer.Option(
        callback=lambda value: one_of(KINDS, value),
        help="refund: what the operator pays back. chargeback: what a cardholder's bank took back.",
    ),
]
Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=PAGE_ROWS_MAX)]


class Found(NamedTuple):
    """Rows of a list, each with whose it is; whether there are more; what is sold now."""

    rows: list[tuple[Any, Organisation]]
    more: bool
    catalogue: Catalogue

    def title(self, text: str) -> str:
        """What stands over the list."""
        return f"{text}, the first {len(self.rows):,} of more" if self.more else text


@group.command("payments")
def payments_command(
    state: State = "unknown", limit: Limit = PAGE_ROWS_MAX, json: Json = False
) -> None:
    """List payments of all organisations in one state, the oldest first; those that failed, the
    latest first."""
    at_ms, failed = now_ms(), state == FAILED

    def read(connection: Connection) -> list[PaymentRow]:
        if failed:
            return failed_payments(connection, at_ms, ID_MAX, limit + 1)
        return open_payments(connection, state, 0, limit + 1)

    found = in_all_cells(read, limit, lambda row: row.id, latest_first=failed)
    rows = [
        (
            *(row.id, owner.name, row.kind, amount(row.amount_micros, row.currency)),
            *(moment(row.created_ms), moment(row.due_ms), row.detail or row.code or row.po_number),
        )
        for row, owner in found.rows
    ]
    columns = ("Id", "Organisation", "Kind", "Amount", "Since", "Next step", "Why")
    title = found.title(f"Payments, {state}")
    pictured = table(columns, rows, title=title, right=("Amount",))
    documents = [payment_document(*each) for each in found.rows]
    show(json, {"waiting_payments": documents, "more": found.more}, pictured)


@group.command("recharges")
def recharges_command(limit: Limit = PAGE_ROWS_MAX, json: Json = False) -> None:
    """List the auto-recharges that wait until somebody of the organisation does its part."""

    def read(connection: Connection) -> list[PausedRow]:
        return paused_recharges(connection, 0, limit + 1)

    found = in_all_cells(read, limit, lambda row: row.organisation_id)
    rows = [(owner.name, moment(row.since_ms), row.detail or row.code) for row, owner in found.rows]
    title = found.title("Paused auto-recharges")
    pictured = table(("Organisation", "Since", "Why"), rows, title=title)
    documents = [
        whose(owner) | {"code": row.code, "detail": row.detail, "since": moment(row.since_ms)}
        for row, owner in found.rows
    ]
    show(json, {"paused_recharges": documents, "more": found.more}, pictured)


@group.command("refunds")
def refunds_command(
    kind: Kind = "refund", limit: Limit = PAGE_ROWS_MAX, json: Json = False
) -> None:
    """List refunds or disputes of all organisations that are not over, the oldest first."""

    def read(connection: Connection) -> list[RefundRow]:
        return open_refunds(connection, kind, 0, limit + 1)

    found = in_all_cells(read, limit, lambda row: row.id)
    rows = [
        (
            *(row.id, owner.name, row.payment_id, amount(row.amount_micros, owner.currency)),
            *(row.state, moment(row.created_ms), moment(row.due_ms), row.reason),
        )
        for row, owner in found.rows
    ]
    columns = ("Id", "Organisation", "Payment", "Amount", "State", "Since", "Next step", "Reason")
    title = found.title("Refunds" if kind == "refund" else "Disputes")
    pictured = table(columns, rows, title=title, right=("Amount",))
    documents = [refund_document(*each) for each in found.rows]
    show(json, {"waiting_refunds": documents, "more": found.more}, pictured)


@group.command("calls")
def calls_command(limit: Limit = PAGE_ROWS_MAX, json: Json = False) -> None:
    """List the calls of the last 7 days that could not be priced and were free, the latest first.

    Their destination is in no rate card: add it to the card that is named (`import-rates`).
    """
    at_ms = now_ms()

    def read(connection: Connection) -> list[UnpricedCall]:
        return unpriced_calls(connection, at_ms, ID_MAX, limit + 1)

    found = in_all_cells(read, limit, lambda row: row.id, latest_first=True)
    documents = [call_document(*each, found.catalogue) for each in found.rows]
    rows = [
        (
            *(each["usage_id"], each["organisation"], each["rate_card"], each["to"]),
            *(each["began_at"], duration(each["talked_seconds"])),
            duration(each["unpriced_seconds"]),
        )
        for each in documents
    ]
    columns = ("Id", "Organisation", "Rate card", "To", "Began", "Talked", "Of it free")
    title = found.title("Calls without a price")
    right = ("Talked", "Of it free")
    pictured = table(columns, rows, title=title, right=right)
    show(json, {"unpriced_calls": documents, "more": found.more}, pictured)


def in_all_cells(
    read: Callable[[Connection], Sequence[Any]],
    limit: int,
    place: Callable[[Any], int],
    *,
    latest_first: bool = False,
) -> Found:
    """What is found in all cells, in the order of its place; `read` gives one more than `limit`."""
    settings = installation()
    rows: list[Any] = []
    with ExitStack() as opened:
        control = opened.enter_context(control_plane(settings))
        for name in settings.cells:
            connection = opened.enter_context(cell(settings, name))
            with connection.reading():
                rows += read(connection)
        rows.sort(key=place, reverse=latest_first)
        catalogue = catalogue_of(control)
        with control.reading():
            owners = organisations_of_ids(control, {row.organisation_id for row in rows})
    known = [
        (row, owners[row.organisation_id]) for row in rows[:limit] if row.organisation_id in owners
    ]
    return Found(known, len(rows) > limit, catalogue)


def whose(owner: Organisation) -> Document:
    """An organisation in a row, for programs."""
    return {"organisation_id": str(owner.id), "organisation": owner.name}


def payment_document(row: PaymentRow, owner: Organisation) -> Document:
    """A payment that waits, for programs."""
    return {
        "payment_id": str(row.id),
        **whose(owner),
        "kind": row.kind,
        "state": row.state,
        "amount": decimal_text(row.amount_micros),
        "currency": row.currency,
        "po_number": row.po_number,
        "actor": row.actor,
        "declines": row.declines,
        "code": row.code,
        "detail": row.detail,
        "next_step": moment(row.due_ms),
        "created": moment(row.created_ms),
    }


def refund_document(row: RefundRow, owner: Organisation) -> Document:
    """A refund or dispute that waits, for programs."""
    return {
        "refund_id": str(row.id),
        "payment_id": str(row.payment_id),
        **whose(owner),
        "kind": row.kind,
        "state": row.state,
        "amount": decimal_text(row.amount_micros),
        "currency": owner.currency,
        "reason": row.reason,
        "actor": row.actor,
        "detail": row.detail,
        "next_step": moment(row.due_ms),
        "created": moment(row.created_ms),
    }


def call_document(call: UnpricedCall, owner: Organisation, catalogue: Catalogue) -> Document:
    """A call without a price, the other party's number masked by the organisation's country."""
    hidden = catalogue.country(owner.country).masked_digits
    parties = shown_parties(call.type, call.from_digits, call.to_digits, hidden)
    return {
        "usage_id": str(call.id),
        **whose(owner),
        "rate_card": owner.rate_card,
        "type": call.type,
        "caller": call.caller,
        "from": parties.caller or None,
        "to": parties.callee or None,
        "began_at": moment(call.started_ms),
        "talked_seconds": call.used_s,
        "unpriced_seconds": call.unpriced_s,
    }

"""`talktime post-statement`: what is paid after use, month by month, and what was paid of it."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from talktime.cli.counters import counter_of
from talktime.cli.failures import unless_refused
from talktime.cli.fund import account, repeatable
from talktime.cli.installation import (
    all_pages,
    catalogue_of,
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.invoices import document_shown, home_of, pictures
from talktime.cli.output import Json, amount, document_of, moment, panel, show, table
from talktime.cli.purchases import PaymentId
from talktime.cli.whole_files import write_whole
from talktime.clock import now_ms
from talktime.core.directory import Organisation
from talktime.core.documents import Document, number_text
from talktime.core.money import decimal_text, parse_micros
from talktime.core.post_usage import PostStatement
from talktime.operations.after_use_credit import settle_credit, stuck_credit
from talktime.operations.close_month import deadlines_of
from talktime.operations.dunning import sync_block
from talktime.operations.money_documents import payment_document
from talktime.operations.post_statements import (
    Billed,
    csv_pieces,
    json_pieces,
    list_statement_payments,
    list_statements,
    pay_statement,
    show_statement,
    usage_pages,
)
from talktime.operations.undo_payment import undo_payment
from talktime.store.post_statements import BilledUsage

group = typer.Typer(no_args_is_help=True, help="Statements of what is paid after use.")

OrganisationName = Annotated[str, typer.Argument(help="Its name.", metavar="ORGANISATION")]
Month = Annotated[str, typer.Argument(help="The month: 2026-11.", metavar="MONTH")]
RECORDED = ("it was recorded", "records it")


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List an organisation's statements, the newest first."""
    with home_of(organisation) as (owner, connection), connection.reading():
        found = all_pages(
            lambda before: list_statements(connection, owner, before=before),
            "9999-99",
            lambda each: each.month,
        )
    rows = [
        (
            *(each.month, each.state, amount(each.amount_micros, owner.currency)),
            *(amount(each.paid_micros, owner.currency), moment(each.payable_ms)),
        )
        for each in found
    ]
    columns = ("Month", "State", "Amount", "Paid", "Payable by")
    empty = "There are none: a month that is paid after use is closed a day after its end."
    shown = table(columns, rows, right=("Amount", "Paid"), empty=empty)
    show(json, {"statements": [statement_shown(owner, each) for each in found]}, shown)


@group.command("show")
def show_command(organisation: OrganisationName, month: Month, json: Json = False) -> None:
    """Show a statement: by destination, what it comes to, what is paid."""
    with home_of(organisation) as (owner, connection), connection.snapshot():
        found = unless_refused(show_statement(connection, owner, month))
        payments = list_statement_payments(connection, found.statement)
    statement, document = found.statement, _head(owner, found)
    facts = {
        "State": statement.state,
        "Paid": amount(statement.paid_micros, owner.currency),
        "Left to pay": amount(max(statement.to_pay_micros(owner.currency), 0), owner.currency),
    }
    rows = [
        (
            *(each.id, moment(each.created_ms), amount(each.amount_micros, owner.currency)),
            *("undone" if each.refunded_micros else "", each.detail, each.actor),
        )
        for each in payments
    ]
    columns = ("Payment", "Recorded", "Amount", "", "Note", "By")
    paid = table(columns, rows, title="Payments", right=("Amount",), empty="Nothing was paid yet.")
    document["payments"] = [payment_document(each) for each in payments]
    pictured = pictures(owner.cell, found.document)
    show(json, document, *pictured, panel(f"{month}", facts), paid)


@group.command("pay")
def pay_command(
    organisation: OrganisationName,
    month: Month,
    money: Annotated[str, typer.Argument(help="How much was paid: 99.50.", metavar="AMOUNT")],
    note: Annotated[str, typer.Option(help="How: the bank's reference.")],
    actor: Annotated[str, typer.Option(help="Who records it. Default: this shell's account.")] = "",
    idempotency_key: Annotated[
        str, typer.Option(help="The same key again records nothing twice. Default: a new one.")
    ] = "",
    json: Json = False,
) -> None:
    """Record that a statement was paid, wholly or in part; blocked calls are possible again when
    nothing is left to pay."""
    try:
        micros = parse_micros(money)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="AMOUNT") from error
    settings = installation()
    key = idempotency_key or secrets.token_hex(16)
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        with cell(settings, owner.cell) as connection, repeatable(key, *RECORDED):
            with connection.transaction():
                paid = unless_refused(
                    pay_statement(
                        connection,
                        owner,
                        month,
                        amount_micros=micros,
                        note=note,
                        actor=actor or account(),
                        idempotency_key=key,
                        now_ms=now_ms(),
                        next_id=new_ids().next,
                    )
                )
            blocked = sync_block(control, connection, owner.id)
    _show_paid(owner, paid, blocked, key, json)


@group.command("undo")
def undo_command(
    organisation: OrganisationName,
    month: Month,
    payment: PaymentId,
    reason: Annotated[str, typer.Option(help="Why; the organisation's admins are told.")],
    actor: Annotated[str, typer.Option(help="Who does it. Default: this shell's account.")] = "",
    idempotency_key: Annotated[
        str, typer.Option(help="The same key again undoes nothing twice. Default: a new one.")
    ] = "",
    json: Json = False,
) -> None:
    """Undo a payment of a statement that was recorded by mistake, or came back: the statement is to
    be paid again, by its own day."""
    key, deadlines = idempotency_key or secrets.token_hex(16), deadlines_of(installation())
    with counter_of(organisation) as opened, repeatable(key, "it was undone", "undoes it"):
        owner, counter = opened.owner, opened.counter
        undone = unless_refused(
            undo_payment(
                *(counter, month, payment, deadlines),
                reason=reason,
                actor=actor or account(),
                idempotency_key=key,
            )
        )
        blocked = sync_block(opened.control, counter.cell, owner.id)
    _show_paid(owner, undone.statement, blocked, key, json)


@group.command("credit")
def credit_command(
    organisation: OrganisationName,
    way: Annotated[
        str,
        typer.Option(
            "--as", help="`credits` makes credits of it; `payout` notes that it was paid."
        ),
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; for a payout the bank's reference.")] = "",
    actor: Annotated[str, typer.Option(help="Who does it. Default: this shell's account.")] = "",
    idempotency_key: Annotated[
        str, typer.Option(help="The same key again settles nothing twice. Default: a new one.")
    ] = "",
    json: Json = False,
) -> None:
    """Show what a prepaid organisation was billed after use and does not owe; with --as settle
    it."""
    key = idempotency_key or secrets.token_hex(16)
    with counter_of(organisation) as opened, repeatable(key, "it was settled", "settles it"):
        owner, counter = opened.owner, opened.counter
        if not way:
            with counter.cell.reading():
                text = decimal_text(stuck_credit(counter.cell, owner))
            shown = panel(f"{owner.name}: billed too much", {"Amount": f"{text} {owner.currency}"})
            show(json, {"currency": owner.currency, "amount": text}, shown)
            return
        who = actor or account()
        settled = unless_refused(
            settle_credit(counter, way, reason=reason, actor=who, idempotency_key=key)
        )
    document = document_shown(owner.cell, settled.document)
    paid_out = decimal_text(settled.paid_out_micros)
    more = {"paid_out": paid_out, "replayed": settled.replayed, "idempotency_key": key}
    show(json, {**document, **more}, *pictures(owner.cell, settled.document))


@group.command("export")
def export_command(
    organisation: OrganisationName,
    month: Month,
    file: Annotated[Path, typer.Argument(help="The file: .csv or .json.", metavar="FILE")],
    json: Json = False,
) -> None:
    """Write a statement with a row for each usage record, as CSV (RFC 4180) or JSON."""
    if file.suffix not in (".csv", ".json"):
        raise typer.BadParameter("name a file that ends with .csv or .json", param_hint="FILE")
    with control_plane(installation()) as control:
        catalogue = catalogue_of(control)
    with home_of(organisation) as (owner, connection):
        with connection.snapshot():
            found = unless_refused(show_statement(connection, owner, month))
        hidden = catalogue.country(owner.country).masked_digits
        pages = Counted(usage_pages(connection, owner, found.statement))
        currency = found.document.facts.currency
        if file.suffix == ".csv":
            pieces = csv_pieces(pages, currency, hidden)
        else:
            pieces = json_pieces(pages, _head(owner, found), currency, hidden)
        write_whole(file, pieces)
    if json:
        show(True, {"file": str(file), "usage_records": pages.records})
    else:
        print(f"{pages.records:,} usage records are in {file}")


def _show_paid(
    owner: Organisation, paid: PostStatement, blocked: bool, key: str, json: bool
) -> None:
    """A statement after something was paid of it, or was undone."""
    after_use = "blocked" if blocked else "possible"
    facts = {
        "State": paid.state,
        "Paid": amount(paid.paid_micros, owner.currency),
        "Left to pay": amount(max(paid.to_pay_micros(owner.currency), 0), owner.currency),
        "Calls after use": after_use,
        "Idempotency key": key,
    }
    document = {
        **statement_shown(owner, paid),
        "calls_after_use": after_use,
        "idempotency_key": key,
    }
    show(json, document, panel(f"{owner.name}: {paid.month}", facts))


class Counted:
    """Pages of usage records, counted while they are read."""

    def __init__(self, pages: Iterator[list[BilledUsage]]) -> None:
        self._pages, self.records = pages, 0

    def __iter__(self) -> Iterator[list[BilledUsage]]:
        for page in self._pages:
            self.records += len(page)
            yield page


def _head(owner: Organisation, found: Billed) -> dict[str, Any]:
    lines = document_shown(owner.cell, found.document)["lines"]
    return {**statement_shown(owner, found.statement, found.document), "lines": lines}


def statement_shown(
    owner: Organisation, statement: PostStatement, document: Document | None = None
) -> dict[str, Any]:
    """A statement for programs."""
    left_micros = max(statement.to_pay_micros(owner.currency), 0)
    shown = {
        "organisation": owner.name,
        "currency": owner.currency,
        **document_of(statement, leave=("document_id", "paid_ms")),
        "paid_at": moment(statement.paid_ms),
        "left_to_pay": decimal_text(left_micros),
    }
    if document is not None:
        shown["number"] = number_text(owner.cell, document.number)
    return shown

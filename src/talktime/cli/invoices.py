"""`talktime invoice` and `talktime billing-profile`: what was issued, and to whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from talktime.cli.failures import Failure, unless_refused
from talktime.cli.fund import account
from talktime.cli.installation import (
    all_pages,
    cell,
    control_plane,
    installation,
    organisation_of,
)
from talktime.cli.output import Json, amount, document_of, lines, moment, panel, show, table
from talktime.cli.whole_files import write_whole
from talktime.clock import now_ms
from talktime.core.directory import Organisation
from talktime.core.documents import Buyer, Document, number_text, parsed_number
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import buyer_of, set_billing_profile
from talktime.operations.documents import find_any_document, list_documents
from talktime.operations.skip_documents import note_skipped, skip_documents
from talktime.store.database import Connection

group = typer.Typer(no_args_is_help=True, help="Invoices, credit notes and statements, as issued.")
profile_group = typer.Typer(no_args_is_help=True, help="To whom invoices are addressed.")

OrganisationName = Annotated[str, typer.Argument(help="Its name.", metavar="ORGANISATION")]
Number = Annotated[str, typer.Argument(help="As on it: MAIN-000042.", metavar="NUMBER")]


@group.command("list")
def list_command(organisation: OrganisationName, json: Json = False) -> None:
    """List an organisation's invoices, credit notes and statements, the newest first."""
    with home_of(organisation) as (owner, connection), connection.reading():
        found = all_pages(
            lambda before: list_documents(connection, owner, before=before),
            None,
            lambda each: each.number,
        )
    rows = [
        (
            *(number_text(owner.cell, each.number), each.facts.kind, moment(each.issued_ms)),
            *(amount(each.facts.amount_micros, each.facts.currency), each.facts.method),
        )
        for each in found
    ]
    columns = ("Number", "Kind", "Issued", "Amount", "Paid by")
    empty = "There are none: an invoice is made with every purchase and grant."
    document = {"invoices": [document_shown(owner.cell, each) for each in found]}
    show(json, document, table(columns, rows, right=("Amount",), empty=empty))


@group.command("show")
def show_command(number: Number, json: Json = False) -> None:
    """Show what a document says."""
    name, found = document_numbered(number)
    show(json, document_shown(name, found), *pictures(name, found))


@group.command("pdf")
def pdf_command(
    number: Number,
    file: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE")],
    language: Annotated[str, typer.Option(help="How amounts and dates are written: de, en-US.")] = (
        "en-GB"
    ),
    json: Json = False,
) -> None:
    """Write a document as a PDF."""
    from babel import Locale, UnknownLocaleError

    from talktime.operations.document_pdf import document_pdf

    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        raise Failure(f"{language!r} is no language such as de or en-US") from None
    name, found = document_numbered(number)
    write_whole(file, [document_pdf(found, name, locale)])
    written = number_text(name, found.number)
    if json:
        show(True, {"number": written, "file": str(file)})
    else:
        print(f"{written} is in {file}")


@group.command("skip-to")
def skip_command(
    number: Annotated[str, typer.Argument(help="Of the next document: MAIN-001000.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the numbers that no document has.")],
    actor: Annotated[str, typer.Option(help="Who does it. Default: this shell's account.")] = "",
    json: Json = False,
) -> None:
    """Go on numbering a cell's documents from a number, after a restore, so that none is given
    twice. What is left out is written down, and is no gap for check-books."""
    settings = installation()
    parsed = parsed_number(number)
    if parsed is None:
        raise Failure(f"{number[:40]!r} is no number such as MAIN-001000")
    (name, first), who = parsed, actor or account()
    with control_plane(settings) as control, cell(settings, name) as connection:
        with connection.transaction():
            skipped = unless_refused(
                skip_documents(connection, name, first, reason=reason, actor=who, now_ms=now_ms())
            )
        with control.transaction():
            note_skipped(control, name, skipped)
    shown = number_text(name, first)
    document = {"next": shown, "skipped": skipped.numbers, "reason": skipped.reason}
    what = left_out(skipped.numbers) if skipped.numbers else "nothing was changed"
    show(json, document, Text(f"The next document is {shown}: {what}."))


def left_out(numbers: int) -> str:
    """How many numbers no document has.

    >>> left_out(1), left_out(1_000)
    ('1 number is left out', '1,000 numbers are left out')
    """
    return "1 number is left out" if numbers == 1 else f"{numbers:,} numbers are left out"


@profile_group.command("show")
def show_profile_command(organisation: OrganisationName, json: Json = False) -> None:
    """Show to whom an organisation's invoices are addressed."""
    with home_of(organisation) as (owner, connection), connection.reading():
        buyer = buyer_of(connection, owner)
    show(json, document_of(buyer), buyer_panel(buyer))


@profile_group.command("set")
def set_profile_command(
    organisation: OrganisationName,
    legal_name: Annotated[str, typer.Option(help="The name on invoices: Contoso Ltd.")],
    address: Annotated[
        list[str] | None, typer.Option(help="A line of the address; once for each line.")
    ] = None,
    tax_id: Annotated[str, typer.Option(help="Its tax or VAT number.")] = "",
    json: Json = False,
) -> None:
    """Say to whom invoices are addressed from now on; those issued before stay as they are."""
    with home_of(organisation) as (owner, connection), connection.transaction():
        buyer = unless_refused(
            set_billing_profile(
                connection,
                owner,
                legal_name=legal_name,
                address="\n".join(address or []),
                tax_id=tax_id,
            )
        )
    show(json, document_of(buyer), buyer_panel(buyer))


@contextmanager
def home_of(name: str) -> Iterator[tuple[Organisation, Connection]]:
    """An organisation, and a connection to its cell."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, name)
    with cell(settings, owner.cell) as connection:
        yield owner, connection


def document_numbered(text: str) -> tuple[str, Document]:
    """The cell and the document of a written number; Failure where there is none."""
    settings = installation()
    name, number = parsed_number(text) or ("", 0)
    if name not in settings.cells:
        unless_refused(Refusal("unknown_document", f"no document has the number {text[:40]!r}"))
    with cell(settings, name) as connection, connection.reading():
        return name, unless_refused(find_any_document(connection, number))


def buyer_panel(buyer: Buyer) -> RenderableType:
    """To whom documents are addressed, for people."""
    facts = {
        "Legal name": buyer.legal_name,
        "Address": lines(buyer.address.split("\n")),
        "Tax id": buyer.tax_id,
    }
    return panel(f"Invoices of {buyer.organisation}", facts)


def document_shown(name: str, document: Document) -> dict[str, Any]:
    """A document for programs."""
    facts = document.facts
    shown = document_of(facts, leave=("lines", "terms", "seller"))
    return {
        "number": number_text(name, document.number),
        "document_id": str(document.id),
        "organisation_id": str(document.organisation_id),
        "issued": moment(document.issued_ms),
        **shown,
        "seller": {**facts.seller._asdict(), "address": list(facts.seller.address)},
        "lines": [
            {
                "text": line.text,
                "quantity": line.quantity,
                "amount": decimal_text(line.amount_micros),
                **({} if line.billed_s is None else {"billed_seconds": line.billed_s}),
                **({"month": line.month} if line.month else {}),
            }
            for line in facts.lines
        ],
        "terms": list(facts.terms),
    }


def pictures(name: str, document: Document) -> list[RenderableType]:
    """A document for people."""
    facts = document.facts
    lot = facts.lot
    shown = {
        "Issued": moment(document.issued_ms),
        "Seller": facts.seller.name,
        "Buyer": facts.buyer.legal_name,
        "Month": facts.month,
        "Payable by": moment(facts.payable_ms),
        "Credit for": facts.about,
        "Purchase order": facts.po_number,
        "Paid by": facts.method,
        "Reason": facts.reason,
        "Lot": "" if lot is None else f"{lot.id}, expires {moment(lot.expires_ms)}",
        "Amount": amount(facts.amount_micros, facts.currency),
    }
    title = f"{facts.kind.replace('_', ' ').capitalize()} {number_text(name, document.number)}"
    rows = [
        (
            f"{line.text} ({line.month})" if line.month else line.text,
            line.quantity,
            amount(line.amount_micros, facts.currency),
        )
        for line in facts.lines
    ]
    columns = ("Line", "Quantity", "Amount")
    return [
        panel(title, {label: value for label, value in shown.items() if value}),
        table(columns, rows, right=("Quantity", "Amount")),
    ]

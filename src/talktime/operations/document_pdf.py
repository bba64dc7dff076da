"""A document as a PDF, for people: its frozen facts, with amounts and dates as the reader writes
them.

The page is set by `document.typ` beside this file. The same document and reader are the same bytes,
whenever they are asked for.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst
from babel import Locale

from talktime.core.documents import CREDIT_NOTE, INVOICE, STATEMENT, Document, Line, number_text
from talktime.operations.wording import Amount, Wording, duration, zone_named

TITLES = {INVOICE: "Invoice", CREDIT_NOTE: "Credit note", STATEMENT: "Statement"}
TEMPLATE = Path(__file__).with_name("document.typ")
# What has no space in it is broken after so many characters, where it may be too long for a line.
LONG_WORD = re.compile(r"\S{25,}")
PIECE = re.compile(r"\S{1,12}")
# Signs of East Asian locales that only their own fonts have.
PLAIN_SIGNS = str.maketrans({"\N{FULLWIDTH YEN SIGN}": "¥", "\N{FULLWIDTH WON SIGN}": "₩"})
Shown = dict[str, Any]


def document_pdf(document: Document, cell: str, locale: Locale) -> bytes:
    """The document of this cell as a PDF on A4; amounts and dates as in this language."""
    wording = Wording(locale, zone_named(document.facts.time_zone))
    made = typst.Compiler(TEMPLATE.read_bytes(), font_paths=_fonts()).compile(
        format="pdf",
        sys_inputs={"data": json.dumps(page(document, cell, wording), ensure_ascii=False)},
        timestamp=document.issued_ms // 1000,
    )
    if not isinstance(made, bytes):
        raise TypeError(f"typst made {type(made)} of a document")
    return made


def page(document: Document, cell: str, wording: Wording) -> Shown:
    """All texts of the page."""
    facts = document.facts
    statement = facts.kind == STATEMENT
    return {
        "title": TITLES[facts.kind],
        "number": number_text(cell, document.number),
        "seller": {
            "name": _breakable(facts.seller.name),
            "lines": _lines(*facts.seller.address, _tax_id(facts.seller.tax_id), facts.seller.bank),
        },
        "buyer": {
            "label": "Billed to",
            "name": _breakable(facts.buyer.legal_name),
            "lines": _lines(*facts.buyer.address.split("\n"), _tax_id(facts.buyer.tax_id)),
        },
        "facts": _facts(document, wording),
        "columns": ["Destination", "Calls", "Time billed", "Amount"]
        if statement
        else ["Description", "Quantity", "Amount"],
        "rows": [_row(line, facts.currency, wording, statement) for line in facts.lines],
        "totals": _totals(document, wording),
        "lot": _lot(document, wording),
        "terms": list(facts.terms),
    }


def _facts(document: Document, wording: Wording) -> list[tuple[str, str]]:
    facts = document.facts
    given = [
        ("Date", _apart(wording.day(document.issued_ms))),
        ("Organisation", _breakable(facts.buyer.organisation)),
        ("Month (UTC)", wording.month(facts.month)),
        (
            "Payable by",
            _apart(wording.day(facts.payable_ms)) if facts.payable_ms is not None else "",
        ),
        ("Credit for invoice", facts.about),
        ("Purchase order", _breakable(facts.po_number)),
        ("Returned to" if facts.kind == CREDIT_NOTE else "Paid by", _breakable(facts.method)),
        ("Reason", _breakable(facts.reason)),
    ]
    return [(label, text) for label, text in given if text]


def _row(line: Line, currency: str, wording: Wording, statement: bool) -> Shown:
    figures = [wording.decimal(line.quantity)]
    if statement:
        figures.append(duration(line.billed_s or 0))
    return {
        "text": _breakable(line.text),
        "note": f"Late reports of {wording.month(line.month)}" if line.month else "",
        "figures": figures,
        "amount": _amount(wording.money(line.amount_micros, currency)),
    }


def _totals(document: Document, wording: Wording) -> list[Shown]:
    facts = document.facts
    labels = {INVOICE: "Total", CREDIT_NOTE: "Total credited", STATEMENT: "Amount due"}
    total = wording.money(facts.amount_micros, facts.currency)
    return [
        {
            "label": f"{labels[facts.kind]} ({facts.currency})",
            "amount": _amount(total),
            "strong": True,
        }
    ]


def _lot(document: Document, wording: Wording) -> list[tuple[str, str]]:
    facts, lot = document.facts, document.facts.lot
    if lot is None:
        return []
    zone = facts.time_zone
    return [
        ("Bought" if facts.amount_micros else "Added", _apart(wording.day(lot.purchased_ms))),
        ("Expires", f"{_apart(wording.moment(lot.expires_ms))} ({zone})"),
        ("Credits", f"lot {lot.id}"),
    ]


def _amount(amount: Amount) -> Shown:
    return {"text": _apart(amount.text.translate(PLAIN_SIGNS)), "exact": _apart(amount.exact)}


def _apart(text: str) -> str:
    """A date or an amount in the direction of its own language, within a page in English."""
    right_to_left = "\N{RIGHT-TO-LEFT MARK}" in text or "\N{ARABIC LETTER MARK}" in text
    if not right_to_left:
        return text
    return f"\N{RIGHT-TO-LEFT ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def _tax_id(tax_id: str) -> str:
    return f"Tax id {tax_id}" if tax_id else ""


def _lines(*texts: str) -> list[str]:
    return [_breakable(text) for text in texts if text]


def _breakable(text: str) -> str:
    """The text with invisible places to break a line at in what has no spaces.

    >>> len(_breakable("x" * 24)), len(_breakable("x" * 25))
    (24, 28)
    """
    return LONG_WORD.sub(lambda word: "".join(p + "\u200b" for p in PIECE.findall(word[0])), text)


@lru_cache(1)
def _fonts() -> typst.Fonts:
    """The fonts that come with typst, and the machine's for what these have no signs for."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)

"""Transactions: every movement of the wallet in words, with the balance that it left."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import reverse

from talktime.config import Address
from talktime.console.billing.calls_shown import (
    hidden_digits,
    moved_shown,
    place_in,
    place_text,
    said,
)
from talktime.console.billing.forms import WhenForm
from talktime.console.databases import current
from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE
from talktime.console.theme.streams import streamed
from talktime.core.masking import masked_parties
from talktime.core.money import decimal_text
from talktime.operations.render import utc_text
from talktime.operations.transactions import (
    LATEST,
    Moved,
    each_transaction,
    list_transactions,
)
from talktime.operations.wording import zone_named
from talktime.store.database import connect
from talktime.store.wallet_hours import Place

SHOWN_MAX = 30
COLUMNS = (
    *("time", "transaction_id", "kind", "description", "caller_number", "callee_number"),
    *("lot_id", "usage_id", "amount", "balance", "currency"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@page(may=SEE)
def transactions(desk: Desk) -> HttpResponse:
    """A page of movements, the latest first; as of a day, with the balance as it was then."""
    query = desk.request.GET
    form, text = WhenForm(query or None), query.get("before", "")
    valid = not query or form.is_valid()
    begin, end = _between(desk, form) if valid else (0, LATEST)
    before = place_in(text) if text else end
    if before is None:
        raise Http404
    found = list_transactions(
        desk.cell, desk.owner.id, before=min(before, end), since_ms=begin, limit=SHOWN_MAX
    )
    kept = {name: query[name] for name in ("since", "on") if valid and query.get(name)}
    here = reverse("transactions", args=[desk.owner.id])
    older = found.older
    hidden = hidden_digits(desk)
    shown: Shown = {
        "form": form,
        "moved": [moved_shown(desk, each, hidden) for each in found.moved],
        "balance": desk.money(found.balance_micros),
        "as_of": desk.wording.moment(end.at_ms - 1) if end != LATEST else "",
        "first": not text,
        "older": f"?{urlencode({**kept, 'before': place_text(older)})}" if older else "",
        "newest": f"{here}?{urlencode(kept)}" if text else "",
        "csv": f"{reverse('transactions-csv', args=[desk.owner.id])}?{urlencode(kept)}",
        "filtered": bool(kept),
    }
    return desk.page("billing/transactions.html", shown, status=200 if valid else 422)


@page(may=SEE)
def transactions_csv(desk: Desk) -> StreamingHttpResponse:
    """The same movements as a file, all of them."""
    form = WhenForm(desk.request.GET)
    if not form.is_valid():
        raise Http404
    begin, end = _between(desk, form)
    list_transactions(desk.cell, desk.owner.id, before=end, limit=1)  # it is there to be read
    lines = _lines(
        current().cells[desk.owner.cell],
        desk.owner.id,
        desk.owner.currency,
        hidden_digits(desk),
        begin,
        end,
    )
    return streamed(desk.request, lines, "text/csv; charset=utf-8", "transactions.csv")


def _between(desk: Desk, form: WhenForm) -> tuple[int, Place]:
    """From which moment on, and before which place: days are the organisation's own."""
    typed = form.cleaned_data if form.is_bound else {}
    since, on = typed.get("since"), typed.get("on")
    begin_ms = _begins_ms(desk, since) if since else 0
    if on is None or on >= date.max:
        return begin_ms, LATEST
    end_ms = _begins_ms(desk, on + timedelta(days=1))
    return begin_ms, LATEST if end_ms > desk.now_ms else Place(max(end_ms, 0))


def _begins_ms(desk: Desk, day: date) -> int:
    local = datetime.combine(day, time(), zone_named(desk.owner.time_zone))
    return max((local - _EPOCH) // timedelta(milliseconds=1), 0)


def _lines(
    address: Address, organisation_id: int, currency: str, hidden: int, begin_ms: int, end: Place
) -> Iterator[str]:
    """The file, page by page, on a connection of its own."""
    with closing(connect(address)) as cell:
        yield _text([COLUMNS])
        for page_ in each_transaction(cell, organisation_id, before=end, since_ms=begin_ms):
            yield _text([_row(moved, currency, hidden) for moved in page_])


def _row(moved: Moved, currency: str, hidden: int) -> tuple[str, ...]:
    transfer, call, lot = moved.transfer, moved.call, moved.lot
    caller = called = ""
    if call is not None:
        numbers = [f"+{digits}" if digits else "" for digits in (call.from_digits, call.to_digits)]
        caller, called = masked_parties(call.type, numbers[0], numbers[1], hidden)
    return (
        utc_text(transfer.at_ms),
        str(transfer.id),
        transfer.kind,
        said(moved),
        caller,
        called,
        str(lot.id) if lot else "",
        str(transfer.usage_id or ""),
        decimal_text(moved.effect_micros),
        "" if moved.balance_micros is None else decimal_text(moved.balance_micros),
        currency,
    )


def _text(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()

"""What the usage report shows, in the reader's own wording."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from talktime.console.doors import Desk
from talktime.console.said import destination_said
from talktime.console.usage.names import (
    COLUMNS,
    CONTEXTS,
    Column,
    capability_name,
    number_type_name,
    type_name,
)
from talktime.operations.usage_documents import UsageRow, country_name
from talktime.operations.wording import Wording, duration
from talktime.store.usage_days import Sums
from talktime.store.usage_rows import Person

Shown = dict[str, Any]


def in_utc(wording: Wording) -> Wording:
    """The reader's wording by the clock of the report."""
    return replace(wording, zone=UTC)


def columns_of(desk: Desk) -> list[Column]:
    """The columns that the address chooses; the first ones where it names none."""
    chosen = set(desk.request.GET.getlist("column"))
    return [column for column in COLUMNS if column.key in chosen] or [
        column for column in COLUMNS if column.first
    ]


def rows_shown(desk: Desk, rows: Iterable[UsageRow], columns: list[Column]) -> list[SafeString]:
    """Each record as a row of the table. A page has hundreds of cells: they are written here, which
    takes a fraction of what a template takes."""
    writer = _Writer(desk)
    cells = [
        (
            column.key,
            format_html('<td role="cell" data-label="{}"{}>', str(column.label), _look(column.key)),
        )
        for column in columns
    ]
    return [
        SafeString(
            '<tr role="row">'
            + "".join(
                f"{begin}{conditional_escape(writer.cell(row, key, first=place == 0))}</td>"
                for place, (key, begin) in enumerate(cells)
            )
            + "</tr>"
        )
        for row in rows
    ]


def _look(key: str) -> SafeString:
    return SafeString(' class="money"' if key in ("charge", "duration") else "")


class _Writer:
    """Writes cells for one reader."""

    def __init__(self, desk: Desk) -> None:
        self._wording = in_utc(desk.wording)
        self._language = desk.wording.locale.language
        self._call_url = reverse("call", args=[desk.owner.id, 0]).replace("/0/", "/{}/")
        self._user_url = user_url(desk, 0).replace("/0/", "/{}/")
        self._nothing = format_html('<span class="none">{}</span>', _("No data"))
        self._correction = format_html(' <span class="tag warn">{}</span>', _("Correction"))

    def cell(self, row: UsageRow, key: str, *, first: bool) -> SafeString | str:
        """What a cell says; the first leads to the call."""
        if key == "charge":
            written: SafeString | str = self._charge(row)
        elif key == "display_name" and row.person is not None:
            written = self._name(row.person)
        else:
            written = self._text(row, key)
        if not first:
            return written or self._nothing
        url = self._call_url.format(row.record.id)
        correction = self._correction if row.record.kind == "correction" else ""
        return format_html('<a href="{}">{}</a>{}', url, written or self._nothing, correction)

    def _charge(self, row: UsageRow) -> SafeString:
        amount = self._wording.money(row.record.charge_micros, row.record.currency)
        look = " negative" if amount.negative else ""
        if not amount.exact:
            return format_html('<bdi class="amount{}">{}</bdi>', look, amount.text)
        written = '<bdi class="amount{}">{}</bdi> <bdi class="exact">{}</bdi>'
        return format_html(written, look, amount.text, amount.exact)

    def _name(self, person: Person) -> SafeString | str:
        name, url = person.display_name or person.name, self._user_url.format(person.id)
        return format_html('<a href="{}">{}</a>', url, name) if url else name

    def _text(self, row: UsageRow, key: str) -> str:
        record, person = row.record, row.person
        match key:
            case "started":
                return self._wording.moment(record.started_ms)
            case "username":
                return person.name if person else ""
            case "phone_number" | "called_to":
                return row.parties.callee
            case "called_from":
                return row.parties.caller
            case "type":
                return str(type_name(record.type))
            case "to_country":
                return country_name(row.to_country, self._language) or destination_said(
                    record.destination
                )
            case "from_country":
                return country_name(row.from_country, self._language)
            case "duration":
                return duration(record.used_s)
            case "context":
                return str(CONTEXTS.get(row.context, ""))
            case "location":
                return country_name(row.location, self._language)
            case "capability":
                return str(capability_name(record.capability))
            case "number_type":
                return str(number_type_name(row.number_type))
            case "call_id":
                return record.call_key
            case "conference_id":
                return record.conference_id
            case "currency":
                return record.currency
        return ""


def user_url(desk: Desk, user_id: int) -> str:
    """The user's page."""
    return place_url("user", desk.owner.id, user_id)


def place_url(name: str, *place: int) -> str:
    """The address of a page; '' where this installation has none such."""
    try:
        return reverse(name, args=place)
    except NoReverseMatch:
        return ""


def minutes_shown(wording: Wording, seconds: int) -> str:
    """Whole minutes, rounded up."""
    return wording.decimal(-(-seconds // 60))


def total_shown(desk: Desk, total: Sums) -> Shown:
    """What all that the filter wants adds up to."""
    wording = desk.wording
    return {
        "calls": wording.decimal(total.calls),
        "corrections": wording.decimal(total.records - total.calls)
        if total.records > total.calls
        else "",
        "minutes": minutes_shown(wording, total.used_s),
        "included": minutes_shown(wording, total.pool_s) if total.pool_s else "",
        "charge": desk.money(total.charge_micros),
        "after_use": desk.money(total.post_micros) if total.post_micros else None,
    }


def measured(sums: Sums, measure: str) -> int:
    """The size of a bar."""
    return {"calls": sums.calls, "minutes": sums.used_s, "charge": sums.charge_micros}[measure]


def measure_text(desk: Desk, size: int, measure: str) -> tuple[str, str]:
    """The figure of a bar of this size in words, and the exact one where it is rounded."""
    if measure == "charge":
        amount = desk.money(size)
        return amount.text, amount.exact
    if measure == "minutes":
        return _("%(minutes)s min") % {"minutes": minutes_shown(desk.wording, size)}, ""
    return desk.wording.decimal(size), ""

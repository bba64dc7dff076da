"""What the usage report shows, in the reader's own wording."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from talktime.console.doors import Desk
from talktime.console.usage.names import COLUMNS, CONTEXTS, Column, capability_name, type_name
from talktime.operations.usage_documents import UsageRow, country_name
from talktime.operations.wording import Wording, duration
from talktime.store.usage_days import Sums

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


def rows_shown(desk: Desk, rows: Iterable[UsageRow], columns: list[Column]) -> list[Shown]:
    """Each record with its cells, in the order of the columns; None stands for no data."""
    wording = in_utc(desk.wording)
    language = desk.wording.locale.language
    return [
        {
            "id": row.record.id,
            "correction": row.record.kind == "correction",
            "flags": row.record.flags,
            "cells": [
                (column, _cell(desk, wording, language, row, column.key)) for column in columns
            ],
        }
        for row in rows
    ]


def _cell(desk: Desk, wording: Wording, language: str, row: UsageRow, key: str) -> Any:
    record, person = row.record, row.person
    match key:
        case "started":
            return wording.moment(record.started_ms)
        case "display_name":
            name = person.display_name or person.name if person else ""
            return (name, user_url(desk, person.id)) if person else None
        case "username":
            return person.name if person else None
        case "phone_number" | "called_to":
            return row.parties.callee
        case "called_from":
            return row.parties.caller
        case "type":
            return type_name(record.type)
        case "to_country":
            return country_name(row.to_country, language) or record.destination
        case "from_country":
            return country_name(row.from_country, language)
        case "charge":
            return wording.money(record.charge_micros, record.currency)
        case "duration":
            return signed_duration(record.used_s)
        case "context":
            return CONTEXTS.get(row.context)
        case "location":
            return country_name(row.location, language)
        case "capability":
            return capability_name(record.capability)
        case "number_type":
            return row.number_type
        case "call_id":
            return record.call_key
        case "currency":
            return record.currency
    return None


def user_url(desk: Desk, user_id: int) -> str:
    """The user's page."""
    return place_url("user", desk.owner.id, user_id)


def place_url(name: str, *place: int) -> str:
    """The address of a page; '' where this installation has none such."""
    try:
        return reverse(name, args=place)
    except NoReverseMatch:
        return ""


def signed_duration(seconds: int) -> str:
    """Seconds as a clock shows them; of a correction, with its sign."""
    return f"-{duration(-seconds)}" if seconds < 0 else duration(seconds)


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


def measure_text(desk: Desk, sums: Sums, measure: str) -> str:
    """The figure of a bar, in words."""
    if measure == "charge":
        return desk.money(sums.charge_micros).text
    if measure == "minutes":
        return _("%(minutes)s min") % {"minutes": minutes_shown(desk.wording, sums.used_s)}
    return desk.wording.decimal(sums.calls)

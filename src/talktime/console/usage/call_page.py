"""One call: who and where, its arithmetic step by step, who paid, what the switch was told."""

from decimal import Decimal
from typing import Any

import msgspec
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.billing.calls_shown import MOVED
from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE
from talktime.console.said import destination_said
from talktime.console.usage.names import (
    CAUSES,
    CONTEXTS,
    capability_name,
    flag_name,
    number_type_name,
    type_name,
)
from talktime.console.usage.shown import in_utc, place_url, user_url
from talktime.core import ledger
from talktime.core.masking import number_text
from talktime.core.money import decimal_text
from talktime.core.rating import Rate, billed_seconds
from talktime.core.refusal import Refusal
from talktime.operations.call_story import CallStory, Part, call_story
from talktime.operations.usage_documents import (
    Describer,
    UsageRow,
    call_log_row,
    country_name,
    usage_guid,
)
from talktime.operations.wording import duration
from talktime.store.usage_rows import Movement

_encode = msgspec.json.Encoder(decimal_format="number").encode
ACCOUNTS = {
    ledger.REVENUE: gettext_lazy("the charge"),
    ledger.DEBT: gettext_lazy("debt"),
    ledger.POST_USAGE: gettext_lazy("paid after use"),
}
STATES = {
    "settled": gettext_lazy("Ended and charged"),
    "released": gettext_lazy("Ended, nothing was owed"),
    "expired": gettext_lazy("Ended by its deadline"),
    "open": gettext_lazy("Running"),
}


@page(may=SEE)
def call_page(desk: Desk, usage_id: int) -> HttpResponse:
    """The story of a call, by any of its usage records."""
    story = call_story(desk.cell, desk.owner.id, usage_id)
    if isinstance(story, Refusal):
        raise Http404
    describer = Describer(desk.control, desk.cell, desk.owner, desk.catalogue)
    rows = describer.rows([part.record for part in story.parts])
    first = rows[0]
    shown: Shown = {
        "call": _call_shown(desk, story, first),
        "parts": [
            _part_shown(desk, part, row) for part, row in zip(story.parts, rows, strict=True)
        ],
        "gates": [_masked(line, first) for line in story.gates],
        "told": [
            {"sequence": told.sequence, "status": told.status, "at": _moment(desk, told.at_ms)}
            for told in story.told
        ],
        "total": desk.money(sum(part.record.charge_micros for part in story.parts)),
        "raw": [
            msgspec.json.format(_encode(call_log_row(row, desk.owner.country))).decode()
            for row in rows
        ],
    }
    return desk.page("usage/call.html", shown)


def _masked(line: str, row: UsageRow) -> str:
    """What the switch was told, with the other party's digits hidden as everywhere."""
    other, shown = row.record.to_digits, row.parties.callee
    if row.inbound:
        other, shown = row.record.from_digits, row.parties.caller
    return line.replace(number_text(other), shown) if other else line


def _moment(desk: Desk, at_ms: int) -> str:
    return in_utc(desk.wording).moment(at_ms)


def _call_shown(desk: Desk, story: CallStory, row: UsageRow) -> Shown:
    record, language = row.record, desk.wording.locale.language
    used_s = sum(part.record.used_s for part in story.parts)
    return {
        "type": type_name(record.type),
        "code": record.type,
        "caller": row.parties.caller,
        "callee": row.parties.callee,
        "from": country_name(row.from_country, language),
        "to": country_name(row.to_country, language),
        "destination": destination_said(record.destination),
        "context": CONTEXTS.get(row.context, ""),
        "user": _user(desk, record.user_id, row),
        "location": country_name(row.location, language),
        "started": _moment(desk, record.started_ms),
        "ended": _moment(desk, story.parts[-1].record.ended_ms),
        "duration": duration(used_s),
        "cause": CAUSES.get(record.cause, ""),
        "cause_code": record.cause,
        "state": STATES.get(story.call.state, "") if story.call else "",
        "number_type": number_type_name(row.number_type),
        "call_id": record.call_key,
        "conference_id": record.conference_id,
        "operator": row.operator,
        "capability": capability_name(record.capability),
        "capability_code": record.capability,
    }


def _user(desk: Desk, user_id: int | None, row: UsageRow) -> tuple[str, str, str] | None:
    person = row.person
    if person is None or user_id is None:
        return None
    return person.display_name or person.name, person.name, user_url(desk, user_id)


def _part_shown(desk: Desk, part: Part, row: UsageRow) -> Shown:
    record = part.record
    rates = place_url("rates", desk.owner.id)
    return {
        "id": record.id,
        "guid": usage_guid(record.id),
        "correction": record.kind == "correction",
        "flags": [flag_name(flag) for flag in record.flags],
        "because": record.because,
        "steps": [] if record.kind == "correction" else _steps(desk, row),
        "charge": desk.money(record.charge_micros),
        "free": not record.charge_micros,
        "used": duration(record.used_s),
        "movements": [_movement(desk, each) for each in part.movements],
        "pool": record.pool,
        "pool_s": duration(record.pool_s) if record.pool_s else "",
        "pools": reverse("pools", args=[desk.owner.id]),
        "after_use": desk.money(record.post_micros) if record.post_micros else None,
        "rates": f"{rates}?q={record.prefix}" if rates and record.prefix else "",
        "prefix": record.prefix,
        "destination": destination_said(record.destination),
    }


def _steps(desk: Desk, row: UsageRow) -> list[Shown]:
    """The sum as one would do it by hand: what each line says, and what it comes to."""
    record = row.record
    rate = Rate.parse(record.rate)
    paid_s = record.billed_s - record.pool_s
    rounding = _("Talked %(used)s s, billed in increments of %(first)s and then %(next)s s") % {
        "used": record.used_s,
        "first": rate.first_increment_s,
        "next": rate.next_increment_s,
    }
    steps: list[Shown] = [
        {"what": rounding, "comes": _seconds(billed_seconds(record.used_s, rate))}
    ]
    if record.pool_s:
        steps.append({"what": _("Less included minutes"), "comes": f"-{_seconds(record.pool_s)}"})
    per_minute = {"seconds": paid_s, "price": _exact(desk, rate.per_minute_micros)}
    talk_micros = record.charge_micros - record.fee_micros
    steps.append(
        {
            "what": _("%(seconds)s s at %(price)s a minute") % per_minute,
            "comes": _exact(desk, talk_micros),
        }
    )
    if record.fee_micros:
        fee = _exact(desk, record.fee_micros)
        steps.append({"what": _("Connection fee, once at answer"), "comes": fee})
    steps.append({"what": _("Charge"), "comes": _exact(desk, record.charge_micros), "sum": True})
    return steps


def _seconds(seconds: int) -> str:
    return f"{seconds} s"


def _exact(desk: Desk, micros: int) -> str:
    amount = desk.wording.decimal(Decimal(decimal_text(micros)))
    return f"{amount} {desk.owner.currency}"


def _movement(desk: Desk, movement: Movement) -> Shown:
    """Who paid, or to whom it went back."""
    back = movement.debit_account == ledger.REVENUE
    account = movement.credit_account if back else movement.debit_account
    name: Any = ACCOUNTS.get(account) or _("lot %(id)s") % {"id": account}
    lot = account not in ledger.SYSTEM_ACCOUNTS
    micros = movement.amount_micros
    return {
        "who": name,
        "url": place_url("lot", desk.owner.id, account) if lot else "",
        "kind": MOVED[movement.kind],
        "amount": desk.money(-micros if back else micros),
        "back": back,
        "at": _moment(desk, movement.at_ms),
    }

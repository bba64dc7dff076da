"""Can this user make this call: each gate that it passes, and the first "no" with what to do."""

from decimal import Decimal

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from talktime.console.databases import current
from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE
from talktime.console.said import destination_said
from talktime.console.users.user_page import found_holder, user_page_shown
from talktime.console.users.words import CALL_TYPES, licence_name
from talktime.core.directory import User
from talktime.core.limits import CALL_SECONDS_MAX, NUMBER_TEXT_MAX
from talktime.core.money import parse_micros
from talktime.core.refusal import Refusal
from talktime.operations.check_call import CallCheck, check_call
from talktime.operations.execute import terms_of
from talktime.store.catalogue import load_catalogues

MINUTES = 5
FIX = {
    "no_base_licence": "licences",
    "no_user_credit_capability": "licences",
    "outbound_policy": "settings",
    "spend_limit_reached": "settings",
    "toll_free_not_allowed": "settings",
    "user_inactive": "calls",
}
"""Where on the user's page the remedy is applied, by the refusal's code."""
FIX_PAGES = {
    "country_blocked": "calling-rules",
    "insufficient_credit": "credits",
    "no_tenant_credit_capability": "credits",
    "post_usage_off": "switch-to-post-usage",
    "statement_overdue": "invoices",
}
"""On which page of the organisation."""


@page(may=SEE)
def check_page(desk: Desk, user_id: int) -> HttpResponse:
    """The answer: within the user's page, or alone for htmx."""
    holder = found_holder(desk, user_id)
    asked = desk.request.GET
    types = CALL_TYPES[holder.user.kind]
    type_ = asked.get("type", "")
    type_ = type_ if type_ in types else next(iter(types))
    number = asked.get("number", "").strip()[:NUMBER_TEXT_MAX]
    minutes = _minutes(asked.get("minutes", ""))
    answer = _answer(desk, holder.user, type_, number, minutes)
    shown: Shown = {
        "user_shown": holder.user,
        "asked": {"type": type_, "number": number, "minutes": str(minutes)},
        "answer": answer,
    }
    if getattr(desk.request, "htmx", False):
        return desk.page("users/answer.html", shown)
    return desk.page("users/user.html", {**user_page_shown(desk, holder), **shown})


def _minutes(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6:
        return min(max(int(text), 1), CALL_SECONDS_MAX // 60)
    return MINUTES


def _answer(desk: Desk, user: User, type_: str, number: str, minutes: int) -> Shown:
    if not number and type_ != "user_in":
        return {"problem": _("Type a number.")}
    with desk.control.reading(), desk.cell.reading():
        found = check_call(
            *(desk.control, desk.cell, desk.owner, user, load_catalogues(desk.control)),
            type_=type_,
            number=number,
            for_s=minutes * 60,
            now_ms=desk.now_ms,
            terms=terms_of(current()),
        )
    if isinstance(found, Refusal):
        return {"passed": (), "refusal": _refusal_shown(found)}
    return _answer_shown(desk, found, minutes)


def _answer_shown(desk: Desk, found: CallCheck, minutes: int) -> Shown:
    if found.refusal is not None:
        return {
            "passed": found.passed,
            "no_minutes": found.no_minutes,
            "refusal": _refusal_shown(found.refusal),
        }
    quote = found.quote
    price, cost = quote["price"], quote["cost"]
    fee_micros = parse_micros(price["connection_fee"])
    length = ngettext("A call of %(count)s minute", "A call of %(count)s minutes", minutes)
    return {
        "passed": found.passed,
        "no_minutes": found.no_minutes,
        "destination": destination_said(price["destination"]),
        "per_minute": desk.wording.price(parse_micros(price["per_minute"]), desk.owner.currency),
        "fee": desk.wording.price(fee_micros, desk.owner.currency) if fee_micros else "",
        "length": length % {"count": desk.wording.decimal(minutes)},
        "charge": desk.money(parse_micros(cost["charge"])),
        "paid_by": [_part_shown(desk, part) for part in cost["paid_by"]],
        "lasts": desk.wording.decimal(quote["lasts_seconds"] // 60),
    }


def _part_shown(desk: Desk, part: dict[str, str]) -> str:
    """Who pays how much of the call."""
    count = desk.wording.decimal(Decimal(part["seconds"]) / 60)
    amount = desk.money(parse_micros(part.get("amount", "0"))).in_full
    words = {"minutes": count, "amount": amount}
    match part["source"]:
        case "free":
            return _("free: %(minutes)s min") % words
        case "pool":
            licence = part["pool"].split("/")[2]
            words["licence"] = licence_name(desk.catalogue, licence)
            return _("included minutes of %(licence)s: %(minutes)s min") % words
        case "credits":
            return _("Communications Credits: %(minutes)s min, %(amount)s") % words
        case "nobody":
            return _("nobody: the call would end before its last %(minutes)s min") % words
    return _("after use, on the next statement: %(minutes)s min, %(amount)s") % words


def _refusal_shown(refusal: Refusal) -> Shown:
    return {
        "title": _(refusal.kind.title),
        "detail": refusal.detail,
        "remedy": _(refusal.kind.remedy),
        "who": _(refusal.kind.who),
        "code": refusal.code,
        "part": FIX.get(refusal.code, ""),
        "page": FIX_PAGES.get(refusal.code, ""),
    }

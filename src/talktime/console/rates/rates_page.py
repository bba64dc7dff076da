"""Rates: what the organisation's calls cost, found by country, destination or number."""

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlencode

import phonenumbers
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from talktime.console.doors import Desk, Shown, page
from talktime.console.rates.words import DIRECTIONS, KINDS
from talktime.console.roles import SEE
from talktime.console.said import destination_said
from talktime.console.start.shown import telephone
from talktime.console.users.list_page import csv_file
from talktime.console.users.words import countries_shown, country_name
from talktime.core.limits import CALL_SECONDS_MAX, DESTINATION_TEXT_MAX, PREFIX_DIGITS_MAX
from talktime.core.rates import OUTBOUND
from talktime.core.rating import Rate, billed_seconds, price_micros
from talktime.operations.find_rates import (
    DestinationNames,
    Price,
    Versions,
    between_of_country,
    between_of_text,
    find_rates,
    rate_lines,
    rate_of_number,
    rate_versions,
)
from talktime.store.rate_search import Between

RATES_ON_A_PAGE = 50
MINUTES = 5
_names = DestinationNames()
_IN_A_NUMBER = frozenset("0123456789+ -().\u00a0")


@page(may=SEE)
def rates(desk: Desk) -> HttpResponse:
    """The prices that are looked for, a page at a time; of a number the one that it has."""
    asked = _asked(desk.request.GET)
    after = desk.request.GET.get("after", "")[:PREFIX_DIGITS_MAX]
    digits = _digits(asked["q"])
    with desk.control.reading():
        versions = rate_versions(desk.control, desk.owner, desk.now_ms)
        country = _country(desk, asked["q"])
        if digits:
            prices, matched = _of_number(desk, versions, asked, digits)
        else:
            prices = _found(desk, versions, asked, country, after)
            matched = None
            if not prices and country and not after:
                prices = _example(desk, versions, asked["direction"], country)
    rows = prices[:RATES_ON_A_PAGE]
    kept = {name: value for name, value in asked.items() if value}
    more = {**kept, "after": rows[-1].row.prefix} if len(prices) > RATES_ON_A_PAGE else None
    shown: Shown = {
        "asked": asked,
        "filtered": bool(asked["q"] or asked["kind"]),
        "version": versions.now and desk.wording.day(versions.now.valid_from_ms),
        "later": [desk.wording.moment(each.valid_from_ms) for each in versions.later],
        "prices": [_price_shown(desk, each) for each in rows],
        "number": telephone(digits) if digits else "",
        "matched": matched and _call_shown(desk, matched, asked["minutes"]),
        "country": country and country_name(desk.wording.locale, country),
        "directions": DIRECTIONS.items(),
        "kinds": KINDS.items(),
        "countries": [name for _code, name in countries_shown(desk.wording.locale)],
        "query": urlencode(kept),
        "next": urlencode(more) if more else "",
        "first": bool(after),
    }
    return desk.page("rates/rates.html", shown)


@page(may=SEE)
def download(desk: Desk) -> HttpResponse:
    """The price list in force, whole, as a CSV file."""
    with desk.control.snapshot():
        version = rate_versions(desk.control, desk.owner, desk.now_ms).now
        if version is None:
            raise Http404
        text = "".join(rate_lines(desk.control, version))
    return csv_file(text, f"rates-{version.currency}.csv")


def _asked(sent: Mapping[str, str]) -> dict[str, str]:
    text = sent.get("q", "").strip()[:DESTINATION_TEXT_MAX]
    direction, kind, minutes = sent.get("direction", ""), sent.get("kind", ""), sent.get("minutes")
    return {
        "q": text if text.isprintable() else "",
        "direction": direction if direction in DIRECTIONS else OUTBOUND,
        "kind": kind if kind in KINDS else "",
        "minutes": str(_minutes(minutes or "")),
    }


def _minutes(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6:
        return min(max(int(text), 1), CALL_SECONDS_MAX // 60)
    return MINUTES


def _digits(text: str) -> str:
    """The digits of a number or prefix; nothing where it is none."""
    if not text or not _IN_A_NUMBER.issuperset(text):
        return ""
    digits = "".join(each for each in text if each.isdigit())
    return digits.removeprefix("00")[:PREFIX_DIGITS_MAX]


def _country(desk: Desk, text: str) -> str:
    """The country of this code or name, in the reader's language or in English."""
    word = text.casefold()
    if not word:
        return ""
    if len(text) == 2 and text.upper() in phonenumbers.SUPPORTED_REGIONS:
        return text.upper()
    for locale in (desk.wording.locale, desk.wording.locale.parse("en")):
        for code, name in locale.territories.items():
            if word == str(name).casefold() and code in phonenumbers.SUPPORTED_REGIONS:
                return str(code)
    return ""


def _found(
    desk: Desk, versions: Versions, asked: Mapping[str, str], country: str, after: str
) -> list[Price]:
    direction, kind = asked["direction"], asked["kind"]
    between = Between(kind=kind)
    if country:
        between = between_of_country(country, kind)
    elif asked["q"] and versions.now is not None:
        names = _names.of(desk.control, versions.now, direction)
        between = between_of_text(names, asked["q"], kind)
    return find_rates(
        *(desk.control, versions, direction, between),
        after=after,
        limit=RATES_ON_A_PAGE + 1,
        now_ms=desk.now_ms,
    )


def _of_number(
    desk: Desk, versions: Versions, asked: Mapping[str, str], digits: str
) -> tuple[list[Price], Price | None]:
    """The rows that begin with the digits, and the one that the number has."""
    direction = asked["direction"]
    price = rate_of_number(desk.control, versions, direction, digits, now_ms=desk.now_ms)
    between = Between(digits, f"{digits}:", "", asked["kind"])
    below = find_rates(
        *(desk.control, versions, direction, between),
        limit=RATES_ON_A_PAGE,
        now_ms=desk.now_ms,
    )
    return below, price


def _example(desk: Desk, versions: Versions, direction: str, country: str) -> list[Price]:
    """The price that a number of a country has whose rows stand under a wider prefix."""
    example = phonenumbers.example_number(country)
    if example is None:
        return []
    digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
    found = rate_of_number(desk.control, versions, direction, digits, now_ms=desk.now_ms)
    return [found] if found else []


def _price_shown(desk: Desk, price: Price) -> Shown:
    row = price.row
    return {
        "prefix": row.prefix,
        "destination": destination_said(row.rate.destination),
        "kind": KINDS.get(row.kind, row.kind),
        "country": country_name(desk.wording.locale, row.country) if row.country else "",
        "price": _terms(desk, price.now) if price.now else None,
        "later": [
            {
                "from": desk.wording.moment(change.from_ms),
                "price": _terms(desk, change.rate) if change.rate else None,
                "dearer": _dearer(price.now, change.rate),
            }
            for change in price.later
        ],
    }


def _dearer(now: Rate | None, then: Rate | None) -> bool | None:
    if now is None or then is None or now[2:4] == then[2:4]:
        return None
    return then[2:4] > now[2:4]


def _terms(desk: Desk, rate: Rate) -> Shown:
    return {
        "per_minute": desk.wording.price(rate.per_minute_micros, desk.owner.currency),
        "fee": desk.wording.price(rate.fee_micros, desk.owner.currency) if rate.fee_micros else "",
        "increments": f"{rate.first_increment_s}/{rate.next_increment_s}",
    }


def _call_shown(desk: Desk, price: Price, minutes: str) -> Shown | None:
    """What a call of so many minutes costs, in words."""
    rate = price.now
    if rate is None:
        return None
    seconds = int(minutes) * 60
    billed_s = billed_seconds(seconds, rate)
    count = int(minutes)
    words = {
        "count": desk.wording.decimal(count),
        "destination": destination_said(rate.destination),
        "amount": desk.wording.price(price_micros(billed_s, rate), desk.owner.currency),
        "billed": desk.wording.decimal(Decimal(billed_s) / 60),
        "price": desk.wording.price(rate.per_minute_micros, desk.owner.currency),
        "fee": desk.wording.price(rate.fee_micros, desk.owner.currency),
    }
    said = ngettext(
        "A call of %(count)s minute to %(destination)s costs %(amount)s",
        "A call of %(count)s minutes to %(destination)s costs %(amount)s",
        count,
    )
    sum_ = (
        _("%(billed)s min at %(price)s each, and %(fee)s when it is answered")
        if rate.fee_micros
        else _("%(billed)s min at %(price)s each")
    )
    return {"said": said % words, "sum": sum_ % words, **_price_shown(desk, price)}

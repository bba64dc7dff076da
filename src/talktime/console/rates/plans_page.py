"""Plans and licensing: which licences are needed for what, who has them, what they bring."""

from collections import Counter
from collections.abc import Iterable

from django.http import HttpResponse

from talktime.console.doors import Desk, Shown, page
from talktime.console.rates.words import FEATURES, PAYERS
from talktime.console.roles import SEE
from talktime.console.users.pools_shown import pool_shown
from talktime.console.users.words import (
    NUMBER_KINDS,
    countries_shown,
    country_name,
    licence_name,
    licence_shown,
)
from talktime.core.refusal import Refusal
from talktime.operations.find_numbers import numbers_taken
from talktime.operations.find_users import sets_held
from talktime.operations.licensing_table import Row, licensing_table
from talktime.operations.number_quotas import read_allowance
from talktime.operations.pool_sizes import pool_sizes
from talktime.store.catalogue import load_catalogues
from talktime.store.user_search import HeldSet

POOLS_SHOWN_MAX = 100


@page(may=SEE)
def plans(desk: Desk) -> HttpResponse:
    """What each feature needs for users in a country, and what the organisation has."""
    country = desk.request.GET.get("country", "").upper() or desk.owner.country
    with desk.control.reading():
        catalogues = load_catalogues(desk.control)
        taken = numbers_taken(desk.control, desk.owner, now_ms=desk.now_ms)
    found = licensing_table(catalogues, country, desk.now_ms)
    if isinstance(found, Refusal):
        country = desk.owner.country
        found = licensing_table(catalogues, country, desk.now_ms)
    assert not isinstance(found, Refusal), "the organisation is in a country"
    with desk.cell.reading():
        held = sets_held(desk.cell, desk.owner)
        allowance = read_allowance(desk.cell, desk.owner, desk.catalogue)
    pools = pool_sizes(desk.owner, desk.catalogue, held, desk.now_ms)
    shown: Shown = {
        "country": country,
        "country_name": country_name(desk.wording.locale, country),
        "countries": countries_shown(desk.wording.locale),
        "features": [_feature(desk, row) for row in found],
        "licences": _licences(desk, held, country),
        "pools": [pool_shown(desk, each) for each in pools[:POOLS_SHOWN_MAX]],
        "pools_cut": max(len(pools) - POOLS_SHOWN_MAX, 0),
        "zones": _zones(desk),
        "quotas": [
            (label, taken[kind], allowance.of(kind)) for kind, label in NUMBER_KINDS.items()
        ],
    }
    return desk.page("rates/plans.html", shown)


def _feature(desk: Desk, row: Row) -> Shown:
    return {
        "name": FEATURES.get(row.feature.name, row.feature.name),
        "ways": [
            {
                "choices": [
                    [licence_name(desk.catalogue, code) for code in choice]
                    for choice in way.choices
                ],
                "paid_by": PAYERS.get(way.paid_by, way.paid_by),
            }
            for way in row.ways
        ],
    }


def _licences(desk: Desk, held: Iterable[HeldSet], country: str) -> list[Shown]:
    """Every licence of the catalogue, with how many users have it; what most have comes first."""
    holders: Counter[str] = Counter()
    for each in held:
        for code in each.licences:
            holders[code] += each.users
    rows: list[Shown] = [
        {
            "licence": licence_shown(desk, licence, country),
            "holders": holders.pop(licence.code, 0),
            "sold": True,
        }
        for licence in desk.catalogue.licences.values()
    ]
    rows += [
        {"licence": {"code": code, "name": code, "brings": ""}, "holders": users, "sold": False}
        for code, users in holders.items()
    ]
    return sorted(rows, key=lambda row: -row["holders"])


def _zones(desk: Desk) -> list[Shown]:
    """Zone A of meetings, and the zones of pay-as-you-go plans, with their countries."""
    locale = desk.wording.locale
    countries = desk.catalogue.countries.values()
    zone_a = sorted(country_name(locale, each.code) for each in countries if each.zone_a)
    payg = sorted({each.payg_zone for each in countries} - {""})
    zones: list[Shown] = [{"name": "", "countries": zone_a}]
    for zone in payg:
        names = sorted(country_name(locale, x.code) for x in countries if x.payg_zone == zone)
        zones.append({"name": zone, "countries": names})
    return zones

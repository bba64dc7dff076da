"""Which included minutes may pay for a call, and how many there are of them this month (R36-R52).

A pool is (organisation, area, plan, counter, month). How large it is follows from who has the plan
now: licences given or taken away change it at once (R48).
"""

from functools import lru_cache
from typing import NamedTuple

from talktime.core.catalogue import Catalogue, Licence, Minutes
from talktime.core.directory import Directory, Holdings, Organisation, User
from talktime.core.entitlements import entitlements
from talktime.core.limits import LINES_CACHED_MAX
from talktime.core.meters import CONFERENCE, DOMESTIC, INTERNATIONAL, minutes_key

EVERYWHERE = "all"
"""The area of the conference minutes: the organisation has one pool (R51)."""
ABROAD = ""
"""A country that is nobody's own: calls there use international minutes."""


class Included(NamedTuple):
    """Minutes that may pay: the meter, the one that must not be used up either (D12), how many
    seconds there are of each, the capability of what they pay, a line for people."""

    pool: str
    total_s: int
    capability: str
    line: str
    guard: str = ""
    guard_total_s: int = 0


def plan_minutes(
    directory: Directory,
    catalogue: Catalogue,
    organisation: Organisation,
    user: User,
    plan: Licence,
    country: str,
    month: str,
) -> Included | None:
    """The minutes of a user's calling plan for a call to a country; None where it has none.

    Domestic is where the country called shares its minutes area with the user's usage location
    (R44, R46). The pool is shared by the users of the plan in one domestic area (R36, R45); a plan
    that is not pooled has one for each user (R37).
    """
    home = catalogue.country(user.usage_location)
    domestic = catalogue.country(country).minutes_area == home.minutes_area
    own = plan.minutes_in(user.usage_location)
    if not (own.domestic if domestic else own.international):
        return None
    total = _total(directory, catalogue, organisation.id, user, plan, home.domestic_area)
    counter, minutes = (
        (DOMESTIC, total.domestic) if domestic else (INTERNATIONAL, total.international)
    )
    owner = None if plan.pooled else user.id
    pool = minutes_key(month, plan.code, home.domestic_area, counter, owner)
    included = Included(pool, minutes * 60, plan.capability, _line(plan.name, counter))
    other, others = (INTERNATIONAL, total.international) if domestic else (DOMESTIC, total.domestic)
    if organisation.rules.independent_counters or not others:
        return included
    guard = minutes_key(month, plan.code, home.domestic_area, other, owner)
    return included._replace(guard=guard, guard_total_s=others * 60)


def conference_minutes(
    directory: Directory,
    catalogue: Catalogue,
    organisation: Organisation,
    licence: Licence,
    month: str,
) -> Included | None:
    """The organisation's minutes for dial-out from meetings, by its licences assigned anywhere
    (R51); None where the licence brings none."""
    each = licence.minutes_in(organisation.country).conference
    if not each:
        return None
    count = _holders(directory.holdings(organisation.id), catalogue, licence.code)
    pool = minutes_key(month, licence.code, EVERYWHERE, CONFERENCE)
    return Included(pool, count * each * 60, licence.capability, _line(licence.name, CONFERENCE))


def all_minutes(
    directory: Directory,
    catalogue: Catalogue,
    organisation: Organisation,
    user: User,
    month: str,
) -> list[Included]:
    """All minutes that a user's licences bring in a month, of meetings and of calls at home and
    abroad (R36, R37, R51)."""
    has = entitlements(catalogue, user.licences)
    found = []
    if has.conferencing is not None and not has.per_minute:
        found.append(
            conference_minutes(directory, catalogue, organisation, has.conferencing, month)
        )
    if has.plan is not None:
        found += [
            plan_minutes(directory, catalogue, organisation, user, has.plan, country, month)
            for country in (user.usage_location, ABROAD)
        ]
    return [included for included in found if included is not None]


def _total(
    directory: Directory,
    catalogue: Catalogue,
    organisation_id: int,
    user: User,
    plan: Licence,
    area: str,
) -> Minutes:
    """The minutes a month of one user (not pooled), or of all who have the plan in this area."""
    if not plan.pooled:
        return plan.minutes_in(user.usage_location)
    return _pooled(directory.holdings(organisation_id), catalogue, plan.code, area)


def _pooled(holdings: Holdings, catalogue: Catalogue, plan: str, area: str) -> Minutes:
    """The minutes of all who can use a plan in an area."""
    what = catalogue, plan, area
    return holdings.sum_of(what, lambda: _minutes_of_all(holdings, *what))


def _minutes_of_all(holdings: Holdings, catalogue: Catalogue, plan: str, area: str) -> Minutes:
    domestic = international = 0
    locations = catalogue.locations_of(area)
    for (location, licences), users in holdings.sets():
        if location in locations and plan in entitlements(catalogue, licences).codes:
            each = catalogue.licences[plan].minutes_in(location)
            domestic += users * each.domestic
            international += users * each.international
    return Minutes(domestic, international)


def _holders(holdings: Holdings, catalogue: Catalogue, licence: str) -> int:
    """How many users can use a licence, wherever they are, each counted once."""
    return holdings.sum_of(
        (catalogue, licence),
        lambda: sum(
            users
            for (_, licences), users in holdings.sets()
            if licence in entitlements(catalogue, licences).codes
        ),
    )


@lru_cache(LINES_CACHED_MAX)
def _line(name: str, counter: str) -> str:
    return f"included minutes: {name}, {counter}"

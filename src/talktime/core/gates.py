"""May this call be made, and who may pay for it: the gates of D16, in their order. Pure.

The first "no" is the answer. What needs no wallet is decided here; whether minutes and money are
left is decided by the books (core/charging.py), by the payers that the gates name. Where included
minutes may pay, a "no" to money waits until they do not suffice.
"""

from functools import lru_cache
from typing import NamedTuple, cast

from talktime.core.called import PREMIUM, SHARED_COST, Called
from talktime.core.catalogue import (
    ANY,
    CONFERENCING,
    DEFAULT_POLICY,
    DOMESTIC,
    EXTENDED_DIAL_OUT,
    NOBODY,
    PHONE,
    PLAN,
    RESOURCE,
    ZONE_A,
    Catalogue,
    SpecialPrefix,
)
from talktime.core.directory import Organisation, User
from talktime.core.entitlements import Entitlements, entitlements
from talktime.core.included import Included, conference_minutes, plan_minutes
from talktime.core.limits import LINES_CACHED_MAX
from talktime.core.meters import month_of
from talktime.core.money_gates import (
    BOT_OUT,
    PER_MINUTE_CAPABILITY,
    money_capability,
    money_line,
    money_refused,
    not_offered,
    payers_of_money,
    rate_of,
)
from talktime.core.payers import CREDITS_CAPABILITY, Payers
from talktime.core.rates import OUTBOUND, TOLL_FREE_IN, TOLL_IN
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.core.world import World

UNRATED = Rate("", "", 0, 0, 1, 1)
"""The rate of a call that was refused before it had one."""
EMERGENCY = Rate("", "Emergency", 0, 0, 1, 1)
TO_A_USER = Rate("", "Inbound to a user", 0, 0, 1, 1)
TO_NOBODY = Rate("", "Inbound to an unassigned number", 0, 0, 1, 1)
TO_A_TOLL_NUMBER = Rate("", "Inbound to a toll number", 0, 0, 1, 1)
EXTENDED = Rate("", "Extended dial-out", 0, 0, 60, 60)
NOT_PRICED = Rate("", "Included minutes", 0, 0, 60, 60)
"""The rate of a call that minutes pay and the rate card does not know: billed by the minute."""

CONFERENCE_OUT = "conf_out"
EXTENDED_COUNTRY = "US"
"""Extended dial-out reaches the minutes area of this country: US, CA, PR (R55)."""

BOT_CAPABILITY = "MCOEV_VIRTUALUSER"
EXTENDED_CAPABILITY = "MCOMEETADD_DIALOUT_US"
CONFERENCING_CAPABILITY = "MCOMEETADD"


class Verdict(NamedTuple):
    """What the gates came to: the rate, who may pay, the first "no", a line for each gate
    passed; and how many seconds there are of the pool and of its guard."""

    rate: Rate
    refusal: Refusal | None
    passed: tuple[str, ...]
    payers: Payers = Payers(credits=False, paid_capability="")
    pool_total_s: int = 0
    guard_total_s: int = 0


def outbound(
    world: World,
    type_: str,
    organisation: Organisation,
    user: User | None,
    called: Called,
    passed: list[str],
) -> Verdict:
    """Decide an outbound call to a number that exists and is no emergency number; `passed` has the
    lines of the gates before.

    The user is who calls, for conf_out the organizer (R32), for ucap_out the resource account.
    Refuses, in this order: number_not_supported, outbound_policy, country_blocked,
    no_base_licence; and where minutes do not pay: no_user_credit_capability,
    no_tenant_credit_capability, no_rate. Source: D16, R28-R59.
    """
    catalogue = world.catalogue
    has = entitlements(catalogue, user.licences if user is not None else frozenset())
    special = catalogue.special(called.digits)
    refusal = first_no(catalogue, type_, organisation, user, has, special, called, passed)
    if refusal is not None:
        return Verdict(UNRATED, refusal, tuple(passed))
    if is_free(catalogue, type_, has, special, called):
        passed.append("extended dial-out: free to the United States and Canada")
        free = Payers(credits=False, free_capability=EXTENDED_CAPABILITY, paid_capability="")
        return Verdict(EXTENDED, None, tuple(passed), free)
    included = None
    if may_be_included(special, called):
        included = included_minutes(world, type_, organisation, user, has, called)
    return _by_money(world, type_, organisation, user, has, called, included, passed)


def first_no(
    catalogue: Catalogue,
    type_: str,
    organisation: Organisation,
    user: User | None,
    has: Entitlements,
    special: SpecialPrefix | None,
    called: Called,
    passed: list[str],
) -> Refusal | None:
    """The first gate before money that says no to an outbound call; None where all let it pass."""
    return (
        _supported(catalogue, special, called, passed)
        or _policy(catalogue, type_, organisation, user, called, passed)
        or _countries(organisation, called, passed)
        or _base_licence(type_, user, has, passed)
    )


def inbound_free(rate: Rate, capability: str, passed: tuple[str, ...]) -> Verdict:
    """An inbound call that costs nothing (R26, R40)."""
    payers = Payers(credits=False, free_capability=capability, paid_capability="")
    return Verdict(rate, None, passed, payers)


def inbound(
    world: World,
    organisation: Organisation,
    organizer: User | None,
    called: Called,
    *,
    bot: User | None,
    toll_free: bool,
    capability: str,
) -> Verdict:
    """Decide a call that comes in on a service number.

    Toll-free numbers are paid for by the organisation, without a licence of anybody (R33, R56), if
    the organizer lets people join on them (R57). Toll numbers are free, but for a pay-per-minute
    organizer (R35). `bot` is the resource account that answers, `capability` that of a free call.
    Refuses: no_base_licence,
    toll_free_not_allowed, no_tenant_credit_capability, no_rate.
    """
    per_minute = False
    passed: list[str] = []
    if bot is not None:
        has = entitlements(world.catalogue, bot.licences)
        refusal = _base_licence(BOT_OUT, bot, has, passed)
        if refusal is not None:
            return Verdict(UNRATED, refusal, tuple(passed))
    if organizer is not None:
        has = entitlements(world.catalogue, organizer.licences)
        refusal = _base_licence(CONFERENCE_OUT, organizer, has, passed)
        if refusal is None and toll_free and not organizer.toll_free_dial_in:
            refusal = Refusal(
                "toll_free_not_allowed", f"{organizer.name} lets nobody join on toll-free numbers"
            )
        if refusal is not None:
            return Verdict(UNRATED, refusal, tuple(passed))
        per_minute = has.per_minute
    if not toll_free and not per_minute:
        return inbound_free(TO_A_TOLL_NUMBER, capability, tuple(passed))
    direction = TOLL_FREE_IN if toll_free else TOLL_IN
    rate = rate_of(organisation, world, direction, called.digits)
    if isinstance(rate, Refusal):
        return Verdict(UNRATED, rate, tuple(passed))
    no_money = not_offered(world.catalogue, organisation)
    if no_money is not None:
        return Verdict(rate, no_money, tuple(passed))
    paid = PER_MINUTE_CAPABILITY if per_minute else CREDITS_CAPABILITY
    payers = payers_of_money(world, organisation, None, credits_allowed=True, capability=paid)
    return Verdict(rate, None, tuple(passed), payers)


def _supported(
    catalogue: Catalogue, special: SpecialPrefix | None, called: Called, passed: list[str]
) -> Refusal | None:
    if special is not None:
        if special.supported:
            passed.append(f"number: {special.name}, on credits alone")
            return None
        return Refusal("number_not_supported", f"+{called.digits} is {special.name}")
    if called.kind in (PREMIUM, SHARED_COST) and not catalogue.country(called.country).premium:
        kind = called.kind.replace("_", "-")
        detail = f"+{called.digits} is a {kind} number of {called.country}"
        if not called.country:
            detail = f"+{called.digits} is a {kind} number of no country"
        return Refusal("number_not_supported", detail)
    return None


def _policy(
    catalogue: Catalogue,
    type_: str,
    organisation: Organisation,
    user: User | None,
    called: Called,
    passed: list[str],
) -> Refusal | None:
    """The dial-out policy of the user, else of the organisation, else the catalogue's (R86, R87).
    A policy that the catalogue lost forbids everything."""
    name = (user.policy if user is not None else "") or organisation.rules.policy
    name = name or catalogue.settings.get(DEFAULT_POLICY, "")
    policy = catalogue.policies.get(name)
    if policy is None:
        detail = f"the policy {name!r} is not in the catalogue any more, and lets nobody call"
        return Refusal("outbound_policy", detail)
    scope = policy.conference if type_ == CONFERENCE_OUT else policy.user
    location = user.usage_location if user is not None else organisation.country
    if scope == ANY:
        allowed = True
    elif scope == ZONE_A:
        allowed = _in_zone_a(catalogue, called)
    elif scope == DOMESTIC:
        area = catalogue.country(location).domestic_area
        allowed = any(catalogue.country(each).domestic_area == area for each in called.countries)
    else:
        allowed = False
    if allowed:
        passed.append(_policy_line(name, scope))
        return None
    return Refusal(
        "outbound_policy",
        f"the policy {name!r} allows {_SCOPES[scope]}; "
        f"+{called.digits} is in {called.country or 'no country'}",
    )


def _in_zone_a(catalogue: Catalogue, called: Called) -> bool:
    return any(catalogue.country(each).zone_a for each in called.countries)


_SCOPES = {
    ANY: "any destination",
    DOMESTIC: "calls within the own country",
    ZONE_A: "calls to zone A",
    NOBODY: "no calls out",
}


@lru_cache(LINES_CACHED_MAX)
def _policy_line(name: str, scope: str) -> str:
    return f"policy: {name} allows {_SCOPES[scope]}"


def _countries(organisation: Organisation, called: Called, passed: list[str]) -> Refusal | None:
    rules = organisation.rules
    if not rules.allowed_countries and not rules.blocked_countries:
        return None
    countries = frozenset(called.countries)
    country = called.countries[0] or "no country"
    if countries <= rules.blocked_countries:
        return Refusal("country_blocked", f"{organisation.name} blocks calls to {country}")
    if rules.allowed_countries and not countries & rules.allowed_countries:
        return Refusal("country_blocked", f"{organisation.name} does not allow {country}")
    passed.append(f"countries: {country} is allowed")
    return None


_NEEDED = {
    PHONE: "no phone licence",
    PLAN: "no calling plan",
    CONFERENCING: "no conferencing licence",
    RESOURCE: "no resource account licence",
}


def _base_licence(
    type_: str, user: User | None, has: Entitlements, passed: list[str]
) -> Refusal | None:
    if type_ == CONFERENCE_OUT:
        needed: tuple[str, ...] = (CONFERENCING,)
    elif type_ == BOT_OUT:
        needed = (RESOURCE,)
    else:
        needed = (PHONE, PLAN)
    missing = [_NEEDED[feature] for feature in needed if feature not in has.features]
    if user is None:
        return Refusal("no_base_licence", "the number has no resource account with a licence")
    if missing:
        return Refusal("no_base_licence", f"{user.name} has {' and '.join(missing)}")
    licence = has.conferencing if type_ == CONFERENCE_OUT else has.plan
    if licence is not None:
        passed.append(_base_line(licence.name, licence.code))
    return None


@lru_cache(LINES_CACHED_MAX)
def _base_line(name: str, code: str) -> str:
    return f"base licence: {name} ({code})"


def is_free(
    catalogue: Catalogue,
    type_: str,
    has: Entitlements,
    special: SpecialPrefix | None,
    called: Called,
) -> bool:
    """Whether it is extended dial-out: a meeting's call that costs nothing (R55), to no premium
    number (R47)."""
    if type_ != CONFERENCE_OUT or EXTENDED_DIAL_OUT not in has.features:
        return False
    if not may_be_included(special, called):
        return False
    area = catalogue.country(EXTENDED_COUNTRY).minutes_area
    return any(catalogue.country(each).minutes_area == area for each in called.countries)


def may_be_included(special: SpecialPrefix | None, called: Called) -> bool:
    """Whether minutes may pay for calls to this number at all."""
    return special is None and called.kind not in (PREMIUM, SHARED_COST)


def included_minutes(
    world: World,
    type_: str,
    organisation: Organisation,
    user: User | None,
    has: Entitlements,
    called: Called,
) -> Included | None:
    """The minutes that may pay for an outbound call; None where there are none."""
    if user is None:
        return None
    month = month_of(world.at_ms)
    if type_ == CONFERENCE_OUT:
        if has.conferencing is None or has.per_minute:
            return None
        if not _in_zone_a(world.catalogue, called):
            return None
        return conference_minutes(
            world.directory, world.catalogue, organisation, has.conferencing, month
        )
    if has.plan is None:
        return None
    country = called.countries[0]
    return plan_minutes(
        world.directory, world.catalogue, organisation, user, has.plan, country, month
    )


def _by_money(
    world: World,
    type_: str,
    organisation: Organisation,
    user: User | None,
    has: Entitlements,
    called: Called,
    included: Included | None,
    passed: list[str],
) -> Verdict:
    """Who may pay: the minutes found, and money where its gates let it."""
    rate = rate_of(organisation, world, OUTBOUND, called.digits)
    per_minute = type_ == CONFERENCE_OUT and has.per_minute
    no_licence, no_money = money_refused(
        world.catalogue, type_, organisation, user, has, per_minute
    )
    if no_money is None and isinstance(rate, Refusal):
        no_money = rate
    if included is None and no_money is not None:
        return Verdict(UNRATED, no_money, tuple(passed))
    if included is not None:
        passed.append(included.line)
        if no_money is not None:
            passed.append(f"no money beyond them: {no_money.detail}")
    if no_licence is None and no_money is None:
        passed.append(money_line(per_minute))
    payers = payers_of_money(
        world,
        organisation,
        user,
        credits_allowed=no_licence is None,
        capability=money_capability(per_minute),
        no_money=no_money,
        included=included,
        unpriced=isinstance(rate, Refusal),
    )
    if included is None:
        return Verdict(cast(Rate, rate), None, tuple(passed), payers)
    return Verdict(
        NOT_PRICED if isinstance(rate, Refusal) else rate,
        None,
        tuple(passed),
        payers,
        included.total_s,
        included.guard_total_s,
    )

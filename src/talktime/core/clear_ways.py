"""Outbound calls that no gate is against: what the gates say to callers who are alike is worked out
once, and remembered. Pure.

Most callers have the licences, the place and the rules of others, and call the same countries. What
a gate says against a call has names in it: then core/gates.py decides, which also decides here, for
a caller without a name. Every word is the same either way.
"""

from functools import lru_cache
from typing import NamedTuple

from talktime.core import gates
from talktime.core.called import Called
from talktime.core.catalogue import Catalogue, SpecialPrefix
from talktime.core.directory import CallingRules, Directory, Organisation, User
from talktime.core.entitlements import entitlements
from talktime.core.gates import CONFERENCE_OUT, Verdict
from talktime.core.limits import CLEAR_WAYS_CACHED_MAX
from talktime.core.money_gates import (
    money_capability,
    money_line,
    money_refused,
    payers_of_money,
    rate_of,
)
from talktime.core.rates import OUTBOUND, RateCards
from talktime.core.refusal import Refusal
from talktime.core.world import World


class _Way(NamedTuple):
    """What the gates say of calls that all of them let pass: their lines, whether there are minutes
    that may pay, and what they say of money."""

    passed: tuple[str, ...]
    minutes: bool
    money_line: str
    capability: str


def outbound(
    world: World,
    type_: str,
    organisation: Organisation,
    user: User | None,
    called: Called,
    passed: list[str],
) -> Verdict:
    """Decide an outbound call. It says what `gates.outbound` says."""
    found = None
    if user is not None:
        found = _clear(world, type_, organisation, user, called, passed)
    return found or gates.outbound(world, type_, organisation, user, called, passed)


def _clear(
    world: World,
    type_: str,
    organisation: Organisation,
    user: User,
    called: Called,
    passed: list[str],
) -> Verdict | None:
    """The verdict where no gate is against the call, and it has a rate; None otherwise."""
    catalogue, rules = world.catalogue, organisation.rules
    way = _way(
        catalogue, type_, catalogue.special(called.digits), called.country, called.kind,
        called.home, organisation.country, organisation.commerce_model,
        rules.policy, rules.allowed_countries, rules.blocked_countries,
        rules.pay_as_you_go, rules.post_usage_blocked,
        user.policy, user.usage_location, user.licences,
    )  # fmt: skip
    if way is None:
        return None
    rate = rate_of(organisation, world, OUTBOUND, called.digits)
    if isinstance(rate, Refusal):
        return None
    included = None
    if way.minutes:
        has = entitlements(catalogue, user.licences)
        included = gates.included_minutes(world, type_, organisation, user, has, called)
    payers = payers_of_money(
        world,
        organisation,
        user,
        credits_allowed=True,
        capability=way.capability,
        included=included,
    )
    if included is None:
        return Verdict(rate, None, (*passed, *way.passed, way.money_line), payers)
    lines = (*passed, *way.passed, included.line, way.money_line)
    return Verdict(rate, None, lines, payers, included.total_s, included.guard_total_s)


@lru_cache(CLEAR_WAYS_CACHED_MAX)
def _way(
    catalogue: Catalogue,
    type_: str,
    special: SpecialPrefix | None,
    called_country: str,
    called_kind: str,
    called_home: str,
    country: str,
    commerce_model: str,
    organisation_policy: str,
    allowed_countries: frozenset[str],
    blocked_countries: frozenset[str],
    pay_as_you_go: bool,
    post_usage_blocked: bool,
    policy: str,
    location: str,
    licences: frozenset[str],
) -> _Way | None:
    """The way of callers of whom this is true, and who have no name; None where a gate says no, or
    where the call is free.

    The gates see nothing else of a caller, so that nothing else can matter to what is remembered.
    """
    rules = CallingRules(
        organisation_policy,
        allowed_countries,
        blocked_countries,
        pay_as_you_go=pay_as_you_go,
        post_usage_blocked=post_usage_blocked,
    )
    organisation = Organisation(0, "", "", "", "", country, commerce_model, True, "", rules)
    user = User(0, 0, "", "", location, licences, "", True, policy)
    called = Called("", called_country, called_kind, called_home)
    has = entitlements(catalogue, licences)
    passed: list[str] = []
    per_minute = type_ == CONFERENCE_OUT and has.per_minute
    if (
        gates.first_no(catalogue, type_, organisation, user, has, special, called, passed)
        or gates.is_free(catalogue, type_, has, special, called)
        or any(money_refused(catalogue, type_, organisation, user, has, per_minute))
    ):
        return None
    minutes = None
    if gates.may_be_included(special, called):
        nowhere = World(Directory(), RateCards(), catalogue, 0)
        minutes = gates.included_minutes(nowhere, type_, organisation, user, has, called)
    line, capability = money_line(per_minute), money_capability(per_minute)
    return _Way(tuple(passed), minutes is not None, line, capability)

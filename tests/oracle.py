"""May this call be made, and who pays each second of it: the rules once more, slow and plain.

Written from the domain's rules (R28-R70) alone and sharing no code with the package: a call is a
handful of facts, increments are counted one by one, prices are fractions. The decision table
(operations/test_decision_table.py) holds the service to what stands here.
"""

from fractions import Fraction
from math import ceil

from tests import oracle_world as world
from tests.oracle_facts import Bill, Facts, Person, Pool, Price, Verdict

LONGEST_S = 86_400


FREE = Price(0, 0, 1, 1)
UNPRICED = Price(0)
"""Whole minutes: what the pool counts where no rate is known."""


def judge(facts: Facts) -> Verdict:
    """The gates in their order; the first "no" is the answer (R28, D16)."""
    if facts.call.endswith("_in"):
        return judge_inbound(facts)
    if facts.called.kind == "emergency":
        return Verdict(free=True)
    code = refused_before_money(facts)
    if code:
        return Verdict(code)
    if is_extended(facts):
        return Verdict(free=True, free_capability="MCOMEETADD_DIALOUT_US")
    pool = pool_of(facts)
    left_s = pool_left_s(facts, pool)
    verdict = money_of(facts, outbound=True)._replace(
        pool=pool, pool_left_s=left_s, free_capability=pool_capability(pool)
    )
    if is_per_minute(facts):
        verdict = verdict._replace(paid_capability="MCOMEETACPEA")
    return refused_or_granted(facts, verdict)


def refused_or_granted(facts: Facts, verdict: Verdict) -> Verdict:
    """A call whose first increment nobody can pay is refused."""
    first_s = (facts.price or UNPRICED).first_s
    talked_s, code = talkable(facts, verdict, first_s)
    return verdict if talked_s else Verdict(code)


# The gates before the money


def refused_before_money(facts: Facts) -> str:
    """Actives, number, policy, country lists, base licence."""
    if not facts.organisation_active:
        return "organisation_inactive"
    if not facts.user_active:
        return "user_inactive"
    if facts.called.kind == "no_number":
        return "invalid_number"
    if facts.called.kind == "unsupported":
        return "number_not_supported"
    if not policy_allows(facts):
        return "outbound_policy"
    countries = countries_called(facts)
    if (facts.allowed and not countries & facts.allowed) or not countries - facts.blocked:
        return "country_blocked"
    if not has_base(facts):
        return "no_base_licence"
    return ""


def policy_allows(facts: Facts) -> bool:
    """Meetings by the first half of the policy, everybody else by the second (R44-R46, R87)."""
    policy = facts.policy or facts.organisation_policy or next(iter(world.POLICIES))
    conference, user = world.POLICIES[policy]
    wanted = conference if facts.call == "conf_out" else user
    countries = countries_called(facts)
    if wanted == world.DOMESTIC:
        return world.domestic_area(facts.location) in map(world.domestic_area, countries)
    if wanted == world.ZONE_A_ONLY:
        return bool(countries & world.ZONE_A)
    return wanted == world.ANY


def countries_called(facts: Facts) -> frozenset[str]:
    """The country that is called, and the caller's own where the number is of both."""
    called = facts.called
    return frozenset({called.country}) | (called.shared_by & {facts.location})


def has_base(facts: Facts) -> bool:
    """A phone and a plan; a resource account's licence; Audio Conferencing of any kind."""
    owned = world.unbundled(facts.licences)
    if facts.call == "conf_out":
        return bool(owned & {world.CONFERENCING, world.PER_MINUTE, world.BASIC})
    if facts.call == "ucap_out":
        return world.RESOURCE in owned
    return bool(owned & world.PHONES) and bool(owned & (world.PAYG | set(world.PLANS)))


def is_per_minute(facts: Facts) -> bool:
    """Whether each leg of the organizer's meetings is paid for: no subscription beside (R35)."""
    owned = world.unbundled(facts.licences)
    subscribed = bool(owned & {world.CONFERENCING, world.BASIC})
    of_conference = facts.call in ("conf_out", "conf_in") and facts.organizer
    return of_conference and world.PER_MINUTE in owned and not subscribed


def is_extended(facts: Facts) -> bool:
    """Dial-out to the United States and Canada, free without end (R55)."""
    owned = world.unbundled(facts.licences)
    return (
        facts.call == "conf_out"
        and bool(owned & {world.EXTENDED, world.BASIC})
        and world.minutes_area(facts.called.country) == "US"
        and facts.called.kind == "ordinary"
    )


# Included minutes


def pool_of(facts: Facts) -> Pool | None:
    """Whose minutes the call may use: of the plan (R36-R45), or of conferencing (R51-R54)."""
    if facts.called.kind != "ordinary":
        return None
    owned = world.unbundled(facts.licences)
    if facts.call == "conf_out":
        if world.CONFERENCING not in owned or facts.called.country not in world.ZONE_A:
            return None
        licences = sum(
            world.CONFERENCING in world.unbundled(person.licences) for person in everyone(facts)
        )
        total_s = 60 * licences * world.conference_minutes(facts.country)
        return Pool(f"{world.CONFERENCING}/all/conference", total_s)
    for plan in world.PLANS:
        if plan in owned:
            return plan_pool(facts, plan, counter_of(facts))
    return None


def counter_of(facts: Facts) -> str:
    """Domestic or international, as minutes see it (R44, R46)."""
    here = world.minutes_area(facts.location) == world.minutes_area(facts.called.country)
    return "domestic" if here else "international"


def plan_pool(facts: Facts, plan: str, counter: str) -> Pool | None:
    """All users with the plan in the caller's domestic area share its minutes; not of MCOPSTN8."""
    area = world.domestic_area(facts.location)
    which = ("domestic", "international").index(counter)
    sharing = [
        person
        for person in everyone(facts)
        if plan in world.unbundled(person.licences) and world.domestic_area(person.location) == area
    ]
    meter = f"{plan}/{area}/{counter}"
    if plan == "MCOPSTN8":
        sharing, meter = sharing[:1], meter + "/USER"
    minutes = [world.plan_minutes(plan, person.location, facts.month)[which] for person in sharing]
    return Pool(meter, 60 * sum(minutes)) if sum(minutes) else None


def everyone(facts: Facts) -> list[Person]:
    """The caller first, then the others."""
    return [Person(facts.location, facts.licences), *facts.others]


def pool_left_s(facts: Facts, pool: Pool | None) -> int:
    """What is left of the minutes; used None: all of them. Of an international plan, nothing where
    its other counter has ended (R42, D12)."""
    if pool is None or facts.pool_used_s is None:
        return 0
    plan, _, counter = pool.meter.split("/")[:3]
    if plan in world.INTERNATIONAL_PLANS and not facts.independent:
        other = {"domestic": "international", "international": "domestic"}[counter]
        guard = plan_pool(facts, plan, other)
        used_s = facts.other_counter_used_s
        if guard is None or used_s is None or used_s >= guard.total_s:
            return 0
    return max(pool.total_s - facts.pool_used_s, 0)


def pool_capability(pool: Pool | None) -> str:
    """The report's code for minutes (R70)."""
    if pool is None:
        return ""
    code = pool.meter.split("/")[0]
    return "MCOMEETADD" if code == world.CONFERENCING else code


# Money


def money_of(facts: Facts, outbound: bool) -> Verdict:
    """Who pays money, and up to how much: credits, then after use (D11, D14)."""
    after_use = facts.model != "prepaid"
    pays_later = after_use and facts.pay_as_you_go
    may_use = may_use_credits(facts) if outbound else True
    no_money = ""
    if not may_use and not (pays_later and not lacks_payg(facts)):
        no_money = "no_user_credit_capability"
    elif not after_use and facts.country in world.WITHOUT_CREDITS:
        no_money = "no_tenant_credit_capability"
    elif facts.price is None:
        no_money = "no_rate"
    elif not after_use and facts.balance is None:
        no_money = "no_tenant_credit_capability"
    post: int | None = 0
    if pays_later:
        post = None if facts.cap is None else max(facts.cap - facts.post_used, 0)
    at_end = "insufficient_credit"
    if after_use:
        at_end = "post_usage_cap_reached" if pays_later else "post_usage_off"
    return Verdict(
        no_money=no_money,
        credits=max(facts.balance or 0, 0) if may_use else 0,
        post=post,
        limit_left=limit_left(facts) if outbound else None,
        at_end=at_end,
    )


def limit_left(facts: Facts) -> int | None:
    """What the user may still spend this month: the user's own limit, else the organisation's."""
    limit = facts.limit if facts.own_limit is None else facts.own_limit
    return None if limit is None else max(limit - facts.spent, 0)


def may_use_credits(facts: Facts) -> bool:
    """The licence for credits, and what it needs to be used (R29, R31, R32, R34)."""
    if is_per_minute(facts):
        return True
    if facts.call == "ucap_out":
        if facts.month < "2025-11":
            return True
        return not lacks_payg(facts) and world.CREDITS in facts.licences
    return world.CREDITS in facts.licences


def lacks_payg(facts: Facts) -> bool:
    """A resource account calls for money with a Pay-As-You-Go plan alone, since November 2025."""
    return facts.call == "ucap_out" and facts.month >= "2025-11" and not facts.licences & world.PAYG


# Calls that come in


def judge_inbound(facts: Facts) -> Verdict:
    """To a user and to a toll number free; to a toll-free number paid by the organisation."""
    if not facts.organisation_active:
        return Verdict("organisation_inactive")
    if not facts.user_active and (facts.organizer or facts.call == "user_in"):
        return Verdict("user_inactive")
    if facts.call == "user_in":
        owned = world.unbundled(facts.licences)
        plans = owned & set(world.PLANS) if owned & world.PHONES else frozenset()
        return Verdict(free=True, free_capability=min(plans, default=""))
    if facts.call == "unassigned_in":
        return Verdict(free=True)
    if facts.toll_free and facts.organizer and not facts.toll_free_dial_in:
        return Verdict("toll_free_not_allowed")
    per_minute = is_per_minute(facts)
    if not facts.toll_free and not per_minute:
        bot = facts.call == "ucap_in"
        return Verdict(free=True, free_capability="MCOEV_VIRTUALUSER" if bot else "MCOMEETADD")
    verdict = money_of(facts, outbound=False)
    if per_minute:
        verdict = verdict._replace(paid_capability="MCOMEETACPEA")
    return refused_or_granted(facts, verdict)


# A call of some length


def boundaries(price: Price, until_s: int) -> list[int]:
    """The whole increments: 0, then where each ends."""
    ends = [0, price.first_s]
    while ends[-1] < until_s:
        ends.append(ends[-1] + price.next_s)
    return ends


def whole(used_s: int, price: Price) -> int:
    """Talked seconds as they are billed (R60, R61)."""
    return next(end for end in boundaries(price, used_s) if end >= used_s)


def cost(paid_s: int, price: Price) -> int:
    """What seconds that no pool pays cost: the fee once, rounded up once."""
    if paid_s <= 0:
        return 0
    return price.fee + ceil(Fraction(price.per_minute * paid_s, 60))


def pool_covers_s(verdict: Verdict, price: Price) -> int:
    """How much of a call the pool pays: whole increments (D11, R64, R65)."""
    if verdict.pool_left_s <= 0:
        return 0
    ends = boundaries(price, min(verdict.pool_left_s, LONGEST_S))
    return max(end for end in ends if end <= verdict.pool_left_s)


def talkable(facts: Facts, verdict: Verdict, up_to_s: int) -> tuple[int, str]:
    """How long the call can go on, in whole increments, and the code of what ends it."""
    if verdict.code:
        return 0, verdict.code
    price = facts.price or UNPRICED
    if verdict.free:
        return up_to_s, ""
    covered_s = pool_covers_s(verdict, price)
    talked_s = min(covered_s, up_to_s)
    for end in boundaries(price, up_to_s):
        if end <= covered_s:
            continue
        if end > up_to_s:
            return talked_s, ""
        code = verdict.no_money or cannot_pay(verdict, cost(end - covered_s, price))
        if code:
            return talked_s, code
        talked_s = end
    return talked_s, ""


def cannot_pay(verdict: Verdict, micros: int) -> str:
    """Why this much cannot be paid; empty where it can. Balance or post-usage before the limit."""
    if verdict.post is not None and micros > verdict.credits + verdict.post:
        return verdict.at_end
    if verdict.limit_left is not None and micros > verdict.limit_left:
        return "spend_limit_reached"
    return ""


def bill(facts: Facts, verdict: Verdict, used_s: int) -> Bill:
    """Who pays what of a call that has ended after these seconds."""
    price = FREE if verdict.free else facts.price or UNPRICED
    billed_s = whole(used_s, price)
    if verdict.code or verdict.free:
        return Bill(billed_s, 0, 0, 0, 0, verdict.free_capability)
    pool_s = min(billed_s, pool_covers_s(verdict, price))
    micros = cost(billed_s - pool_s, price)
    by_credits = min(micros, verdict.credits)
    left = micros - by_credits
    later = left if verdict.post is None else min(left, verdict.post)
    paid = billed_s > pool_s
    by_money = verdict.paid_capability if facts.price else "FREECALL"
    capability = by_money if paid else verdict.free_capability
    return Bill(billed_s, pool_s, by_credits, later, left - later, capability)

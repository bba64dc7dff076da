"""Who may call, and who pays: locations, pools about to end, post-usage, limits, country lists.

Smaller tables beside the large one (test_decision_table.py), against the same oracle.
"""

from collections.abc import Iterator
from itertools import product

import pytest

from talktime.core.commands import Authorize
from talktime.operations.resolve import CallRequest, resolve
from tests import oracle_world as world
from tests.commands import NOW_MS, SWITCH
from tests.operations.test_decision_table import (
    BALANCES,
    BOTS,
    CREDITS,
    NUMBERS,
    ORGANIZERS,
    PHONE,
    dialled,
)
from tests.oracle_facts import Facts, Person
from tests.oracle_office import TOLL_FREE_PRICE, Office, Trial, assert_none, differences

DOMESTIC = PHONE | {"MCOPSTN1"}
A_PLAN = [DOMESTIC, DOMESTIC | CREDITS, PHONE | {"MCOPSTN2"}, PHONE | {"MCOPSTN2"} | CREDITS]
PAYG = [PHONE | {"MCOPSTN_PAYG_1"}, PHONE | {"MCOPSTN_PAYG_1"} | CREDITS]
SUBSCRIPTIONS = [
    *(frozenset({"MCOMEETADV"}), frozenset({"MCOMEETADV"}) | CREDITS),
    *(frozenset({"MCOMEETBASIC"}) | CREDITS, frozenset({"MCOMEETACPEA"})),
]
ROBOTS = [BOTS[2], BOTS[4], BOTS[5], BOTS[6], BOTS[7]]
CALLERS = [
    *(("user_out", codes) for codes in [*A_PLAN, *PAYG]),
    *(("conf_out", codes) for codes in SUBSCRIPTIONS),
    *(("ucap_out", codes) for codes in ROBOTS),
]
PLACES = ["the United States", "Zimbabwe, in no zone", "Norway, with a fee", "French premium"]


def by_callers(**more: object) -> Iterator[Trial]:
    """Each kind of caller to each kind of place."""
    for call, codes in CALLERS:
        facts = Facts(call=call, licences=codes, resource_account=call == "ucap_out")
        yield from dialled(PLACES, facts._replace(**more))


def test_what_is_domestic_follows_from_the_usage_location():
    """R44-R46, R53, R54: the location of the user or organizer, and nothing else, says what is
    domestic; by country for policies, the United States and Canada together for minutes."""
    places = [name for name in NUMBERS if name != "emergency"]
    trials = []
    locations = ["US", "CA", "PR", "GB", "MX", "DE", "NO", "ZW"]
    policies = ["", "DialoutCPCandPSTNDomestic", "DialoutCPCZoneAPSTNDomestic"]
    calls = [("user_out", codes) for codes in (*A_PLAN, PHONE | {"MCOPSTN5"})]
    calls += [("conf_out", codes) for codes in (*SUBSCRIPTIONS, ORGANIZERS[6])]
    for location, policy, (call, codes), balance in product(
        locations, policies, calls, BALANCES.values()
    ):
        facts = Facts(call=call, licences=codes, location=location, policy=policy, balance=balance)
        trials += dialled(places, facts)
    assert_none(*differences(trials), at_least=10_000)


def test_pools_add_up_the_allotments_of_all_who_share_them():
    """R36, R37, R45, R51, R59: by plan and area; 60 minutes of conferencing each, 900 in some."""
    crowd = (
        *(Person("US", DOMESTIC),) * 3,
        *(Person("PR", DOMESTIC),) * 2,
        *(Person("CA", DOMESTIC), Person("GB", DOMESTIC), Person("DE", DOMESTIC)),
        Person("US", frozenset({"MCOTEAMS_ESSENTIALS"})),
        Person("US", PHONE | {"MCOPSTN8"}),
        *(Person("ZW", frozenset({"MCOMEETADV"})), Person("GB", frozenset({"ENTERPRISEPREMIUM"}))),
        *(Person("US", frozenset({"MCOMEETACPEA"})), Person("US", frozenset({"MCOMEETBASIC"}))),
    )
    nearly = [3000 * 60 * 4 - 60, 1200 * 60 - 60, 60 * 60 * 3 - 60, 900 * 60 * 3 - 60]
    trials = []
    for used_s, country, location in product(
        [0, *nearly], ["US", "GB", "KR", "TW"], ["US", "PR", "CA", "GB", "DE"]
    ):
        for codes in (DOMESTIC, PHONE | {"MCOPSTN8"}, frozenset({"MCOTEAMS_ESSENTIALS"})):
            facts = Facts(licences=codes, location=location, country=country, others=crowd)
            trials += dialled(PLACES[:1], facts._replace(pool_used_s=used_s))
        facts = Facts(call="conf_out", licences=frozenset({"MCOMEETADV"}), country=country)
        facts = facts._replace(others=crowd, location=location, pool_used_s=used_s)
        trials += dialled(PLACES, facts)
    assert_none(*differences(trials), at_least=500)


@pytest.mark.parametrize("left_s", [59, 60, 61, 119, 120, 150, 180, 299, 300, 301])
def test_a_call_that_outlasts_its_minutes_goes_on_by_money_or_ends(left_s: int):
    """R64, R65: whole increments of the pool, then credits; the fee with the first paid second."""
    trials = []
    for balance, (call, codes) in product((50_000_000, 40_000, 30_000, 0, None), CALLERS):
        facts = Facts(call=call, licences=codes, balance=balance)
        facts = facts._replace(resource_account=call == "ucap_out")
        for trial in dialled([*PLACES, "Britain, by six seconds", "Canada"], facts):
            used_s = total_s(trial.facts) - left_s
            trials.append(trial._replace(facts=trial.facts._replace(pool_used_s=used_s)))
    assert_none(*differences(trials), at_least=400)


def total_s(facts: Facts) -> int:
    """How much the caller's pool has where the caller alone shares it."""
    if facts.call == "conf_out":
        return 60 * 60
    international = facts.called.country not in ("US", "CA")
    return 600 * 60 if international and "MCOPSTN2" in facts.licences else 3000 * 60


def test_the_minutes_of_an_international_plan_end_together_or_each_for_itself():
    """R42, D12: either counter ends both, unless the organisation lets them be independent."""
    trials = []
    used = [0, 600 * 60 - 60, 3000 * 60 - 60, None]
    for own, other, independent, balance in product(used, used, (False, True), (50_000_000, 0)):
        for codes in A_PLAN[2:]:
            facts = Facts(licences=codes, pool_used_s=own, other_counter_used_s=other)
            facts = facts._replace(independent=independent, balance=balance)
            trials += [trial for trial in dialled(PLACES, facts) if within_totals(trial.facts)]
    assert_none(*differences(trials), at_least=100)


def within_totals(facts: Facts) -> bool:
    """Whether each counter's use fits into it."""
    own, other = total_s(facts), 600 * 60 if total_s(facts) == 3000 * 60 else 3000 * 60
    return (facts.pool_used_s or 0) <= own and (facts.other_counter_used_s or 0) <= other


def test_who_pays_after_use_goes_on_when_credits_end():
    """R72, D14: credits first, then post-usage up to its cap; nobody where it is off."""
    trials = []
    balances = [None, 0, 20_000, 40_000, 50_000_000]
    for model, on, cap, balance, pool in product(
        ("draining", "post_usage"), (True, False), (None, 0, 26_000, 10**9), balances, (0, None)
    ):
        trials += by_callers(
            model=model, pay_as_you_go=on, cap=cap, balance=balance, pool_used_s=pool
        )
    for on, cap, balance in product((True, False), (None, 0, 44_000), balances):
        facts = Facts(call="ucap_in", model="post_usage", pay_as_you_go=on, cap=cap)
        facts = facts._replace(balance=balance, toll_free=True, organizer=False)
        trials.append(Trial(facts._replace(price=TOLL_FREE_PRICE)))
    assert_none(*differences(trials), at_least=3_000)


def test_what_is_owed_after_use_this_month_counts_against_the_cap():
    """D14: the cap is the month's."""
    trials = []
    for used, balance in product((0, 13_000, 99_999, 100_000), (None, 26_000)):
        trials += by_callers(
            model="post_usage", pay_as_you_go=True, cap=100_000, post_used=used, balance=balance
        )
    assert_none(*differences(trials), at_least=300)


def test_pay_as_you_go_is_nothing_to_who_pays_before():
    """D14: the switch is for those who pay after use."""
    trials = []
    for balance, pool in product(BALANCES.values(), (0, None)):
        trials += by_callers(pay_as_you_go=True, balance=balance, pool_used_s=pool)
    assert_none(*differences(trials), at_least=300)


def test_nobody_spends_more_than_their_limit_in_a_month():
    """R50: credits and post-usage count, included minutes do not; the balance is asked first."""
    trials = []
    models = [("prepaid", False), ("post_usage", True), ("post_usage", False)]
    for (model, on), limit, spent, balance, pool in product(
        models, (None, 0, 39_000, 1_000_000), (0, 13_000, 39_000), (None, 26_000, 10**8), (0, None)
    ):
        more = {"model": model, "pay_as_you_go": on, "limit": limit, "spent": spent}
        trials += by_callers(**more, balance=balance, pool_used_s=pool)
    assert_none(*differences(trials), at_least=5_000)


def test_countries_are_allowed_and_blocked_by_the_organisation():
    """D16: after the policy, before the licence; no country is a country of its own."""
    lists = [frozenset(each) for each in ((), ("US",), ("ZW", "FR"), ("",), ("US", "ZW", "NO"))]
    trials = []
    for allowed, blocked in product(lists, lists):
        for policy in ("", "DialoutCPCandPSTNDomestic", "DialoutCPCandPSTNDisabled"):
            rules = {"allowed": allowed, "blocked": blocked, "policy": policy}
            trials += by_callers(**rules, balance=50_000_000)
            facts = Facts(licences=frozenset(), balance=50_000_000, **rules)
            trials += dialled(["freephone of no country", "emergency", "no number"], facts)
    assert_none(*differences(trials), at_least=4_000)


def test_where_credits_cannot_be_had_nothing_is_paid_with_them():
    """R30, R59: no organisation of such a country; who pays after use needs no credits."""
    trials = []
    for country, model, balance in product(
        sorted(world.WITHOUT_CREDITS), ("prepaid", "post_usage"), (None, 50_000_000)
    ):
        more = {"country": country, "model": model, "pay_as_you_go": True, "balance": balance}
        trials += by_callers(**more, pool_used_s=None)
        arriving = Facts(call="ucap_in", toll_free=True, organizer=False, price=TOLL_FREE_PRICE)
        trials.append(Trial(arriving._replace(**more)))
    assert_none(*differences(trials), at_least=2_000)


def test_a_users_own_policy_and_limit_stand_before_the_organisations():
    """R50, R87: where the user has none, the organisation's; where it has none, the default."""
    trials = []
    chosen = ["", *list(world.POLICIES)[1::2]]
    for own, general in product(chosen, chosen):
        trials += by_callers(policy=own, organisation_policy=general, balance=50_000_000)
    for own, general, spent in product((None, 0, 26_000), (None, 0, 26_000), (0, 13_000)):
        more = {"own_limit": own, "limit": general, "spent": spent}
        trials += by_callers(**more, balance=50_000_000, pool_used_s=None)
    assert_none(*differences(trials), at_least=3_000)


@pytest.mark.parametrize(
    ("to", "code"),
    [("911", None), ("+14255550123", "no_base_licence"), ("+49 1", "invalid_number")],
)
def test_a_number_that_nobody_answers_calls_for_help_alone(to: str, code: str | None):
    """R34, R86: a service number without a resource account has no licence."""
    office = Office()
    organisation, _ = office.caller(Facts(balance=50_000_000))
    request = CallRequest("C1", 0, "ucap_out", from_=f"+1425{organisation.id:07}", to=to)
    command = resolve(
        office.directory, office.rate_cards, office.catalogues, request, SWITCH, NOW_MS, 55
    )
    assert isinstance(command, Authorize)
    assert (command.refusal.code if command.refusal else None) == code

"""Who may call, and who pays: every case of the table, against the oracle (tests/oracle.py).

The table crosses call types, licences, policies, destinations, balances and pools; smaller ones add
locations, post-usage, spend limits, country lists. Each case is resolved and decided in memory.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from talktime.core.calls import CALL_TYPES
from tests import oracle_world as world
from tests.oracle_facts import Called, Facts, Person
from tests.oracle_office import (
    TOLL_FREE_PRICE,
    TOLL_PRICE,
    Trial,
    assert_none,
    differences,
    price_of,
)

NORTH_AMERICA = frozenset({"US", "CA", "PR"})
NUMBERS = {
    "the United States": ("+14255550123", Called("US")),
    "Canada": ("+14165550123", Called("CA")),
    "Puerto Rico": ("+17875550123", Called("PR")),
    "Germany, in zone A": ("+4930123456", Called("DE")),
    "Britain, by six seconds": ("+442079460123", Called("GB")),
    "Norway, with a fee": ("+4721234567", Called("NO")),
    "France, with a fee": ("+33142685300", Called("FR")),
    "Zimbabwe, in no zone": ("+263242123456", Called("ZW")),
    "Cook Islands, without a rate": ("+68221234", Called("CK")),
    "British shared cost": ("+448441234567", Called("GB", "special")),
    "French premium": ("+33891234567", Called("FR", "special")),
    "Austrian shared cost": ("+43810123456", Called("AT", "special")),
    "British premium": ("+449098790123", Called("GB", "unsupported")),
    "American premium": ("+19002345678", Called("US", "unsupported")),
    "German shared cost": ("+491805123456", Called("DE", "unsupported")),
    "American freephone": ("+18002345678", Called("US", shared_by=NORTH_AMERICA)),
    "freephone of no country": ("+80012345678", Called("")),
    "no number": ("+49 1", Called("", "no_number")),
    "emergency": ("112", Called("", "emergency")),
}
USUAL_NUMBERS = [
    *("the United States", "Canada", "Puerto Rico", "Germany, in zone A", "France, with a fee"),
    *("Zimbabwe, in no zone", "British shared cost", "British premium", "American freephone"),
    *("no number", "emergency"),
]
CREDITS = frozenset({world.CREDITS})
PHONE = frozenset({"MCOEV"})
USERS = [
    frozenset(),
    CREDITS,
    PHONE,
    PHONE | CREDITS,
    CREDITS | {"MCOPSTN1"},
    *(PHONE | {plan} for plan in (*world.PLANS, "MCOPSTN_PAYG_1")),
    *(PHONE | CREDITS | {plan} for plan in (*world.PLANS, "MCOPSTN_PAYG_1")),
    frozenset({"MCOTEAMS_ESSENTIALS"}),
    frozenset({"MCOTEAMS_ESSENTIALS"}) | CREDITS,
    frozenset({"ENTERPRISEPREMIUM"}) | CREDITS,
    frozenset({"ENTERPRISEPREMIUM", "MCOPSTN5"}),
    frozenset({"MCOCAP", "MCOPSTN6"}) | CREDITS,
]
A_FEW_USERS = [USERS[0], USERS[3], PHONE | {"MCOPSTN1"}, PHONE | CREDITS | {"MCOPSTN2"}]
ORGANIZERS = [
    frozenset(),
    CREDITS,
    PHONE | CREDITS | {"MCOPSTN1"},
    *(frozenset(each) for each in ({"MCOMEETADV"}, {"MCOMEETADV", "MCOPSTNC"})),
    frozenset({"MCOMEETADV", "MCOMEETADD_DIALOUT_US"}),
    frozenset({"MCOMEETADV", "MCOMEETADD_DIALOUT_US"}) | CREDITS,
    frozenset({"MCOMEETADD_DIALOUT_US"}) | CREDITS,
    *(frozenset(each) for each in ({"MCOMEETBASIC"}, {"MCOMEETBASIC", "MCOPSTNC"})),
    frozenset({"MCOMEETACPEA"}),
    frozenset({"MCOMEETACPEA", "MCOMEETADD_DIALOUT_US"}),
    frozenset({"MCOMEETACPEA", "MCOMEETADV"}),
    frozenset({"ENTERPRISEPREMIUM"}),
]
RESOURCE = frozenset({world.RESOURCE})
BOTS = [
    *(frozenset(), CREDITS, RESOURCE, RESOURCE | CREDITS, RESOURCE | {"MCOPSTN_PAYG_1"}),
    *(RESOURCE | CREDITS | {"MCOPSTN_PAYG_1"}, RESOURCE | {"MCOPSTN1"}),
    *(RESOURCE | CREDITS | {"MCOPSTN1"}, RESOURCE | {"MCOPSTN2"}),
]
BALANCES = {"in funds": 50_000_000, "at zero": 0, "never funded": None}
POOLS = {"free": 0, "used up": None}
OTHERS = (Person("US", PHONE | {"MCOPSTN1", "MCOMEETADV"}), Person("PR", PHONE | {"MCOPSTN1"}))


def dialled(names: Iterable[str], facts: Facts) -> Iterator[Trial]:
    """The same facts for each of these numbers."""
    for name in names:
        to, called = NUMBERS[name]
        priced = facts._replace(called=called, price=price_of(to.lstrip("+")))
        yield Trial(priced, to)


def crossed(
    calls: Iterable[str],
    licences: Iterable[frozenset[str]],
    policies: Iterable[str] = world.POLICIES,
    numbers: Iterable[str] = tuple(USUAL_NUMBERS),
    **more: object,
) -> Iterator[Trial]:
    """Every call with every set of licences, policy, number, balance and pool."""
    axes = product(calls, licences, policies, BALANCES.values(), POOLS.values())
    for call, codes, policy, balance, used_s in axes:
        facts = Facts(
            call=call,
            licences=codes,
            policy=policy,
            balance=balance,
            pool_used_s=used_s,
            resource_account=call == "ucap_out",
            others=OTHERS,
        )
        yield from dialled(numbers, facts._replace(**more))


def test_users_call_and_pay_as_the_table_says():
    """R28-R31, R36, R37, R41-R45, R47, R70, R86, R87: plans, credits, policies of callers."""
    assert_none(*differences(crossed(["user_out"], USERS)), at_least=10_000)


def test_whatever_kind_of_call_a_user_makes_the_table_is_the_same():
    """R28: adding, transferring and forwarding are the user's outbound calls."""
    kinds = ("user_out_conf", "user_out_transfer", "user_out_forwarding")
    policies = list(world.POLICIES)[::4]
    assert_none(*differences(crossed(kinds, A_FEW_USERS, policies)), at_least=2_000)


def test_meetings_dial_out_and_pay_as_the_table_says():
    """R28, R32, R35, R51-R55, R58, R70: the organizer's licences and policy, the pool of all."""
    assert_none(*differences(crossed(["conf_out"], ORGANIZERS)), at_least=7_000)


def test_resource_accounts_call_and_pay_as_the_table_says():
    """R34: minutes of their own plan, else credits by a Pay-As-You-Go plan and licence."""
    assert_none(*differences(crossed(["ucap_out"], BOTS)), at_least=7_000)


def test_every_number_is_called_and_paid_as_the_table_says():
    """R47, R52, R54, R61-R63: destinations of all kinds, rates of all kinds."""
    unusual = [name for name in NUMBERS if name not in USUAL_NUMBERS]
    anybody = [""]
    trials = [
        *crossed(["user_out"], USERS, anybody, unusual),
        *crossed(["conf_out"], ORGANIZERS, anybody, unusual),
        *crossed(["ucap_out"], BOTS, anybody, unusual),
    ]
    assert_none(*differences(trials), at_least=1_500)


def arriving() -> Iterator[Trial]:
    """Calls that come in, to whomever."""
    axes = product(BALANCES.values(), (True, False), (True, False), (True, False), ORGANIZERS)
    for balance, toll_free, organizer, allowed, codes in axes:
        facts = Facts(
            call="conf_in",
            licences=codes,
            balance=balance,
            toll_free=toll_free,
            organizer=organizer,
            toll_free_dial_in=allowed,
            price=TOLL_FREE_PRICE if toll_free else TOLL_PRICE,
        )
        if not organizer or has_conferencing(codes):
            yield Trial(facts)
    for balance, toll_free, codes in product(BALANCES.values(), (True, False), USERS):
        facts = Facts(licences=codes, balance=balance, price=TOLL_FREE_PRICE)
        yield Trial(facts._replace(call="ucap_in", toll_free=toll_free, organizer=False))
        yield Trial(facts._replace(call="user_in"))
        yield Trial(facts._replace(call="unassigned_in", organizer=False))


def has_conferencing(codes: frozenset[str]) -> bool:
    """Whether somebody with these licences can have a meeting with a telephone number."""
    return bool(world.unbundled(codes) & {"MCOMEETADV", "MCOMEETACPEA", "MCOMEETBASIC"})


def test_calls_that_come_in_are_paid_as_the_table_says():
    """R26, R33, R35, R40, R56, R57, R70: free, or by credits to toll-free numbers."""
    assert_none(*differences(arriving()), at_least=400)


def test_who_is_switched_off_may_call_for_help_alone():
    """R28, R86: the emergency number stands before everything."""
    trials = []
    for organisation, user in ((False, True), (True, False)):
        switches = {"organisation_active": organisation, "user_active": user}
        trials += crossed(["user_out"], A_FEW_USERS, [""], **switches)
        trials += crossed(["conf_out"], ORGANIZERS, [""], **switches)
        trials += crossed(["ucap_out"], BOTS, [""], **switches)
        trials += [Trial(trial.facts._replace(**switches)) for trial in arriving()]
    assert_none(*differences(trials), at_least=2_000)


def test_every_call_type_is_in_the_table():
    """Or it would prove less than it says."""
    called = {"user_out", "user_out_conf", "user_out_transfer", "user_out_forwarding"}
    called |= {"conf_out", "ucap_out"} | {trial.facts.call for trial in arriving()}
    assert called == set(CALL_TYPES)

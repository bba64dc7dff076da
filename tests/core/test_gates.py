"""The gates of a call where the seed does not lead. Mirrors src/talktime/core/gates.py.

All that the seed's catalogue leads to is in tests/operations/test_decision_table.py.
"""

from talktime.core.called import Called
from talktime.core.catalogue import Catalogue, Country
from talktime.core.clear_ways import outbound
from talktime.core.directory import NO_RULES, CallingRules, Directory, Organisation, User
from talktime.core.rates import OUTBOUND, PrefixIndex, RateCard, RateCards
from talktime.core.rating import Rate
from talktime.core.world import World
from talktime.operations.catalogue_seed import seed_entries

NOW_MS = 1_795_428_000_000
SEED = [entry.value for entry in seed_entries() if entry.value is not None]
PREMIUM = Country("US", "1", True, True, "US", "US", premium=True)
CATALOGUE = Catalogue([*SEED, PREMIUM])
OWNER = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
RATE = Rate("1", "United States", 15_000, 0, 60, 60)
RATED = PrefixIndex.of([(RATE, 0)])
CARDS = RateCards().with_card(RateCard(1, "standard", "USD", 0, {OUTBOUND: RATED}))
WORLD = World(Directory(), CARDS, CATALOGUE, NOW_MS)


def asked(called, *licences, location="US", policy="", rules=NO_RULES):
    """What the gates say of a meeting's call of an organizer with these licences."""
    codes = frozenset(licences)
    user = User(1, 7, "ada@contoso.example", "Ada", location, codes, "", True, policy)
    return outbound(WORLD, "conf_out", OWNER._replace(rules=rules), user, called, [])


def test_extended_dial_out_does_not_reach_premium_numbers_where_they_can_be_called():
    """R47, R55: an operator lets premium numbers of the United States be called, on credits."""
    licences = ("MCOMEETADV", "MCOMEETADD_DIALOUT_US", "MCOPSTNC")
    free = asked(Called("14255550100", "US", "fixed_or_mobile"), *licences)
    assert (free.payers.free_capability, free.payers.credits) == ("MCOMEETADD_DIALOUT_US", False)
    paid = asked(Called("19002345678", "US", "premium"), *licences)
    assert (paid.refusal, paid.rate, paid.payers.pool) == (None, RATE, "")
    assert (paid.payers.credits, paid.payers.paid_capability) == (True, "MCOPSTNPP")
    refused = asked(Called("19002345678", "US", "premium"), *licences[:2])
    assert refused.refusal is not None
    assert refused.refusal.code == "no_user_credit_capability"


def test_a_number_that_is_of_the_callers_country_too_is_called_as_one_of_either():
    """R46, P10: a toll-free number of North America is domestic in Canada, may be called where
    Canada may, and is still in zone A and reached by extended dial-out where its caller is not."""
    canadian = Called("18005550199", "US", "toll_free", "CA")
    at_home = {"location": "CA", "policy": "DialoutCPCandPSTNDomestic"}
    licences = ("MCOMEETADV", "MCOPSTNC")
    assert asked(canadian, *licences, **at_home).refusal is None
    only_american = canadian._replace(home="")
    assert asked(only_american, *licences, **at_home).refusal.code == "outbound_policy"
    for rules, refusal in (
        (CallingRules(blocked_countries=frozenset({"US"})), None),
        (CallingRules(allowed_countries=frozenset({"CA"})), None),
        (CallingRules(blocked_countries=frozenset({"US", "CA"})), "country_blocked"),
        (CallingRules(allowed_countries=frozenset({"MX"})), "country_blocked"),
    ):
        verdict = asked(canadian, *licences, **at_home, rules=rules)
        assert (verdict.refusal and verdict.refusal.code) == refusal
    jamaican = Called("18005550199", "US", "toll_free", "JM")
    assert asked(jamaican, *licences, location="JM").payers.pool.endswith("/all/conference")
    extended = asked(jamaican, "MCOMEETADV", "MCOMEETADD_DIALOUT_US", location="JM")
    assert extended.payers.free_capability == "MCOMEETADD_DIALOUT_US"


def test_a_policy_that_the_catalogue_lost_lets_nobody_call_and_is_named_as_gone():
    """R87."""
    called = Called("14255550100", "US", "fixed_or_mobile")
    refusal = asked(called, "MCOMEETADV", "MCOPSTNC", policy="Gone").refusal
    assert (refusal.code, refusal.detail) == (
        "outbound_policy",
        "the policy 'Gone' is not in the catalogue any more, and lets nobody call",
    )


def test_a_premium_number_of_no_country_is_said_to_be_so():
    refusal = asked(Called("979123456789", "", "premium"), "MCOMEETADV", "MCOPSTNC").refusal
    assert refusal.detail == "+979123456789 is a premium number of no country"

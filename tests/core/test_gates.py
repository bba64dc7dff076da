"""The gates of a call where the seed does not lead. Mirrors src/talktime/core/gates.py.

All that the seed's catalogue leads to is in tests/operations/test_decision_table.py.
"""

from talktime.core.catalogue import Catalogue, Country
from talktime.core.clear_ways import outbound
from talktime.core.directory import Directory, Organisation, User
from talktime.core.gates import Called
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


def asked(called, *licences):
    """What the gates say of a meeting's call of an organizer with these licences."""
    user = User(1, 7, "ada@contoso.example", "Ada", "US", frozenset(licences), "", True)
    return outbound(WORLD, "conf_out", OWNER, user, called, [])


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

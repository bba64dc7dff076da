"""Calls that no gate is against. Mirrors src/talktime/core/clear_ways.py."""

from hypothesis import example, given
from hypothesis import strategies as st

from talktime.core import clear_ways, gates
from talktime.core.called import CALLED_KINDS, Called
from talktime.core.catalogue import Catalogue
from talktime.core.directory import COMMERCE_MODELS, CallingRules, Directory, Organisation, User
from talktime.core.rates import OUTBOUND, PrefixIndex, RateCard, RateCards
from talktime.core.rating import Rate
from talktime.core.world import World
from talktime.operations.catalogue_seed import seed_entries

NOW_MS = 1_795_428_000_000
SEED = [entry.value for entry in seed_entries() if entry.value is not None]
SETTINGS = ({}, {"resource_account_calls": "credits"}, {"resource_account_calls": "plan"})
CATALOGUES = [Catalogue(SEED) for _ in SETTINGS]
for each, settings in zip(CATALOGUES, SETTINGS, strict=True):
    each.settings.update(settings)
POLICIES = ("", "lost", *CATALOGUES[0].policies)
COUNTRIES = ("US", "CA", "PR", "DE", "FR", "CN", "KZ", "")
DIGITS = (
    "14255550100",
    "4930123456",
    "447700900123",
    "448435550100",
    "449055550100",
    "88612345678",
)
RATED = PrefixIndex.of((Rate(code, code, 15_000, 0, 60, 60), 0) for code in ("1", "44", "49"))
CARDS = RateCards().with_card(RateCard(1, "standard", "USD", 0, {OUTBOUND: RATED}))
TYPES = ("user_out", "user_out_conf", "user_out_transfer", "conf_out", "ucap_out")

countries = st.sampled_from(COUNTRIES)
policies = st.sampled_from(POLICIES)
limits = st.none() | st.just(25_000_000)
licences = st.frozensets(st.sampled_from(sorted(CATALOGUES[0].licences)), max_size=8)
some = st.frozensets(countries, max_size=2)
rules = st.builds(
    CallingRules,
    policies,
    allowed_countries=some,
    blocked_countries=some,
    spend_limit_micros=limits,
    pay_as_you_go=st.booleans(),
    post_usage_cap_micros=limits,
    independent_counters=st.booleans(),
    post_usage_blocked=st.booleans(),
)
organisations = st.builds(
    lambda currency, country, model, card, rules: Organisation(
        7, "Contoso", "main", currency, "UTC", country, model, True, card, rules
    ),
    st.sampled_from(("USD", "EUR")),
    countries,
    st.sampled_from(COMMERCE_MODELS),
    st.sampled_from(("standard", "none")),
    rules,
)
users = st.builds(
    lambda location, licences, policy, limit: User(
        8, 7, "desk@contoso.example", "Desk", location, licences, "person", True, policy, limit
    ),
    countries,
    licences,
    policies,
    limits,
)
numbers = st.builds(
    Called,
    st.sampled_from(DIGITS),
    countries,
    st.sampled_from((*CALLED_KINDS, "other")),
    st.sampled_from(("", "US", "CA")),
)
FULL = User(8, 7, "d", "D", "US", frozenset({"MCOEV", "MCOPSTN2", "MCOPSTNC"}), "person", True)
OPEN = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")


@given(
    st.sampled_from(CATALOGUES), st.sampled_from(TYPES), organisations, st.none() | users, numbers
)
@example(CATALOGUES[0], "user_out", OPEN, FULL, Called("4930123456", "DE", "fixed"))
def test_who_is_like_others_is_told_what_the_gates_say(catalogue, type_, organisation, user, to):
    """The same verdict, word for word, as from the gates themselves; also when it is remembered."""
    directory = Directory()
    directory.apply([organisation], users=[user] if user is not None else [])
    world = World(directory, CARDS, catalogue, NOW_MS)
    said = gates.outbound(world, type_, organisation, user, to, ["number"])
    for _ in range(2):
        found = clear_ways.outbound(world, type_, organisation, user, to, ["number"])
        assert found == said


def test_a_call_that_nothing_is_against_goes_the_clear_way():
    """Not only what was asked before is remembered, but what is alike."""
    directory = Directory()
    directory.apply([OPEN], users=[FULL])
    world = World(directory, CARDS, CATALOGUES[0], NOW_MS)
    clear_ways.outbound(world, "user_out", OPEN, FULL, Called("4930123456", "DE", "fixed"), [])
    hits = clear_ways._way.cache_info().hits
    other = OPEN._replace(id=9, name="Fabrikam"), FULL._replace(id=10, name="other")
    clear_ways.outbound(world, "user_out", *other, Called("4930999999", "DE", "fixed"), [])
    assert clear_ways._way.cache_info().hits == hits + 1

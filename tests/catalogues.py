"""Any entries that a catalogue may have, for properties."""

from hypothesis import strategies as st

from talktime.core.catalogue import (
    FEATURES,
    Country,
    Currency,
    DialOutPolicy,
    Entry,
    Licence,
    Minutes,
    NumberTier,
    Setting,
    SpecialPrefix,
)
from talktime.core.limits import CAPABILITY_TEXT_MAX

COUNTRIES = ("US", "PR", "CA", "GB", "NO", "FR", "DE", "JP")
DAY_MS = 86_400_000
DIGITS = st.integers(1, 10**15 - 1).map(str)

features = st.frozensets(st.sampled_from(FEATURES))
figures = st.integers(0, 1_000_000)
names = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=40
)
minutes = st.dictionaries(
    st.sampled_from((*COUNTRIES, "*")), st.builds(Minutes, figures, figures, figures)
)
licences = st.builds(
    Licence,
    names,
    names,
    features=features,
    includes=st.lists(names, max_size=3).map(tuple),
    requires=st.lists(features.filter(bool), max_size=3).map(tuple),
    zones=st.frozensets(names, max_size=3),
    minutes=minutes,
    pooled=st.booleans(),
    capability=st.just("") | names.filter(lambda text: len(text) <= CAPABILITY_TEXT_MAX),
    kinds=st.sampled_from([("person",), ("resource_account",), ("person", "resource_account")]),
)
countries = st.builds(
    Country,
    st.sampled_from(COUNTRIES),
    payg_zone=st.just("") | names,
    zone_a=st.booleans(),
    domestic_area=st.sampled_from(("", *COUNTRIES)),
    minutes_area=st.sampled_from(("", *COUNTRIES)),
    credits=st.booleans(),
    premium=st.booleans(),
    masked_digits=st.integers(0, 15),
)
policies = st.builds(
    DialOutPolicy,
    names,
    st.sampled_from(("any", "domestic", "zone_a", "none")),
    st.sampled_from(("any", "domestic", "none")),
)
BY_KIND = {
    "licence": licences,
    "country": countries,
    "special_prefix": st.builds(SpecialPrefix, DIGITS, names, st.booleans()),
    "policy": policies,
    "number_tier": st.builds(NumberTier, figures, figures),
    "currency": st.builds(
        Currency,
        st.sampled_from(("USD", "JPY", "NOK")),
        *(st.just("10"), st.just("5000"), st.just("100")),
    ),
    "setting": st.builds(Setting, st.just("default_policy"), names),
}
starts_ms = st.integers(0, 80_000).map(lambda day: day * DAY_MS) | st.integers(0, 7 * 10**12)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """One entry of any kind, some of them withdrawn."""
    kind = draw(st.sampled_from(sorted(BY_KIND)))
    value = draw(BY_KIND[kind])
    withdrawn = draw(st.integers(0, 4)) == 0
    return Entry(kind, str(value[0]), draw(starts_ms), None if withdrawn else value)


files = st.lists(entries(), max_size=12, unique_by=lambda entry: entry[:3])

"""Which licences are needed for what, held to the rules' own table. Mirrors
src/talktime/operations/licensing_table.py."""

from itertools import product

import pytest

from talktime.core.catalogue import Catalogues
from talktime.core.refusal import Refusal
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.licensing_table import FEATURES, Row, licensing_table

CATALOGUES = Catalogues(seed_entries())
AT_MS = 1_795_428_000_000
BEFORE_NOVEMBER_2025_MS = 1_761_300_000_000

PHONES = ("MCOEV", "MCOCAP", "ENTERPRISEPREMIUM")
BUNDLE = "MCOTEAMS_ESSENTIALS"
DOMESTIC = ("MCOPSTN1", "MCOPSTN5", "MCOPSTN6", "MCOPSTN8")
INTERNATIONAL = ("MCOPSTN2", "MCOPSTN9")
PLANS = (*DOMESTIC, *INTERNATIONAL)
PAYG, CREDITS, RESOURCE = "MCOPSTN_PAYG_1", "MCOPSTNC", "PHONESYSTEM_VIRTUALUSER"
POOLED_CONFERENCING = ("MCOMEETADV", "ENTERPRISEPREMIUM")
SUBSCRIPTIONS = (*POOLED_CONFERENCING, "MCOMEETBASIC")
PER_MINUTE, EXTENDED = "MCOMEETACPEA", "MCOMEETADD_DIALOUT_US"

Sets = set[frozenset[str]]


def each(*choices: tuple[str, ...] | str) -> Sets:
    """All sets with one licence of each choice."""
    listed = [(choice,) if isinstance(choice, str) else choice for choice in choices]
    return {frozenset(codes) for codes in product(*listed)}


NONE = each()
PHONE_CALLS_FOR_MONEY = each(PHONES, (*PLANS, PAYG), CREDITS) | each(BUNDLE, CREDITS)
WANTED: dict[str, dict[str, Sets]] = {
    "Be called": {"free": NONE},
    "Call within the country": {
        "pool": each(PHONES, PLANS) | each(BUNDLE),
        "credits": each(PHONES, PAYG, CREDITS),
    },
    "Call within the country, minutes used up": {"credits": PHONE_CALLS_FOR_MONEY},
    "Call abroad": {
        "pool": each(PHONES, INTERNATIONAL),
        "credits": each(PHONES, (*DOMESTIC, PAYG), CREDITS) | each(BUNDLE, CREDITS),
    },
    "Call abroad, minutes used up": {"credits": PHONE_CALLS_FOR_MONEY},
    "Let people dial in to meetings, toll": {
        "free": each(SUBSCRIPTIONS),
        "credits": each(PER_MINUTE),
    },
    "Let people dial in to meetings, toll-free": {"credits": each((*SUBSCRIPTIONS, PER_MINUTE))},
    "Dial out from meetings, to zone A": {
        "pool": each(POOLED_CONFERENCING),
        "credits": each(PER_MINUTE) | each("MCOMEETBASIC", CREDITS),
    },
    "Dial out from meetings, to zone A, minutes used up": {
        "credits": each(PER_MINUTE) | each(SUBSCRIPTIONS, CREDITS)
    },
    "Dial out from meetings, beyond zone A": {
        "credits": each(PER_MINUTE) | each(SUBSCRIPTIONS, CREDITS)
    },
    "Dial out from meetings, to USA and Canada without end": {
        "free": each((*POOLED_CONFERENCING, PER_MINUTE), EXTENDED) | each("MCOMEETBASIC"),
        "credits": each(PER_MINUTE) | each(POOLED_CONFERENCING, CREDITS),
    },
    "Reach an attendant or queue, toll": {"free": NONE},
    "Reach an attendant or queue, toll-free": {"credits": NONE},
    "Let an attendant or queue call out": {
        "pool": each(RESOURCE, PLANS) | each(RESOURCE, BUNDLE),
        "credits": each(RESOURCE, PAYG, CREDITS),
    },
    "Let an attendant or queue call out, minutes used up": {
        "credits": each(RESOURCE, PAYG, CREDITS)
    },
}
"""The rules' table of licences needed, typed by hand: for each feature and payer, the smallest sets
of licences for a user in the United States. A toll-free number asks for a balance and for nobody's
licence (R33); that a resource account stands behind an attendant is a matter of the number."""


def found(country: str = "US", at_ms: int = AT_MS) -> dict[str, dict[str, Sets]]:
    """What the service finds, in the same form."""
    rows = licensing_table(CATALOGUES, country, at_ms)
    assert isinstance(rows, list)
    return {row.feature.name: sets_of(row) for row in rows}


def sets_of(row: Row) -> dict[str, Sets]:
    """All sets of a row, by payer."""
    sets: dict[str, Sets] = {}
    for way in row.ways:
        sets.setdefault(way.paid_by, set()).update(each(*way.choices))
    return sets


@pytest.fixture(scope="module")
def in_the_united_states() -> dict[str, dict[str, Sets]]:
    return found()


@pytest.mark.parametrize("feature", [feature.name for feature in FEATURES])
def test_a_feature_needs_what_the_rules_say(
    in_the_united_states: dict[str, dict[str, Sets]], feature: str
):
    """R29, R31, R33-R35, R41-R43, R51, R55: each cell of the table."""
    assert in_the_united_states[feature] == WANTED[feature]


def test_a_country_has_the_plans_that_are_for_it():
    """R49: zones of Pay-As-You-Go plans, allotments of the others; none in Zimbabwe."""
    mexico, germany, zimbabwe = found("MX"), found("DE"), found("ZW")
    assert mexico["Call within the country"] == {
        "pool": each(PHONES, ("MCOPSTN1", *INTERNATIONAL)) | each(BUNDLE),
        "credits": each(PHONES, "MCOPSTN_PAYG_MX", CREDITS),
    }
    assert germany["Call abroad"]["credits"] == (
        each(PHONES, (*DOMESTIC, "MCOPSTN_PAYG_2"), CREDITS) | each(BUNDLE, CREDITS)
    )
    assert zimbabwe["Call within the country"] == {}
    assert (
        zimbabwe["Dial out from meetings, to zone A"]
        == (WANTED["Dial out from meetings, to zone A"])
    )


def test_where_credits_cannot_be_had_minutes_alone_pay():
    """R59: in South Korea nothing is paid by credits."""
    korea = found("KR")
    assert korea["Dial out from meetings, to zone A"] == {"pool": each(POOLED_CONFERENCING)}
    assert korea["Dial out from meetings, beyond zone A"] == {}


def test_a_resource_account_needed_no_plan_for_credits_before_november_2025():
    """R34: what the setting says then and since."""
    before = found(at_ms=BEFORE_NOVEMBER_2025_MS)
    assert before["Let an attendant or queue call out"]["credits"] == each(RESOURCE)


def test_what_is_no_country_is_refused():
    refusal = licensing_table(CATALOGUES, "Norway", AT_MS)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_value"

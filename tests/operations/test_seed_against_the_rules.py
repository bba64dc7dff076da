"""The seeded catalogue says what the rules say, typed once more by hand (tests/oracle_world.py)."""

from itertools import product

import pytest

from talktime.core.catalogue import Catalogues
from talktime.operations.catalogue_seed import seed_entries
from tests import oracle_world as world

CATALOGUES = Catalogues(seed_entries())
MOMENTS_MS = {"2022-12": 1_672_531_199_999, "2023-01": 1_672_531_200_000, "2026-11": 1.795e12}
CODES = [
    *(*world.PLANS, *sorted(world.PAYG), *sorted(world.PHONES), *world.BUNDLES, world.RESOURCE),
    *(world.CREDITS, world.CONFERENCING, world.BASIC, world.PER_MINUTE, world.EXTENDED),
]
NOWADAYS = CATALOGUES.in_force(int(MOMENTS_MS["2026-11"]))


def countries_with(name: str, value: object = True) -> set[str]:
    """The countries whose entry has this value."""
    return {code for code, country in NOWADAYS.countries.items() if getattr(country, name) == value}


def test_zones_are_those_of_the_rules():
    """R49, R52, R59: 44 countries of zone A; Pay-As-You-Go, credits, premium numbers."""
    assert countries_with("zone_a") == world.ZONE_A
    assert len(world.ZONE_A) == 44
    assert countries_with("payg_zone", "1") == world.ZONE_1
    assert countries_with("payg_zone", "2") == world.ZONE_2
    assert countries_with("payg_zone", "MX") == {"MX"}
    assert countries_with("credits", False) == world.WITHOUT_CREDITS
    assert countries_with("premium") == world.WITH_PREMIUM


def test_areas_are_those_of_the_rules():
    """R44, R45: the United States with Puerto Rico; for minutes with Canada."""
    for code in {*world.ZONE_A, *world.ZONE_1, *world.ZONE_2, "ZW", "CK"}:
        country = NOWADAYS.country(code)
        assert country.domestic_area == world.domestic_area(code)
        assert country.minutes_area == world.minutes_area(code)


@pytest.mark.parametrize("month", MOMENTS_MS)
def test_plans_have_the_minutes_of_the_rules(month: str):
    """R36, R38, R42, R43, R51, R59: by plan, country and time; plans of Pay-As-You-Go have none."""
    catalogue = CATALOGUES.in_force(int(MOMENTS_MS[month]))
    countries = {*world.ZONE_A, *world.ZONE_1, *world.ZONE_2, "ZW", "MX"}
    for code, country in product([*world.PLANS, *world.PAYG], countries):
        minutes = catalogue.licences[code].minutes_in(country)
        assert minutes[:2] == world.plan_minutes(code, country, month), (code, country)
        assert minutes.conference == 0
    for country in countries:
        minutes = catalogue.licences[world.CONFERENCING].minutes_in(country)
        assert minutes == (0, 0, world.conference_minutes(country))
        for code in (world.PER_MINUTE, world.BASIC, world.EXTENDED):
            assert catalogue.licences[code].minutes_in(country) == (0, 0, 0)


def test_one_plan_alone_is_not_pooled():
    """R37: Domestic 120 per user."""
    assert {code for code in CODES if not NOWADAYS.licences[code].pooled} == {"MCOPSTN8"}


def test_bundles_hold_what_the_rules_say_and_all_licences_are_there():
    assert set(NOWADAYS.licences) == set(CODES)
    for code in CODES:
        assert NOWADAYS.expanded([code]) == world.unbundled(frozenset({code}))


def test_policies_are_those_of_the_rules():
    """R87: the twelve fixed ones."""
    words = {"any": world.ANY, "domestic": world.DOMESTIC, "none": world.NOBODY}
    words["zone_a"] = world.ZONE_A_ONLY
    assert {
        name: (words[policy.conference], words[policy.user])
        for name, policy in NOWADAYS.policies.items()
    } == world.POLICIES
    assert NOWADAYS.settings["default_policy"] == next(iter(world.POLICIES))


def test_premium_prefixes_are_those_of_the_rules():
    """R47: British shared cost can be called, British premium cannot."""
    for digits in ("843", "844", "845", "870", "871", "872"):
        special = NOWADAYS.special(f"44{digits}1234567")
        assert special is not None
        assert special.supported
    special = NOWADAYS.special("449098790123")
    assert special is not None
    assert not special.supported
    assert NOWADAYS.special("442079460123") is None


def test_resource_accounts_need_a_plan_for_credits_since_november_2025():
    """R34: the setting, and when it changes."""
    before, since = 1_761_955_199_999, 1_761_955_200_000
    name = "resource_account_calls"
    assert CATALOGUES.in_force(before).settings[name] == "credits"
    assert CATALOGUES.in_force(since).settings[name] == "plan_and_credits"

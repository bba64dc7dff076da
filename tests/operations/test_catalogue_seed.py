"""The catalogue of a new installation, figure by figure. Mirrors
src/talktime/operations/catalogue_seed.py."""

import hashlib

import pytest

from talktime.core.catalogue import (
    Catalogue,
    Catalogues,
    DialOutPolicy,
    Minutes,
    NumberTier,
    SpecialPrefix,
)
from talktime.operations.catalogue_checks import conflicts_in
from talktime.operations.catalogue_file import catalogue_text
from talktime.operations.catalogue_seed import SEED_FILE, SEED_FROM_MS, seed_entries

ZONE_2 = "AT BE CH CZ DE DK EE ES FI FR HR HU IE IT LT LU LV NL NO NZ PL PT RO SE SG SI SK ZA"
ZONE_A = (
    "AT AU BE BG BR CA CH CN CZ DE DK EE ES FI FR GB GR HK HR HU IE IN IT JP KR LU MX MY NL NO NZ "
    "PL PR PT RO RU SE SG SI SK TH TW US ZA"
)
NO_CREDITS = "BH CN IN KR KZ MK NI PK RU TW UA"
YEAR_2023_MS = 1_672_531_200_000
NOVEMBER_2025_MS = 1_761_955_200_000


@pytest.fixture(scope="module")
def seed() -> Catalogues:
    """The seed, at any moment."""
    return Catalogues(seed_entries())


@pytest.fixture(scope="module")
def today(seed: Catalogues) -> Catalogue:
    """The seed after its last change."""
    return seed.in_force(NOVEMBER_2025_MS)


def test_the_file_is_never_edited() -> None:
    """Installations have it already: what is to be otherwise is another migration."""
    content = SEED_FILE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == (
        "c124c575a6d113bdee7ffc7262f292af07a553eb06d074e3a4d40afc8d26d002"
    )


def test_the_file_is_what_an_export_of_it_writes() -> None:
    heading, rows = SEED_FILE.read_text().split("\nvalid_from", 1)
    assert f"valid_from{rows}" == catalogue_text(seed_entries())
    assert all(line.startswith("#") for line in heading.splitlines())


def test_its_entries_fit_together_at_every_moment(seed: Catalogues) -> None:
    starts = {entry.valid_from_ms for entry in seed.entries}
    assert starts == {SEED_FROM_MS, YEAR_2023_MS, NOVEMBER_2025_MS}
    assert [list(conflicts_in(seed.in_force(at_ms))) for at_ms in starts] == [[], [], []]


def test_the_licences_let_do_what_they_are_sold_for(today: Catalogue) -> None:
    assert {code: sorted(each.features) for code, each in today.licences.items()} == {
        "ENTERPRISEPREMIUM": [],
        "MCOCAP": ["phone"],
        "MCOEV": ["phone"],
        "MCOMEETACPEA": ["conferencing", "per_minute"],
        "MCOMEETADD_DIALOUT_US": ["extended_dial_out"],
        "MCOMEETADV": ["conferencing"],
        "MCOMEETBASIC": ["conferencing", "extended_dial_out"],
        "MCOPSTN1": ["plan"],
        "MCOPSTN2": ["plan"],
        "MCOPSTN5": ["plan"],
        "MCOPSTN6": ["plan"],
        "MCOPSTN8": ["plan"],
        "MCOPSTN9": ["plan"],
        "MCOPSTNC": ["credits"],
        "MCOPSTN_PAYG_1": ["pay_as_you_go", "plan"],
        "MCOPSTN_PAYG_2": ["pay_as_you_go", "plan"],
        "MCOPSTN_PAYG_MX": ["pay_as_you_go", "plan"],
        "MCOTEAMS_ESSENTIALS": [],
        "PHONESYSTEM_VIRTUALUSER": ["phone", "resource_account"],
    }
    assert {code: each.includes for code, each in today.licences.items() if each.includes} == {
        "ENTERPRISEPREMIUM": ("MCOEV", "MCOMEETADV"),
        "MCOTEAMS_ESSENTIALS": ("MCOEV", "MCOPSTN1"),
    }


def test_the_licences_need_what_they_add_to(today: Catalogue) -> None:
    phone, conferencing = frozenset({"phone"}), frozenset({"conferencing"})
    needing = {code: each.requires for code, each in today.licences.items() if each.requires}
    plans = [code for code, each in today.licences.items() if "plan" in each.features]
    assert needing == {
        **dict.fromkeys(plans, (phone,)),
        "MCOMEETADD_DIALOUT_US": (conferencing,),
        "MCOPSTNC": (conferencing, frozenset({"phone", "plan"})),
    }


def test_the_licences_have_the_capabilities_of_usage_records(today: Catalogue) -> None:
    named = {code: each.capability for code, each in today.licences.items() if each.capability}
    assert named == {
        **{f"MCOPSTN{number}": f"MCOPSTN{number}" for number in (1, 2, 5, 6, 8, 9)},
        "MCOMEETADV": "MCOMEETADD",
        "MCOMEETBASIC": "MCOMEETADD_DIALOUT_US",
        "MCOMEETADD_DIALOUT_US": "MCOMEETADD_DIALOUT_US",
        "MCOMEETACPEA": "MCOMEETACPEA",
        "MCOPSTNC": "MCOPSTNPP",
        "PHONESYSTEM_VIRTUALUSER": "MCOEV_VIRTUALUSER",
    }
    assert [code for code, each in today.licences.items() if not each.pooled] == ["MCOPSTN8"]
    only = {code: each.kinds for code, each in today.licences.items() if len(each.kinds) == 1}
    assert only == {"PHONESYSTEM_VIRTUALUSER": ("resource_account",)}


@pytest.mark.parametrize(
    ("code", "international", "mexico"),
    [("MCOPSTN1", 0, True), ("MCOPSTN2", 600, True), ("MCOPSTN9", 600, True)],
)
def test_plans_have_3000_domestic_minutes_or_1200(
    seed: Catalogues, code: str, international: int, mexico: bool
) -> None:
    """The United Kingdom had 1200 until 2023."""
    many = dict.fromkeys(("US", "CA"), Minutes(3_000, international))
    few = dict.fromkeys((*ZONE_2.split(), "PR", "MX"), Minutes(1_200, international))
    before = seed.in_force(YEAR_2023_MS - 1).licences[code]
    since = seed.in_force(YEAR_2023_MS).licences[code]
    assert before.minutes == {**many, **few, "GB": Minutes(1_200, international)}
    assert since.minutes == {**many, **few, "GB": Minutes(3_000, international)}


@pytest.mark.parametrize(
    ("code", "minutes"), [("MCOPSTN5", 120), ("MCOPSTN6", 240), ("MCOPSTN8", 120)]
)
def test_small_plans_have_the_same_minutes_in_every_country(
    today: Catalogue, code: str, minutes: int
) -> None:
    countries = (*ZONE_2.split(), "US", "PR", "CA", "GB")
    assert today.licences[code].minutes == dict.fromkeys(countries, Minutes(minutes))


def test_audio_conferencing_has_60_minutes_but_for_three_countries(today: Catalogue) -> None:
    licence = today.licences["MCOMEETADV"]
    found = {country: licence.minutes_in(country) for country in ("US", "ZW", "KR", "RU", "TW")}
    assert found == {
        **dict.fromkeys(("US", "ZW"), Minutes(0, 0, 60)),
        **dict.fromkeys(("KR", "RU", "TW"), Minutes(0, 0, 900)),
    }
    assert today.licences["MCOMEETACPEA"].minutes == {}


def test_pay_as_you_go_plans_are_for_their_zones(today: Catalogue) -> None:
    zones = {code: each.zones for code, each in today.licences.items() if each.zones}
    assert zones == {f"MCOPSTN_PAYG_{zone}": {zone} for zone in ("1", "2", "MX")}
    countries: dict[str, list[str]] = {}
    for code, country in sorted(today.countries.items()):
        countries.setdefault(country.payg_zone, []).append(code)
    del countries[""]
    assert countries == {"1": ["CA", "GB", "PR", "US"], "2": ZONE_2.split(), "MX": ["MX"]}


def test_the_world_is_divided_as_the_reference_says(today: Catalogue) -> None:
    countries = dict(sorted(today.countries.items()))
    assert [code for code, each in countries.items() if each.zone_a] == ZONE_A.split()
    assert len(ZONE_A.split()) == 44
    assert [code for code, each in countries.items() if not each.credits] == NO_CREDITS.split()
    assert [code for code, each in countries.items() if each.premium] == ["AT", "FR"]
    shared = [code for code, each in countries.items() if each.domestic_area != code]
    assert shared == ["PR"]
    assert [code for code, each in countries.items() if each.minutes_area != code] == ["CA", "PR"]
    masked = {code: each.masked_digits for code, each in countries.items() if each.masked_digits}
    assert masked == {
        **dict.fromkeys(("BE", "DE", "DK", "ES", "FI", "IT", "NL", "NO", "SE"), 3),
        **dict.fromkeys(("CH", "FR"), 4),
    }
    assert len(countries) == 52


def test_shared_cost_numbers_can_be_called_and_premium_ones_not(today: Catalogue) -> None:
    prefixes = {prefix: each.supported for prefix, each in today.special_prefixes.items()}
    shared = ("44843", "44844", "44845", "44870", "44871", "44872")
    assert prefixes == {**dict.fromkeys(shared, True), "449": False}
    assert today.special("448711234567") == SpecialPrefix(
        "44871", "United Kingdom, shared cost 0871", True
    )


def test_the_twelve_policies_are_there(today: Catalogue) -> None:
    assert {name: each[1:] for name, each in today.policies.items()} == {
        "DialoutCPCandPSTNInternational": ("any", "any"),
        "DialoutCPCDomesticPSTNInternational": ("domestic", "any"),
        "DialoutCPCDisabledPSTNInternational": ("none", "any"),
        "DialoutCPCInternationalPSTNDomestic": ("any", "domestic"),
        "DialoutCPCInternationalPSTNDisabled": ("any", "none"),
        "DialoutCPCandPSTNDomestic": ("domestic", "domestic"),
        "DialoutCPCDomesticPSTNDisabled": ("domestic", "none"),
        "DialoutCPCDisabledPSTNDomestic": ("none", "domestic"),
        "DialoutCPCandPSTNDisabled": ("none", "none"),
        "DialoutCPCZoneAPSTNInternational": ("zone_a", "any"),
        "DialoutCPCZoneAPSTNDomestic": ("zone_a", "domestic"),
        "DialoutCPCZoneAPSTNDisabled": ("zone_a", "none"),
    }
    name = "DialoutCPCandPSTNInternational"
    assert today.policies[name] == DialOutPolicy(name, "any", "any")


def test_the_tiers_of_service_numbers_are_there(today: Catalogue) -> None:
    figures = (
        *((1, 5), (26, 10), (50, 20), (100, 30), (150, 40), (200, 65), (500, 90), (750, 110)),
        *((1_000, 125), (1_250, 135), (1_500, 160), (2_000, 210), (3_000, 420), (7_000, 500)),
        *((10_000, 600), (15_000, 700), (20_000, 1_000), (50_000, 1_500)),
    )
    assert today.number_tiers == [NumberTier(*each) for each in figures]


def test_resource_accounts_need_a_plan_since_november_2025(seed: Catalogues) -> None:
    settings = {
        "default_policy": "DialoutCPCandPSTNInternational",
        "resource_account_calls": "credits",
        "user_numbers_more": "10",
        "user_numbers_percent": "110",
    }
    assert seed.in_force(NOVEMBER_2025_MS - 1).settings == settings
    assert seed.in_force(NOVEMBER_2025_MS).settings == {
        **settings,
        "resource_account_calls": "plan_and_credits",
    }

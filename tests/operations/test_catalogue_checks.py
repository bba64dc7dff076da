"""What entries must be, alone and together. Mirrors src/talktime/operations/catalogue_checks.py."""

from typing import Any

import pytest

from talktime.core.catalogue import Catalogue, Country, DialOutPolicy, Entry, Licence, Setting
from talktime.operations.catalogue_checks import checked_entry, conflicts_in

FEATURES = (
    "phone, plan, pay_as_you_go, conferencing, per_minute, extended_dial_out, credits, "
    "resource_account"
)


def licence(**fields: Any) -> dict[str, Any]:
    return {"code": "L", "name": "Plan", **fields}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("licence", {"code": "L"}, "Object missing required field `name`"),
    ("licence", licence(name=""), "the name must be 1 to 128 printable characters, without"),
    ("licence", {"code": " L", "name": "n"}, "its code must be 1 to 64 printable characters"),
    ("licence", licence(colour="red"), "Object contains unknown field `colour`"),
    ("licence", licence(features=["fly"]), f"features: 'fly' is none of {FEATURES}"),
    ("licence", licence(requires=[["phone", "fly"]]), f"requires: 'fly' is none of {FEATURES}"),
    ("licence", licence(requires=[[]]), "requires: a choice must name a feature"),
    ("licence", licence(kinds=["cat"]), "kinds: 'cat' is none of person, resource_account"),
    (
        "licence",
        licence(capability="x" * 33),
        "the capability must be 1 to 32 printable characters",
    ),
    ("licence", licence(minutes={"XX": {}}), "minutes: 'XX' is no country's code of two capital"),
    (
        "licence",
        licence(minutes={"NO": {"domestic": "-1"}}),
        "minutes of NO, domestic: -1 is not within 0 to 1,000,000",
    ),
    (
        "licence",
        licence(minutes={"NO": {"conference": "1000001"}}),
        "minutes of NO, conference: 1000001 is not within 0 to 1,000,000",
    ),
    ("country", {"code": "no"}, "code: 'no' is no country's code of two capital letters"),
    (
        "country",
        {"code": "NO", "domestic_area": "Nordic"},
        "an area is named by one of its countries: 'Nordic' is no country's code",
    ),
    ("country", {"code": "NO", "masked_digits": "16"}, "masked_digits: 16 is not within 0 to 15"),
    ("country", {"code": "NO", "payg_zone": " "}, "the payg_zone must be 1 to 64 printable"),
    (
        "special_prefix",
        {"prefix": "+44", "name": "n", "supported": "true"},
        "the prefix must be 1 to 15 digits, without + or 0 first",
    ),
    *(
        (
            "special_prefix",
            {"prefix": prefix, "name": "n", "supported": "true"},
            "the prefix must be 1 to 15 digits, without + or 0 first",
        )
        for prefix in ("1" * 16, "0449", "٤٤")
    ),
    (
        "policy",
        {"name": "P", "conference": "all", "user": "any"},
        "conference: 'all' is none of any, domestic, zone_a, none",
    ),
    (
        "policy",
        {"name": "P", "conference": "any", "user": "zone_a"},
        "user: 'zone_a' is none of any, domestic, none",
    ),
    (
        "number_tier",
        {"licences": "-1", "service_numbers": "1"},
        "licences: -1 is not within 0 to 1,000,000",
    ),
    ("currency", {"code": "DEM"}, "the currency must be a code such as USD or EUR"),
    ("currency", {"code": "USD", "minimum": "free"}, "minimum: 'free' is not a decimal number"),
    ("currency", {"code": "USD", "minimum": "0"}, "minimum: it is above 0 and at most the maximum"),
    ("currency", {"code": "USD", "maximum": "49"}, "minimum: it is above 0 and at most the maximu"),
    ("currency", {"code": "JPY", "minimum": "50.5"}, "minimum: it is a multiple of 1 JPY"),
    ("currency", {"code": "KWD", "maximum": "99.999"}, "maximum: it is a multiple of 0.01 KWD"),
    ("currency", {"code": "USD", "approval_above": "-1"}, "approval_above: it is not below 0"),
    (
        "setting",
        {"name": "colour", "value": "red"},
        "name: 'colour' is none of default_policy, resource_account_calls, user_numbers_percent",
    ),
    (
        "setting",
        {"name": "resource_account_calls", "value": "free"},
        "value: 'free' is none of credits, plan_and_credits",
    ),
    (
        "setting",
        {"name": "user_numbers_percent", "value": "1.1"},
        "value: '1.1' is not a whole number",
    ),
    (
        "setting",
        {"name": "user_numbers_more", "value": "9999999"},
        "value: 9999999 is not within 0 to 1,000,000",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "reason"), WRONG, ids=[each[2] for each in WRONG])
def test_a_field_that_cannot_be_is_named(kind: str, fields: dict[str, Any], reason: str) -> None:
    code = next(iter(fields.values()))
    found = checked_entry(kind, fields, 0)
    assert isinstance(found, str)
    assert found.startswith(f"{kind} {code}: {reason}")


def test_the_code_of_a_tier_is_its_figure() -> None:
    found = checked_entry("number_tier", {"licences": "26", "service_numbers": "10"}, 0)
    assert isinstance(found, Entry)
    assert (found.code, found.value) == ("26", (26, 10))


POLICIES = [DialOutPolicy("P", "any", "any"), Setting("default_policy", "P")]


@pytest.mark.parametrize(
    ("values", "conflicts"),
    [
        (POLICIES, []),
        ([], ["there is no setting default_policy"]),
        (POLICIES[1:], ["setting default_policy: there is no policy P"]),
        (
            [*POLICIES, Licence("A", "", includes=("B",))],
            ["licence A: there is no licence B to come with it"],
        ),
        (
            [*POLICIES, Licence("A", "", includes=("A",))],
            ["licence A: A comes with it, and it comes with A"],
        ),
        (
            [
                *POLICIES,
                *(Licence(a, "", includes=(b,)) for a, b in ("AB", "BC", "CA")),
                Licence("D", "", includes=("A",)),
            ],
            [
                "licence A: B comes with it, and it comes with B",
                "licence B: C comes with it, and it comes with C",
                "licence C: A comes with it, and it comes with A",
            ],
        ),
        (
            [*POLICIES, Licence("A", "", zones=frozenset({"1", "2"})), Country("US", "1")],
            ["licence A: no country is in zone 2"],
        ),
    ],
)
def test_what_does_not_fit_together_is_told(values: list[Any], conflicts: list[str]) -> None:
    assert list(conflicts_in(Catalogue(values))) == conflicts

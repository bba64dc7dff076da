"""The catalogue as YAML. Mirrors src/talktime/operations/catalogue_file.py."""

import pytest
from hypothesis import given

from talktime.core import limits
from talktime.core.catalogue import Country, Entry, Licence, Minutes, NumberTier, Setting
from talktime.operations.catalogue_file import (
    BadCatalogueFile,
    catalogue_text,
    in_order,
    read_catalogue_file,
)
from tests import catalogues

NOW_MS = 1_700_000_000_000


def errors_of(content: bytes) -> str:
    read = read_catalogue_file(content, valid_from_ms=NOW_MS)
    assert isinstance(read, BadCatalogueFile)
    assert read.count == len(read.errors)
    return "\n".join(f"{line}: {reason}" for line, reason in read.errors)


@given(catalogues.files)
def test_what_is_written_is_read_back_and_written_the_same_again(entries: list[Entry]) -> None:
    text = catalogue_text(entries)
    read = read_catalogue_file(text.encode(), valid_from_ms=NOW_MS)
    assert read == in_order(entries)
    assert catalogue_text(reversed(read)) == text


def test_a_file_as_a_person_writes_it_is_understood() -> None:
    text = """
# next year's
valid_from: 2027-01-01
licence:
- code: MCOPSTN1
  name: Domestic Calling Plan
  features: [plan]
  requires: [[phone], [conferencing, credits]]
  minutes: {NO: {domestic: 1200}, "*": {}}
  pooled: False
country:
- {code: NO, zone_a: true, masked_digits: 3, valid_from: 2027-02-01T12:00:00+01:00}
number_tier:
- {licences: 1, service_numbers: 5, valid_from: 2027-02-01 12:00:00}
setting:
- {name: default_policy, value: yes, valid_from: '2027-01-01T00:00:00.001Z'}
special_prefix:
- {prefix: 0449, withdrawn: true}
"""
    plan = Licence(
        *("MCOPSTN1", "Domestic Calling Plan", frozenset({"plan"})),
        requires=(frozenset({"phone"}), frozenset({"conferencing", "credits"})),
        minutes={"NO": Minutes(1_200), "*": Minutes()},
        pooled=False,
    )
    new_year_ms = 1_798_761_600_000
    assert read_catalogue_file(text.encode(), valid_from_ms=NOW_MS) == [
        Entry("licence", "MCOPSTN1", new_year_ms, plan),
        Entry("country", "NO", 1_801_479_600_000, Country("NO", zone_a=True, masked_digits=3)),
        Entry("number_tier", "1", 1_801_483_200_000, NumberTier(1, 5)),
        Entry("setting", "default_policy", new_year_ms + 1, Setting("default_policy", "yes")),
        Entry("special_prefix", "0449", new_year_ms, None),
    ]


def test_without_any_time_an_entry_begins_when_the_reader_says() -> None:
    text = b"country: [{code: NO}]"
    assert read_catalogue_file(text, valid_from_ms=NOW_MS) == [
        Entry("country", "NO", NOW_MS, Country("NO"))
    ]


def test_entries_stand_in_the_order_of_their_kinds_codes_and_times() -> None:
    text = b"""
number_tier: [{licences: 1000, service_numbers: 1}, {licences: 26, service_numbers: 1}]
country: [{code: SE, valid_from: 2027-01-01}, {code: SE, valid_from: 2026-01-01}, {code: NO}]
"""
    entries = read_catalogue_file(text, valid_from_ms=0)
    assert isinstance(entries, list)
    assert catalogue_text(entries) == (
        "valid_from: 1970-01-01\n"
        "country:\n"
        "  - {code: 'NO'}\n"
        "  - {code: SE, valid_from: 2026-01-01}\n"
        "  - {code: SE, valid_from: 2027-01-01}\n"
        "number_tier:\n"
        "  - {licences: 26, service_numbers: 1}\n"
        "  - {licences: 1000, service_numbers: 1}\n"
    )


WRONG = {
    "": "1: the file is empty",
    "- a": "1: the file: fields with names are wanted (name: value)",
    "country: [": "1: this is no YAML: expected the node content, but found '<stream end>'",
    "a: 1\n\tb: 2": "2: this is no YAML: found character '\\t' that cannot start any token",
    "a: b\nc: \x01": (
        "1: this is no YAML: unacceptable character #x0001: special characters are not allowed in "
        '"<unicode string>", position 8'
    ),
    "[" * 5_000: "1: lists and mappings stand too deep in each other",
    "a: &x [1]\nb: [*x, *x]": "2: an alias (*) is not taken; write the value out",
    "countries: []": (
        "1: 'countries' is none of licence, country, special_prefix, policy, number_tier, currency,"
        " setting"
    ),
    "country: {}": "1: country: a list of entries is wanted (- ...)",
    "country: []\ncountry: []": "2: the file: the field country stands twice",
    "country:\n- {code: NO, code: SE}": "2: country: the field code stands twice",
    "country:\n- NO": "2: country: fields with names are wanted (name: value)",
    "country:\n- {[a]: b}": "2: country: a field's name must be a text",
    "country:\n- {zone_a: true}": "2: country: the field code is missing",
    "country:\n- {code: [NO]}": "2: country: the field code is missing",
    "country:\n- {code: NO, valid_from: soon}": (
        "2: valid_from: 'soon' is no time: write 2026-01-31 or 2026-01-31T12:00:00Z"
    ),
    "valid_from: 1969-12-31": (
        "1: valid_from: '1969-12-31' is no time: write 2026-01-31 or 2026-01-31T12:00:00Z"
    ),
    "country:\n- {code: NO}\n- {code: SE}\n- {code: NO, zone_a: true}": (
        "4: country NO stands twice for one time"
    ),
    "country:\n- {code: NO, withdrawn: true, zone_a: true}": (
        "2: country NO: a withdrawn entry has no other fields"
    ),
    "country:\n- {code: NO, zone_a: perhaps}\n- {code: SE}\n- {code: UK}": (
        "2: country NO: Expected `bool`, got `str` - at `$.zone_a`\n"
        "4: country UK: code: 'UK' is no country's code of two capital letters"
    ),
    "licence:\n- code: L\n  name: Plan\n  minutes: {NO: {domestic: 1, domestic: 2}}": (
        "4: a mapping: the field domestic stands twice"
    ),
    "setting:\n- name: default_policy": (
        "2: setting default_policy: Object missing required field `value`"
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named_by_line_and_reason(text: str) -> None:
    assert errors_of(text.encode()) == WRONG[text]


def test_a_file_of_another_encoding_is_named() -> None:
    assert errors_of(b"a: b\nc: \xff") == "2: this is not UTF-8"


def test_a_file_that_is_too_large_is_not_read() -> None:
    text = b"#" * (limits.CATALOGUE_FILE_BYTES_MAX + 1)
    assert errors_of(text) == "1: the file is larger than 1,048,576 bytes"


def test_more_entries_than_a_catalogue_may_have_are_named() -> None:
    rows = "".join(f"- {{licences: {n}, service_numbers: 1}}\n" for n in range(5_001))
    assert errors_of(f"number_tier:\n{rows}".encode()) == "5002: more than 5,000 entries"


def test_the_first_errors_are_kept_and_all_are_counted() -> None:
    rows = "".join(f"- {{code: X{n}}}\n" for n in range(150))
    read = read_catalogue_file(b"country:\n" + rows.encode(), valid_from_ms=0)
    assert isinstance(read, BadCatalogueFile)
    assert read.count == 150
    assert [error.line for error in read.errors] == list(range(2, 102))


def test_an_empty_catalogue_is_written_as_a_file_without_entries() -> None:
    text = catalogue_text([])
    assert text == "{valid_from: 1970-01-01}\n"
    assert read_catalogue_file(text.encode(), valid_from_ms=5) == []

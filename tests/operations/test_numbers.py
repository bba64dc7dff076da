"""Telephone numbers at the edge. Mirrors src/talktime/operations/numbers.py."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.refusal import Refusal
from talktime.operations.numbers import Number, parse_number


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+4930123456", None, Number("4930123456", "DE", kind="fixed")),
        (" +49 (30) 123-456 ", None, Number("4930123456", "DE", kind="fixed")),
        ("030 123456", "DE", Number("4930123456", "DE", kind="fixed")),
        ("+4930123456", "US", Number("4930123456", "DE", kind="fixed")),
        ("(202) 555-0125", "US", Number("12025550125", "US", kind="fixed_or_mobile")),
        ("011 49 30 123456", "US", Number("4930123456", "DE", kind="fixed")),
        ("+80012345678", None, Number("80012345678", "", kind="toll_free")),
    ],
)
def test_a_number_is_read_in_international_form_or_nationally_in_its_region(text, region, number):
    assert parse_number(text, region) == number


@pytest.mark.parametrize(
    ("text", "region"), [("112", "DE"), ("110", "DE"), ("911", "US"), ("999", "GB"), ("113", "NO")]
)
def test_an_emergency_number_is_known_in_its_region(text, region):
    assert parse_number(text, region) == Number(text, region, emergency=True)


@pytest.mark.parametrize(
    ("text", "region", "problem"),
    [
        ("4930123456", None, "has no country code"),
        ("112", None, "has no country code"),
        ("112+", "DE", "does not exist"),
        ("", None, "has no country code"),
        ("+", None, "is not a telephone number"),
        ("+999123456", None, "begins with no country code that exists"),
        ("+491", None, "is too short"),
        ("+4901234567", None, "does not exist"),
        ("+1555", None, "does not exist"),
        ("911", "DE", "does not exist"),
        ("+49301234567890123456", None, "is too long"),
        ("front desk", "US", "is not a telephone number"),
        ("+4930x123456", None, "is not a telephone number"),
        ("+49\u0663\u0663", None, "is not a telephone number"),
        ("+49" + "0" * 100, None, "is longer than 64 characters"),
        ("030 123456", "XX", "cannot be read in the unknown region"),
    ],
)
def test_what_is_no_number_is_refused_with_what_to_do(text, region, problem):
    refusal = parse_number(text, region)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_number"
    assert problem in refusal.detail
    assert "+4930123456" in refusal.detail


@given(st.text(max_size=80), st.sampled_from([None, "DE", "US", "XX", ""]))
def test_any_text_is_answered_with_digits_or_a_refusal(text, region):
    answer = parse_number(text, region)
    if isinstance(answer, Number):
        assert answer.digits.isascii()
        assert answer.digits.isdigit()
        assert 1 <= len(answer.digits) <= 15
    else:
        assert answer.code == "invalid_number"


def test_what_the_library_calls_valid_is_a_number_and_nothing_else():
    """An example of each kind in each country, and the same with a digit more or less."""
    examples = [
        number
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in phonenumbers.PhoneNumberType.values()
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    assert len(examples) > 1_000
    for number in examples:
        plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for text in (plain, plain[:-1], plain + "7"):
            valid = phonenumbers.is_valid_number(phonenumbers.parse(text))
            assert isinstance(parse_number(text), Number) == valid, text

"""What people type. Mirrors src/talktime/operations/input_checks.py."""

import pytest

from talktime.core.refusal import Refusal
from talktime.operations.input_checks import (
    check_country,
    check_currency,
    check_limit,
    check_one_of,
    check_policy,
    check_text,
    check_time_zone,
    check_word,
    first,
)
from tests.people import CATALOGUE


@pytest.mark.parametrize(
    "refusal",
    [
        check_text("the name", "Contoso Norge AS", 128),
        check_text("the name", "東京" * 64, 128),
        check_word("the name", "front-desk@contoso.example", 128),
        check_currency("USD"),
        check_currency("JPY"),
        check_time_zone("UTC"),
        check_time_zone("America/Los_Angeles"),
        check_country("the country", "NO"),
        check_policy(CATALOGUE, ""),
        check_policy(CATALOGUE, "DialoutCPCandPSTNDomestic"),
        check_limit("the spend limit", None),
        check_limit("the spend limit", 0),
        check_limit("the spend limit", 10**15),
        check_one_of("the kind", "toll", ("user", "toll")),
    ],
)
def test_what_is_in_order_is_taken(refusal):
    assert refusal is None


@pytest.mark.parametrize(
    "text", ["", " a", "a ", "a\nb", "a\x00b", "\x1b[31m", "a" * 129, "\ud800"]
)
def test_a_text_that_is_empty_long_or_unprintable_is_refused(text):
    assert check_text("the name", text, 128) == Refusal(
        "invalid_value",
        "the name must be 1 to 128 printable characters, without spaces around it",
    )


def test_a_word_with_a_space_is_refused():
    assert check_word("the name", "front desk", 128) == Refusal(
        "invalid_value", "the name must be without spaces"
    )


@pytest.mark.parametrize("code", ["", "usd", "US", "DEM", "ZZZ", "XTS", "USD ", "$" * 100])
def test_what_is_no_currency_in_use_is_refused(code):
    refusal = check_currency(code)
    assert refusal is not None
    assert refusal.code == "invalid_value"
    assert refusal.detail == (
        f"the currency must be a code such as USD or EUR that is in use today, not {code[:40]!r}"
    )


@pytest.mark.parametrize("name", ["", "Oslo", "europe/oslo", "localtime", "../../etc/passwd"])
def test_what_is_no_time_zone_is_refused(name):
    assert check_time_zone(name) == Refusal(
        "invalid_value", f"the time zone must be a name such as Europe/Oslo or UTC, not {name!r}"
    )


@pytest.mark.parametrize("code", ["", "no", "NOR", "UK", "ZZ", "001"])
def test_what_is_no_country_is_refused(code):
    assert check_country("the country", code) == Refusal(
        "invalid_value",
        f"the country must be a code of two capital letters such as US or NO, not {code!r}",
    )


def test_an_unknown_policy_is_named():
    refusal = check_policy(CATALOGUE, "Domestic")
    assert refusal is not None
    assert refusal.detail.startswith("'Domestic' is no dial-out policy; known are DialoutCPCD")


@pytest.mark.parametrize("micros", [-1, 10**15 + 1])
def test_an_amount_out_of_bounds_is_no_limit(micros):
    assert check_limit("the cap", micros) == Refusal(
        "invalid_value", "the cap must be from 0 to 1000000000"
    )


def test_a_word_of_none_of_the_kinds_is_refused():
    assert check_one_of("the kind", "tall", ("user", "toll")) == Refusal(
        "invalid_value", "the kind must be one of user, toll, not 'tall'"
    )


def test_the_first_refusal_of_several_is_the_answer():
    one, other = Refusal("invalid_value", "one"), Refusal("invalid_value", "other")
    assert first(None, one, other) == one
    assert first(None, None) is None

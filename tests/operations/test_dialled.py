"""What was dialled, as its caller sees it. Mirrors src/talktime/operations/dialled.py."""

import pytest

from talktime.operations.dialled import dialled, seen_from


@pytest.mark.parametrize(
    ("text", "region", "countries"),
    [
        ("+18005550199", "CA", ("CA", "US")),
        ("+18005550199", "US", ("US",)),
        ("+447012345678", "GG", ("GB",)),
        ("+448712345678", "GG", ("GB",)),
        ("+18005550199", "DE", ("US",)),
        ("+14255550100", "CA", ("US",)),
        ("+448001234567", "JE", ("GB",)),
        ("+80012345678", "CA", ("",)),
    ],
)
def test_a_number_that_countries_share_is_the_callers_own_too(text, region, countries):
    seen = seen_from(dialled(text), region)
    assert seen.called.countries == countries
    named = ", ".join(sorted(countries, reverse=True))
    assert seen.line == f"number: {text} exists" + (f" ({named})" if named else "")


def test_an_emergency_number_stays_one():
    assert seen_from(dialled("911", "CA"), "CA") == dialled("911", "CA")

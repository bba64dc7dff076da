"""Which digits of a call's numbers may be read. Mirrors src/talktime/core/masking.py."""

import pytest

from talktime.core.calls import CALL_TYPES, INBOUND_TYPES
from talktime.core.masking import Parties, shown_parties
from talktime.operations.catalogue_seed import seed_entries

OURS, THEIRS = "4722001122", "493012345678"
# Reference, 5.4: by the organisation's country; of all others nothing is hidden.
MASKED = dict.fromkeys(("BE", "DE", "DK", "ES", "FI", "IT", "NL", "NO", "SE"), 3)
MASKED |= {"CH": 4, "FR": 4}


@pytest.mark.parametrize("type_", CALL_TYPES)
def test_the_other_partys_number_alone_is_hidden(type_):
    """R78."""
    if type_ in INBOUND_TYPES:
        assert shown_parties(type_, THEIRS, OURS, 4) == Parties("+49301234****", "+4722001122")
    else:
        assert shown_parties(type_, OURS, THEIRS, 4) == Parties("+4722001122", "+49301234****")


def test_a_short_or_missing_number_shows_no_more_than_a_long_one():
    assert shown_parties("user_in", "", OURS, 3) == Parties("", "+4722001122")
    assert shown_parties("user_out", OURS, "11", 3) == Parties("+4722001122", "**")


def test_the_catalogue_hides_what_the_reference_hides():
    """R78."""
    assert {
        entry.code: entry.value.masked_digits
        for entry in seed_entries()
        if entry.kind == "country" and entry.value.masked_digits
    } == MASKED

"""Where calls go to, for reports. Mirrors operations/calling_places.py."""

import pytest

from talktime.core.catalogue import Catalogue
from talktime.operations.calling_places import Places, country_of
from talktime.operations.catalogue_seed import seed_entries
from tests.after_use import organisation


@pytest.mark.parametrize(
    ("location", "digits", "context"),
    [
        ("CA", "18005550199", "Domestic"),  # as much a Canadian number, and paid as one
        ("US", "18005550199", "Domestic"),
        ("NO", "18005550199", "International"),
        ("CA", "12125550199", "International"),
        ("CA", "14165550199", "Domestic"),
        ("CA", "911", ""),
    ],
)
def test_a_toll_free_number_is_domestic_where_it_is_of_the_users_country(location, digits, context):
    """R81, as who pays has it (operations/dialled.py)."""
    places = Places(organisation(), Catalogue(seed_entries()), {5: location})
    assert places.context("user_out", 5, country_of(digits), digits) == context

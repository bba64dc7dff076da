"""A directory of two organisations, and calls asked of it."""

import pytest

from tests.callers import asking, new_directory, new_rate_cards


@pytest.fixture
def directory():
    """Who is who."""
    return new_directory()


@pytest.fixture
def ask(directory):
    """Resolve a call from Front desk to Germany, but for what is said."""
    return asking(directory, new_rate_cards())

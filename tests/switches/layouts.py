"""On which database these tests run: the decisive ones on PostgreSQL, and where money could be lost
on both."""

import pytest

BOTH = ("postgres", "sqlite")


def layout(request: pytest.FixtureRequest, wanted: str) -> str:
    """The layout that a test wants, unless the tests were told to do without it (`--layouts`)."""
    chosen = str(request.config.getoption("--layouts")).split(",")
    return wanted if wanted in chosen else next(name for name in BOTH if name in chosen)

"""Lives of organisations come out as they are written, on both databases."""

from pathlib import Path

import pytest

from tests.scenarios.year_player import Life
from tests.stores import Store

YEARS = sorted((Path(__file__).parent / "years").glob("*.txt"))


@pytest.mark.layouts("sqlite", "postgres")
@pytest.mark.parametrize("story", YEARS, ids=lambda path: path.stem)
def test_a_year_comes_out_as_it_is_written(store: Store, story: Path) -> None:
    """A difference is shown as one of the story's text."""
    written = story.read_text()
    assert Life(store).play(written) == written

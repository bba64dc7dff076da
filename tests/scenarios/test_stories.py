"""The stories in this folder come out as they are written, on every layout of databases."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.scenarios.money_in import MoneyIn
from tests.stores import LAYOUTS, Store, Stores

STORIES = sorted(Path(__file__).parent.glob("*.txt"))
_organisations = count(1, 10)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--layouts").split(",")
        layouts = [layout for layout in LAYOUTS if layout in chosen]
        metafunc.parametrize("stage", layouts, indirect=True, scope="module")


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, stores: Stores) -> Iterator[Store]:
    """One store for all stories of a layout; each story has accounts of its own."""
    made = stores.make(request.param)
    yield made
    stores.drop(made)


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_a_story_comes_out_as_it_is_written(stage: Store, story: Path):
    """A difference is shown as one of the story's text."""
    written = story.read_text()
    assert MoneyIn(stage, next(_organisations)).play(written) == written


def test_a_story_that_is_not_true_comes_out_otherwise(stage: Store):
    told = MoneyIn(stage, next(_organisations)).play(
        "rate Germany 0.60 per minute, 60/6\n"
        "A1 buys 1 as F1\n"
        "0s C1 of A1 asks to Germany -> granted 300s\n"
        "the books -> are wrong\n"
    )
    assert told == (
        "rate Germany 0.60 per minute, 60/6\n"
        "A1 buys 1 as F1\n"
        "0s C1 of A1 asks to Germany -> granted 96s, final, holds 0.96\n"
        "the books -> are right\n"
    )


def test_a_sentence_that_nobody_understands_is_an_error(stage: Store):
    with pytest.raises(ValueError, match="no such sentence: 'C1 sings'"):
        MoneyIn(stage, next(_organisations)).play("C1 sings -> well")

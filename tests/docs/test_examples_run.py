"""Every command of the documentation runs, and prints what its page says."""

import pytest

from tests.docs.console import (
    PROJECT,
    Example,
    Printed,
    all_printed_now,
    demo_template,
    examples_of,
    kinds,
    pages,
)

pytestmark = pytest.mark.timeout(900)  # the first test waits for every page

NAMES = [str(path.relative_to(PROJECT)) for path in pages()]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """What every example prints now, page by page."""
    return all_printed_now(demo_template(tmp_path_factory.mktemp("demo")))


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_page_print_what_it_says(name: str, printed: Printed) -> None:
    result = printed[PROJECT / name]
    assert not isinstance(result, Exception), repr(result)
    for example, now in result:
        assert kinds(now) == kinds(example.printed), example.command


def test_a_block_is_read_command_by_command() -> None:
    block = "$ a 'b\n  c'\n$ d \\\n  e\nprinted\n$ cat <<'END'\nf\nEND\n"
    assert examples_of(block) == [
        Example("a 'b\n  c'", ""),
        Example("d \\\n  e", "printed\n"),
        Example("cat <<'END'\nf\nEND", ""),
    ]


def test_what_differs_from_run_to_run_is_compared_by_its_kind() -> None:
    first = "│ Id   118198639629062144 │\n│ At   2026-11-23T03:59:11Z  │\n"
    second = "│ Id  118198639629062145 │\n│ At  2027-01-01T00:00:00Z │\n\n"
    assert kinds(first) == kinds(second)
    assert kinds("0.055 USD") != kinds("0.056 USD")

"""The order in which the files of tests begin."""

from pathlib import Path

from tests.running_order import LONGEST, in_running_order

PROJECT = Path(__file__).parents[1]


def test_the_files_that_take_longest_are_there() -> None:
    assert [file for file in LONGEST if not (PROJECT / file).exists()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_long_files_begin_first_then_those_with_most_tests_and_none_is_torn_apart() -> None:
    long, longest = LONGEST[1], LONGEST[0]
    files = ["a.py", "b.py", "b.py", long, "c.py", "c.py", longest, longest]
    order = in_running_order(files)
    assert [files[n] for n in order] == [
        longest,
        longest,
        long,
        *["b.py"] * 2,
        *["c.py"] * 2,
        "a.py",
    ]
    assert order == [6, 7, 3, 1, 2, 4, 5, 0]

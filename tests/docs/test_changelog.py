"""The notes of a release as they will be. Mirrors changelog.d."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.console import PROJECT

NAME = re.compile(r"(\d+([+-][\w-]+)?|\+[\w-]+)\.(added|changed|fixed|removed)\.md")


def fragments():
    found = {path.name: path.read_text() for path in (PROJECT / "changelog.d").glob("*.md")}
    del found["README.md"]
    return found


def plain(text):
    return " ".join(text.split())


def test_every_fragment_is_named_for_its_issue_or_for_none():
    assert [name for name in fragments() if not NAME.fullmatch(name)] == []


@pytest.fixture(scope="module")
def notes():
    towncrier = Path(sys.executable).with_name("towncrier")
    drafted = subprocess.run(
        [towncrier, "build", "--draft", "--version", "1.0"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return plain(drafted)


def test_the_notes_of_a_release_hold_every_fragment_and_name_issues_by_number(notes):
    for name, text in fragments().items():
        number = re.match(r"\d+", name)
        assert plain(f"- {text} (#{number[0]})" if number else f"- {text}") in notes, name


def test_the_notes_are_in_the_order_of_issues_and_of_the_words_in_names(notes):
    for kind in ("added", "changed", "fixed", "removed"):
        of_kind = [name for name in fragments() if name.endswith(f".{kind}.md") and name[0] != "+"]
        of_kind.sort(key=lambda name: (int(re.match(r"\d+", name)[0]), name.split(".")[0]))
        places = [notes.index(plain(f"- {fragments()[name]}")) for name in of_kind]
        assert places == sorted(places), kind

"""The notes of a release as they will be. Mirrors changelog.d."""

import re
import subprocess
import sys
from pathlib import Path

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


def test_the_notes_of_a_release_hold_every_fragment_and_name_issues_by_number():
    towncrier = Path(sys.executable).with_name("towncrier")
    drafted = subprocess.run(
        [towncrier, "build", "--draft", "--version", "1.0"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    notes = plain(drafted)
    for name, text in fragments().items():
        number = re.match(r"\d+", name)
        assert plain(f"- {text} (#{number[0]})" if number else f"- {text}") in notes, name

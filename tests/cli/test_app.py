"""A command of the shell is loaded when it is asked for, and all are found."""

import os
import subprocess
import sys

import pytest

from talktime.cli.app import PANELS, Commands, command

LOADED = """
import sys
from talktime.cli.app import command
command().get_command(None, "audit")
print(*sys.modules)
"""


def test_a_command_on_sqlite_loads_neither_the_others_nor_postgresql_nor_pages() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)
    loaded = set(ran.stdout.split())
    assert "talktime.cli.audit" in loaded
    assert not loaded & {"psycopg", "django", "talktime.cli.wallet", "talktime.cli.serve"}


def test_every_command_that_is_named_is_there_in_its_panel() -> None:
    found = {name: (each.name, each.rich_help_panel) for name, each in Commands().items()}
    assert found == {name: (name, panel) for panel, names in PANELS.items() for name in names}


def test_a_command_is_loaded_once() -> None:
    assert command().get_command(None, "fund") is command().get_command(None, "fund")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("talktime att", ["attention"]),
        ("talktime attention re", ["recharges", "refunds"]),
        ("talktime attention payments --s", ["--state"]),
    ],
)
def test_a_terminal_can_complete_commands_and_options(typed: str, offered: list[str]) -> None:
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    ran = subprocess.run(
        [sys.executable, "-c", "from talktime.cli import main; main()"],
        env={**os.environ, **asked, "_TALKTIME_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout.split(), ran.stderr) == (offered, "")

"""What a command says that cannot do what it was asked, for people and for programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import commands
from tests.cli.conftest import Shell
from tests.serving import COMMAND
from tests.stores import Store

ENDED_S_MAX = 60
LOADS_A_COMMAND = """
import os, signal, sys
from importlib.abc import MetaPathFinder
from talktime.cli import main

class CtrlC(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "talktime.cli.app":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
main(["organisation", "list"])
"""


def test_every_command_takes_json_but_those_that_print_something_else() -> None:
    without = [
        " ".join(words)
        for words, each in commands()
        if not any("--json" in param.opts for param in each.params)
    ]
    assert without == ["serve", "user export"]


@pytest.mark.layouts("sqlite", "postgres")
def test_with_json_a_refusal_is_one_document_with_its_code(shell: Shell) -> None:
    out, err = shell.run("wallet", "nobody.example", "--json", code=1)
    reason = err.removeprefix("talktime: ").strip()
    assert shell.json("wallet", "nobody.example", code=1) == {
        "reason": reason,
        "code": "unknown_organisation",
        "details": [],
    }
    assert out.startswith("{")
    assert shell.run("wallet", "nobody.example", code=1) == ("", err)


@pytest.mark.layouts("sqlite")
def test_with_json_each_wrong_row_of_a_file_is_in_the_document(
    shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("prefix,destination,price_per_minute\n49,Germany,x\n47,Norway,-1\n")
    failed = shell.json("import-rates", str(file), code=1)
    assert failed["code"] is None
    assert [line.partition(":")[0] for line in failed["details"]] == ["line 2", "line 3"]


@pytest.mark.layouts("sqlite")
def test_an_argument_that_is_not_utf_8_is_a_wrong_call(shell: Shell) -> None:
    out, err = shell.run("staff", "add", os.fsdecode(b"caf\xe9@contoso.example"), code=2)
    assert (out, err) == ("", "talktime: the argument 'caf\\udce9@contoso.example' is not UTF-8\n")
    assert shell.json("staff", "list") == {"staff": []}


@pytest.mark.layouts("sqlite")
def test_what_the_output_cannot_write_is_a_question_mark_and_no_failure(store: Store) -> None:
    environ = {**os.environ, **store.environ, "PYTHONIOENCODING": "ascii"}
    create = ["create", os.fsdecode(b"Caf\xc3\xa9"), "--country", "US"]
    ran = [
        subprocess.run(
            [COMMAND, "organisation", *words],
            env=environ,
            capture_output=True,
            timeout=ENDED_S_MAX,
            check=False,
        )
        for words in (create, ["list"])
    ]
    assert [each.returncode for each in ran] == [0, 0]
    assert b"Caf?" in ran[1].stdout


def test_ctrl_c_while_a_command_is_loaded_ends_it_without_a_word() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADS_A_COMMAND],
        capture_output=True,
        timeout=ENDED_S_MAX,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, b"", b"")


def test_every_whole_number_has_bounds_but_those_that_the_operation_looks_at() -> None:
    without = {
        words[0]
        for words, each in commands()
        for param in each.params
        if param.type_descriptor.annotation is int and (param.min is None or param.max is None)
    }
    assert without == {"call", "fund", "quote", "recharge"}


@pytest.mark.layouts("sqlite")
def test_an_id_that_is_too_large_is_a_wrong_call(shell: Shell) -> None:
    out, err = shell.run("key", "revoke", str(2**63), code=2)
    assert out == ""
    assert str(2**63 - 1) in err

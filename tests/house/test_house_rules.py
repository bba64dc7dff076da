"""The rules of the house that a machine can read. A failure names the file, the line, the rule."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.reading import Breach, Source, committed_texts, python_sources
from tests.house.rules_for_files import broken_in_text
from tests.house.rules_for_source import (
    KEPT_WITH_THEIR_CODE,
    LIMITS,
    SOURCE_RULES,
    maxima_in,
)
from tests.house.rules_for_tests import RULES_FOR_TESTS

ROOT = Path(__file__).parents[2]


def breaches_of_source(source: Source) -> Iterator[Breach]:
    """Every breach of the rules for Python in one file."""
    rules = SOURCE_RULES if source.in_package else SOURCE_RULES[:1]
    if source.path.parts[0] == "tests":
        rules = [*rules, *RULES_FOR_TESTS]
    for rule in rules:
        for line, broken in rule(source):
            yield Breach(str(source.path), line, broken)


def breaches_in(root: Path) -> list[str]:
    """Every breach in a tree, as `file:line: rule`."""
    found = [breach for source in python_sources(root) for breach in breaches_of_source(source)]
    for path, text in committed_texts(root):
        found += [Breach(path, line, broken) for line, broken in broken_in_text(path, text)]
    return [str(breach) for breach in sorted(found, key=lambda each: (each.path, each.line))]


def test_the_project_keeps_the_house_rules():
    assert "\n".join(breaches_in(ROOT)) == ""


def test_every_limit_bounds_something():
    """What is listed among the limits and looked at nowhere would be no limit."""
    sources = [each for each in python_sources(ROOT) if each.in_package]
    (limits,) = (each for each in sources if each.inside == LIMITS)
    used = {name.rpartition(".")[2] for each in sources for _, name in each.imports}
    named = [
        target.id
        for node in limits.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert [name for name in named if name not in used] == []


def test_what_is_said_to_stay_out_of_the_limits_is_there():
    package = [each for each in python_sources(ROOT) if each.in_package]
    found = {f"{each.inside} {name}" for each in package for _, name in maxima_in(each)}
    assert sorted(KEPT_WITH_THEIR_CODE - found) == []


def test_the_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


PLANTED = {
    # file, its text, the line of the breach, words of the rule
    "a vague name": ("src/talktime/core/utils.py", "", 1, "named for what it holds"),
    "a vague folder": ("src/talktime/helpers/money.py", "", 1, "named for what it holds"),
    "a long file": ("src/talktime/core/lots.py", "a = 1\n" * 401, 400, "401 lines"),
    "a long test file": ("tests/core/test_lots.py", "a = 1\n" * 401, 400, "401 lines"),
    "a long example": ("examples/kamailio/talktime.cfg", "a=1\n" * 401, 401, "400 lines"),
    "a long function": (
        "bench/load.py",
        "def run():\n" + "    a = 1\n" * 50,
        1,
        "run has 51 lines",
    ),
    "an import upwards": (
        "src/talktime/store/load.py",
        "import json\nfrom talktime.operations import execute\n",
        2,
        "store imports talktime.operations.execute",
    ),
    "an import upwards of a submodule by the package": (
        "src/talktime/core/calls.py",
        "from talktime import store\n",
        1,
        "core imports talktime.store",
    ),
    "a relative import upwards": (
        "src/talktime/engine/lane.py",
        "from ..gateways.http import app\n",
        1,
        "engine imports talktime.gateways.http",
    ),
    "an import sideways": (
        "src/talktime/console/urls.py",
        "import talktime.gateways.http\n",
        1,
        "console imports talktime.gateways.http",
    ),
    "providers outside jobs": (
        "src/talktime/operations/pay.py",
        "import talktime.providers.mail\n",
        1,
        "operations imports talktime.providers.mail",
    ),
    "the clock in an operation": (
        "src/talktime/operations/x.py",
        "from talktime.clock import now_ms\n",
        1,
        "operations imports talktime.clock",
    ),
    "configuration in the core": (
        "src/talktime/core/limits.py",
        "from talktime.config import settings\n",
        1,
        "core imports talktime.config",
    ),
    "a part of the configuration in the core": (
        "src/talktime/core/limits.py",
        "from talktime import config_gateways\n",
        1,
        "core imports talktime.config_gateways",
    ),
    "an import by a part of the configuration": (
        "src/talktime/config_services.py",
        "from talktime.store import load\n",
        1,
        "config_services imports talktime.store.load",
    ),
    "a library in the core": ("src/talktime/core/rates.py", "import msgspec\n", 1, "msgspec"),
    "logging in the core": ("src/talktime/core/rates.py", "import logging\n", 1, "without logging"),
    "a file read by the core": ("src/talktime/core/rates.py", "a = open('x')\n", 1, "open()"),
    "state in the core": (
        "src/talktime/core/rates.py",
        "a = 1\ndef _f():\n    global a\n",
        3,
        "global",
    ),
    "a float in the core": ("src/talktime/core/rates.py", "a = 0.5\n", 1, "no float (0.5)"),
    "a float in the store": ("src/talktime/store/load.py", "a = float('1')\n", 1, "no float"),
    "a division in the core": ("src/talktime/core/rates.py", "a = b / c\n", 1, "no bare /"),
    "a division in place": ("src/talktime/store/save.py", "a = 1\na /= 2\n", 2, "no bare /"),
    "a division of micros on a page": (
        "src/talktime/console/views.py",
        "shown = balance_micros / 1_000_000\n",
        1,
        "no bare /",
    ),
    "a rounding without a name": ("src/talktime/operations/x.py", "a = round(b)\n", 1, "round()"),
    "a clock": (
        "src/talktime/operations/execute.py",
        "import time\na = time.time_ns()\n",
        2,
        "not fetched (time.time_ns)",
    ),
    "a clock by its own name": (
        "src/talktime/store/save.py",
        "from datetime import datetime\na = datetime.now(None)\n",
        2,
        "not fetched (datetime.datetime.now)",
    ),
    "a die": (
        "src/talktime/operations/keys.py",
        "from secrets import token_urlsafe as make\na = make()\n",
        2,
        "not fetched (secrets.token_urlsafe)",
    ),
    "async in an operation": (
        "src/talktime/operations/x.py",
        'async def f():\n    """Do."""\n',
        1,
        "async def f",
    ),
    "async in a page": ("src/talktime/console/views.py", "import asyncio\n", 1, "asyncio"),
    "SQL in an operation": (
        "src/talktime/operations/x.py",
        'a = "SELECT 1"\n',
        1,
        "SQL outside store/",
    ),
    "SQL with values put in": (
        "src/talktime/jobs/x.py",
        'def f(a):\n    return f"delete from {a}"\n',
        2,
        "SQL outside store/",
    ),
    "SQL in the store with values put in": (
        "src/talktime/store/x.py",
        "def f(a):\n    return f'SELECT 1 FROM wallet WHERE id = {a}'\n",
        2,
        "constant text",
    ),
    "SQL in the store that is put together": (
        "src/talktime/store/x.py",
        "def f(a):\n    return 'SELECT 1 FROM wallet WHERE id = ' + a\n",
        2,
        "constant text",
    ),
    "a limit elsewhere": (
        "src/talktime/jobs/x.py",
        "DETAIL_TEXT_MAX = 500\n",
        1,
        "a maximum is in core/limits.py (DETAIL_TEXT_MAX)",
    ),
    "limits of anything elsewhere": (
        "src/talktime/console/x.py",
        "CALLS_MAX, PAYMENTS_MAX = 5, 60 * 60\n",
        1,
        "a maximum is in core/limits.py (PAYMENTS_MAX)",
    ),
    "a public function without words": (
        "src/talktime/core/x.py",
        "def price_micros():\n    return 1\n",
        1,
        "price_micros has no docstring",
    ),
    "a test that sleeps": (
        "tests/test_x.py",
        "from time import sleep as rest\nrest(1)\n",
        2,
        "no sleep (time.sleep)",
    ),
    "a mock": ("tests/test_x.py", "from unittest import mock\n", 1, "not mocked"),
    "a patch on own code": (
        "tests/test_x.py",
        "import talktime.core as a\ndef test_a_b_c(patch):\n    patch.setattr(a, 'b', 1)\n",
        3,
        "setattr on talktime.core",
    ),
    "a patch by path": (
        "tests/test_x.py",
        "def test_a_b_c(monkeypatch):\n    monkeypatch.setattr('talktime.core.a', 1)\n",
        2,
        "setattr on talktime.core.a",
    ),
    "a skipped test": (
        "tests/test_x.py",
        "import pytest\n@pytest.mark.skipif(True, reason='')\ndef test_a_b_c(): ...\n",
        2,
        "pytest.mark.skipif",
    ),
    "a skip inside": (
        "tests/test_x.py",
        "from pytest import skip\ndef test_a_b_c():\n    skip()\n",
        3,
        "pytest.skip",
    ),
    "a rerun": (
        "tests/test_x.py",
        "from flaky import flaky\n@flaky\ndef test_a_b_c(): ...\n",
        1,
        "no reruns",
    ),
    "a test without a sentence": (
        "tests/test_x.py",
        "def test_lots(): ...\n",
        1,
        "a sentence, not test_lots",
    ),
    "a registry": ("docs/howto/install.md", "\nhttps://py" + "pi.org/\n", 2, "registry"),
    "an index in a lock file": ("requirements.lock", "--index" + "-url x\n", 1, "address"),
    "an address in a lock file": ("requirements.lock", "a @ https:" + "//b\n", 1, "address"),
    "a path of one machine": ("Makefile", "a:\n\t/ro" + "ot/x/y\n", 2, "path of one machine"),
    "unfinished work": ("docs/x.md", "TO" + "DO: more\n", 1, "an issue, not a note"),
}


@pytest.mark.parametrize(("path", "text", "line", "words"), PLANTED.values(), ids=PLANTED)
def test_a_planted_breach_is_named_by_file_line_and_rule(tmp_path, path, text, line, words):
    planted = tmp_path / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(text)
    breaches = breaches_in(tmp_path)
    assert any(breach.startswith(f"{path}:{line}: ") and words in breach for breach in breaches), (
        breaches
    )


KEPT = {
    "src/talktime/core/money.py": "from decimal import Decimal\n_SHARE = Decimal(1) / 3\n",
    "src/talktime/core/rates.py": "from talktime.core import money\nimport re\na = 7 // 2\n",
    "src/talktime/operations/card.py": "from pathlib import Path\na = Path('x') / 'y'\n",
    "src/talktime/store/load.py": 'from talktime import config\na = "SELECT 1"\n',
    "src/talktime/store/wait.py": "wait_s = WAIT_MS_MAX / 1000\n",
    "src/talktime/gateways/x.py": "ID_BYTES_MAX = 3 * ID_TEXT_MAX\n",
    "src/talktime/console/home/x.py": "CALLS_SHOWN_MAX, LOOKED_AT_MAX = 6, 20\n",
    "src/talktime/console/cell/migrations/0001_initial.py": "a = 'CREATE TABLE x'\n" + "\n" * 500,
    "src/talktime/engine/lane.py": "import asyncio\nimport time\na = time.time() * 0.5\n",
    "src/talktime/cli/serve.py": "from talktime.console import asgi\nasync def main(): ...\n",
    "src/talktime/cli/words.py": "a = 'Create an organisation'\nb = 'Select a plan from it'\n",
    "src/talktime/console/views.py": "from talktime.clock import now_ms\n",
    "src/talktime/jobs/runner.py": "import talktime.providers.mail\n",
    "tests/test_x.py": "def test_a_b_c(monkeypatch):\n    monkeypatch.setenv('PORT', '0')\n",
    "docs/x.md": "GET /v1/calls, see https://contoso.example/home/page\n",
}


def test_what_the_rules_allow_is_left_alone(tmp_path):
    for path, text in KEPT.items():
        kept = tmp_path / path
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(text)
    assert breaches_in(tmp_path) == []


def test_an_empty_tree_keeps_the_rules(tmp_path):
    assert breaches_in(tmp_path) == []

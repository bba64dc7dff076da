"""The documentation is whole: nothing is missing in it, nothing it names is missing."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from docs.configuration import VARIABLES, variables_read
from docs.generate import commands, writers
from talktime.core.funding import TRANSFER_KINDS
from talktime.core.ledger import SYSTEM_ACCOUNTS
from talktime.core.refusal import REFUSALS
from talktime.gateways.http.openapi import OPERATIONS
from talktime.operations import check_directory
from talktime.operations.book_checks import CHECKS
from tests.docs.console import PROJECT
from tests.house.rules_for_files import FILE_RULES
from tests.house.rules_for_source import SOURCE_RULES
from tests.house.rules_for_tests import RULES_FOR_TESTS

FOLDERS = ("", "docs", "decisions", "bench", "changelog.d")
LINK = re.compile(r"\]\(([^()\s]+)\)")
# A path of the project in code marks: `core/money.py`, `tests/core/test_money.py::test_x`.
NAMED = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|toml|csv|svg)|(?:[\w.-]+/)+)(?:::(\w+))?`")
PLACES = ("", "src/talktime", "docs")
NOT_HERE = ("data/", "results.md", "ISSUE.KIND.md", "2.added.md")


def pages_in(folder: str) -> list[Path]:
    """The pages of a folder: those directly in the root, all below the others."""
    return sorted((PROJECT / folder).glob("**/*.md" if folder else "*.md"))


PAGES = [path for folder in FOLDERS for path in pages_in(folder) if path.name != "CHANGELOG.md"]
NAMES = [str(path.relative_to(PROJECT)) for path in PAGES]
WRITERS = writers()


def prose(text: str) -> str:
    """A page without what its fences hold."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


@cache
def anchors_of(path: Path) -> set[str]:
    """The places in a page that a link can lead to."""
    text = prose(path.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return {*plain, *re.findall(r'<a id="([^"]+)">', text)}


@pytest.mark.parametrize("name", [str(name) for name in WRITERS])
def test_a_page_that_follows_from_the_code_is_up_to_date(name: str) -> None:
    assert (PROJECT / name).read_text() == WRITERS[Path(name)](), "run `make docs`"


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_something(name: str) -> None:
    page = PROJECT / name
    for link in LINK.findall(prose(page.read_text())):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("name", NAMES)
def test_every_file_and_test_that_is_named_is_there(name: str) -> None:
    for path, inside in NAMED.findall(prose((PROJECT / name).read_text())):
        if path.endswith(NOT_HERE):
            continue
        found = [PROJECT / place / path for place in PLACES if (PROJECT / place / path).exists()]
        assert found, path
        if inside:
            assert f"def {inside}(" in found[0].read_text(), f"{path}::{inside}"


def test_every_refusal_is_documented() -> None:
    text = (PROJECT / "docs/reference/refusals.md").read_text()
    assert [code for code in REFUSALS if f'<a id="{code}"></a>' not in text] == []


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    assert set(VARIABLES) == variables_read()


def test_every_command_is_documented() -> None:
    text = (PROJECT / "docs/reference/cli.md").read_text()
    for words, _ in commands():
        assert f"\n## talktime {' '.join(words)}\n" in text


def test_every_endpoint_has_its_place() -> None:
    text = (PROJECT / "docs/reference/charging-api.md").read_text()
    for operation in OPERATIONS:
        assert f"`{operation.method.upper()} {operation.path}`" in text


def test_every_account_and_kind_of_transfer_is_documented() -> None:
    text = (PROJECT / "docs/reference/accounts.md").read_text()
    for number, account in SYSTEM_ACCOUNTS.items():
        assert f"| {number} | {account} |" in text
    kinds = {"usage", "overdraft", "debt_payment", "correction", "forfeiture"}
    for kind in kinds | set(TRANSFER_KINDS.values()):
        assert f"| `{kind}` |" in text


def test_every_metric_is_documented() -> None:
    counts = (PROJECT / "src/talktime/gateways/http/counts.py").read_text()
    text = (PROJECT / "docs/howto/watch.md").read_text()
    for metric in re.findall(r'"(talktime_\w+)"', counts):
        assert f"| `{metric}` |" in text


def test_every_warning_and_error_in_the_log_is_documented() -> None:
    text = (PROJECT / "docs/howto/watch.md").read_text()
    for path in (PROJECT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="log"), attr="warning" | "error" | "exception"
                    ),
                    args=[ast.Constant(value=str(event)), *_],
                ):
                    assert f"`{event}`" in text, f"{path.name}: {event}"


def test_of_every_check_of_the_books_it_is_said_where_to_look() -> None:
    page = (PROJECT / "docs/howto/when-the-books-do-not-hold.md").read_text()
    begins = tuple(re.findall(r"`([a-z]+_[a-z_]*)`", page))
    names = [*(each.name for each in CHECKS), check_directory.NAME]
    assert [name for name in names if not name.startswith(begins)] == []


def test_every_house_rule_is_explained_with_its_check() -> None:
    text = (PROJECT / "ARCHITECTURE.md").read_text()
    for rule in (*SOURCE_RULES, *RULES_FOR_TESTS, *FILE_RULES):
        assert f"`{rule.__name__}`" in text


def test_every_decision_is_listed_and_has_its_parts() -> None:
    decisions = PROJECT / "decisions"
    listed = (decisions / "README.md").read_text()
    for path in sorted(decisions.glob("[0-9]*.md")):
        text = path.read_text()
        assert f"]({path.name})" in listed
        for part in ("Context", "Decision", "Consequences", "Checked by"):
            assert f"\n## {part}\n" in text, f"{path.name}: {part}"


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    index = (PROJECT / "docs/README.md").read_text()
    for path in pages_in("docs"):
        name = path.relative_to(PROJECT / "docs").as_posix()
        assert name == "README.md" or f"]({name})" in index, name

"""The examples in docstrings and in docs/ run, and give what they say."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
LAYERS = ("core", "store", "operations", "engine")
MODULES = sorted(
    ".".join(path.relative_to(PROJECT / "src").with_suffix("").parts)
    for layer in LAYERS
    for path in (PROJECT / "src" / "talktime" / layer).glob("**/*.py")
    if path.name != "__init__.py"
)
PAGES = sorted(
    str(path.relative_to(PROJECT))
    for path in (*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"))
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page):
    # A fence would be read as part of the output it closes.
    text = re.sub(r"^```.*$", "", (PROJECT / page).read_text(), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    assert examples.examples
    assert doctest.DocTestRunner().run(examples).failed == 0

"""House rules for the tests themselves (rule 14). Each yields line and broken rule."""

import ast
import re
from collections.abc import Iterator

from tests.house.reading import Source

NAME_WORDS_MIN = 3
SLEEPS = {"time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep"}
LEFT_OUT = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip|flaky)")
RERUNS = re.compile(r"(pytest_rerunfailures|flaky)(\..*)?")
MOCKS = re.compile(r"(unittest\.mock|mock|pytest_mock)(\..*)?")
PATCHES = {"setattr", "delattr", "setitem", "delitem"}

Broken = Iterator[tuple[int, str]]


def tests_are_named_by_sentences(source: Source) -> Broken:
    """A test's name says what the code does: test_a_call_waits_until_its_wallet_is_free."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = node.name.removeprefix("test_").split("_")
            if node.name.startswith("test_") and len(words) < NAME_WORDS_MIN:
                yield node.lineno, f"rule 14: a test's name is a sentence, not {node.name}"


def tests_never_sleep(source: Source) -> Broken:
    """A test waits for what it means, not for time to pass."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and source.meaning_of(node.func) in SLEEPS:
            yield node.lineno, f"rule 14: no sleep ({source.meaning_of(node.func)})"


def no_test_is_left_out(source: Source) -> Broken:
    """No skip, no expected failure, no second try: a test passes or fails."""
    for node in source.nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            name = source.meaning_of(node)
            if LEFT_OUT.fullmatch(name):
                yield node.lineno, f"rule 14: no test is left out ({name})"
        if isinstance(node, ast.keyword) and node.arg == "reruns":
            yield node.value.lineno, "rule 14: no reruns"
    for line, name in source.imports:
        if RERUNS.fullmatch(name):
            yield line, f"rule 14: no reruns ({name})"


def own_code_is_not_mocked(source: Source) -> Broken:
    """Tests run the real code; only the environment and other people's code may be replaced."""
    for line, name in source.imports:
        if MOCKS.fullmatch(name):
            yield line, f"rule 14: the project's own code is not mocked ({name})"
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr=attr, value=patcher), args=[target, *_]) if (
                attr in PATCHES and _last_name(patcher).endswith(("monkeypatch", "patch"))
            ):
                name = _target_name(source, target)
                if name == "talktime" or name.startswith("talktime."):
                    rule = f"rule 14: the project's own code is not mocked ({attr} on {name})"
                    yield node.lineno, rule
            case ast.arg(arg="mocker"):
                yield node.lineno, "rule 14: the project's own code is not mocked (mocker)"


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _target_name(source: Source, node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return source.meaning_of(node)


RULES_FOR_TESTS = [
    tests_are_named_by_sentences,
    tests_never_sleep,
    no_test_is_left_out,
    own_code_is_not_mocked,
]

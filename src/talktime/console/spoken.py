"""What the rules, the operations and the jobs write themselves, collected for translation.

They write English with the values at hand: the details of refusals, the lines of a decision, the
errors of a file. Every text of prose in their sources is found here, an f-string as a template
whose `{name}` stands for a value; `console/said.py` finds the template again in what was written.
"""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import yaml

SAID = "said"
"""The context of these texts in the catalogues."""
PACKAGE = Path(__file__).parents[1]
FOLDERS = ("core", "operations", "engine", "providers", "jobs")
FILES = ("clock.py",)
ELSEWHERE = frozenset(
    {
        # Tables that are collected by themselves (console/refusals.py), or are no pages' words.
        *(
            "core/refusal.py",
            "core/refusal_money.py",
            "core/refusal_people.py",
            "core/notices.py",
        ),
        # Mail, notices and documents are written in each language by themselves.
        *("operations/notice_texts_de.py", "operations/notice_texts_en.py"),
        *("operations/account_texts_de.py", "operations/account_texts_en.py"),
        *("operations/notice_html.py", "operations/notice_said.py", "operations/notice_words.py"),
        *("operations/account_words.py", "operations/document_pdf.py"),
        *("operations/usage_documents.py", "operations/usage_export.py", "operations/statement.py"),
        *("operations/money_documents.py", "operations/documents.py"),
        # The demo's data, and what goes into logs alone.
        *("operations/seed_demo.py", "operations/seed_demo_money.py", "jobs/worker.py"),
        *("jobs/record.py", "jobs/runner.py", "engine/poller.py", "engine/connector.py"),
        *("engine/peer_cache.py", "engine/checkpoints.py", "jobs/provider_events.py"),
        *("engine/writer_process.py", "engine/writer_link.py"),
        *("engine/directory_cache.py", "engine/rate_cache.py", "core/outcomes.py"),
        *("operations/warn_of_expiry.py", "jobs/payments.py"),
    }
)
NOT_WRITTEN = frozenset(
    {
        # What is looked for in a file or an error, names of threads, a mail's sender.
        *("unexpected end of data", "field larger", "destination name", "destination type"),
        *("price / min", "send notices", "lane {name}", "reader {name}", "(a key)", "cell {cell}"),
        *("Talktime <{organisation_id}.notices.{domain}>", "control plane", "{parts} ahead"),
    }
)
READ_BY_PEOPLE = frozenset(
    {
        # Whose exceptions end up on a page.
        *("core/money.py", "operations/rate_file.py", "operations/user_file.py"),
        *(
            "operations/catalogue_file.py",
            "operations/csv_rows.py",
            "operations/till.py",
            "clock.py",
        ),
    }
)
LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE)\b")
FIELD = re.compile(r"\{(\w*)(?:![rsa])?(?::[^{}]*)?\}")
WORD = re.compile(r"(?<![\w./{_-])[a-zA-Z]?[a-z]+(?![\w/{_=-]|\.\w)")


def spoken() -> Iterator[tuple[str, str]]:
    """Every such text with the file it stands in."""
    folders = [sorted((PACKAGE / folder).rglob("*.py")) for folder in FOLDERS]
    for path in (*chain.from_iterable(folders), *(PACKAGE / name for name in FILES)):
        place = str(path.relative_to(PACKAGE))
        if place not in ELSEWHERE:
            texts = texts_of(path.read_text(), errors=place in READ_BY_PEOPLE)
            yield from ((place, text) for text in texts)
    yield from catalogue_names()


def texts_of(source: str, *, errors: bool) -> Iterator[str]:
    """The texts of one source; those of its exceptions only where people read them.

    >>> list(texts_of("x = f'there is no key {key.id}'", errors=False))
    ['there is no key {id}']
    """
    tree = ast.parse(source)
    passed_over = {id(node) for node in _passed_over(tree, errors=errors)}
    for node in ast.walk(tree):
        if id(node) not in passed_over:
            text = template(node)
            if is_prose(text):
                yield text


def template(node: ast.AST) -> str:
    """A text as a template; empty for what is none.

    >>> template(ast.parse("f'{a.name} has {len(b)} of ' + a.name").body[0].value)
    '{name} has {b} of {name2}'
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{{}}", "{ }")
    if not isinstance(node, ast.JoinedStr) and not _added(node):
        return ""
    text = ""
    used: list[str] = []
    for piece in _pieces(node):
        if isinstance(piece, ast.Constant):
            text += str(piece.value)
            continue
        name = _name(piece)
        used.append(name)
        times = used.count(name)
        text += f"{{{name}{times if times > 1 else ''}}}"
    return text


def _added(node: ast.AST) -> bool:
    """Whether texts are put together with a plus."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
        return False
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or _added(side)
        for side in (node.left, node.right)
    )


def _pieces(node: ast.AST) -> Iterator[ast.AST]:
    """Constants, and the expressions of values, as they follow each other in a text."""
    if isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield value.value if isinstance(value, ast.FormattedValue) else value
    elif isinstance(node, ast.BinOp) and _added(node):
        yield from _pieces(node.left)
        yield from _pieces(node.right)
    else:
        yield node


def is_prose(text: str) -> bool:
    """Whether a text says something, besides its values.

    >>> is_prose("{kind} {code}"), is_prose("lot.expiring/day {day}"), is_prose("no {kind}")
    (False, False, True)
    """
    if " " not in text.strip() or STATEMENT.match(text) or text in NOT_WRITTEN:
        return False
    return bool(WORD.search(FIELD.sub("{}", text)))


def catalogue_names() -> Iterator[tuple[str, str]]:
    """The names of the catalogue that comes with the service: licences, numbers by themselves."""
    seed = "catalogue_2026.yaml"
    catalogue: dict[str, object] = yaml.safe_load((PACKAGE / seed).read_text())
    for entries in catalogue.values():
        for entry in entries if isinstance(entries, list) else ():
            if " " in (name := str(entry.get("name", ""))):
                yield seed, name


def _passed_over(tree: ast.AST, *, errors: bool) -> Iterator[ast.AST]:
    """Docstrings, parts of f-strings, what goes to logs, what only programmers meet."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from (each for each in node.values if isinstance(each, ast.Constant))
        elif isinstance(node, ast.BinOp) and _added(node):
            yield from (side for side in (node.left, node.right) if template(side))
        elif isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            yield from ast.walk(node.format_spec)
        elif (
            isinstance(node, ast.Assert)
            or (isinstance(node, ast.Raise) and not errors)
            or (isinstance(node, ast.FunctionDef) and node.name == "__repr__")
        ):
            yield from ast.walk(node)
        elif isinstance(node, ast.Call):
            yield from _passed_over_of_call(node)


def _passed_over_of_call(call: ast.Call) -> Iterator[ast.AST]:
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in LOGS:
        yield from (each for given in call.args for each in ast.walk(given))
    for keyword in call.keywords:
        if keyword.arg == "name" and _name(function) in ("Thread", "create_task"):
            yield from ast.walk(keyword.value)


def _name(node: ast.AST) -> str:
    """What a value is called in a template: the last name in its expression."""
    match node:
        case ast.Name():
            return node.id.strip("_").lower()
        case ast.Attribute():
            return node.attr.strip("_").lower()
        case ast.Call(args=[first, *_]) if not isinstance(first, ast.Constant):
            return _name(first)
        case ast.Call():
            return _name(node.func)
        case ast.Subscript() | ast.Starred() | ast.Await():
            return _name(node.value)
        case ast.BinOp():
            return _name(node.left)
        case ast.BoolOp():
            return _name(node.values[0])
        case ast.IfExp():
            return _name(node.body)
        case ast.GeneratorExp() | ast.ListComp():
            return _name(node.elt)
    return "value"

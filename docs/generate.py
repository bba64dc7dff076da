"""Write the pages and tables of the documentation that follow from the code.

`make docs` runs it. A test compares what it would write with what is committed, so that no page
says what the code does not do.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer

from docs import (
    api_tables,
    audit_actions,
    catalogue_tables,
    configuration,
    diameter_tables,
    jobs,
    licensing,
    management_tables,
    rules,
    sandbox_tables,
    worked,
    worked_payers,
    worked_refunds,
)
from talktime.cli.app import app
from talktime.config import settings_from
from talktime.console.databases import set_up
from talktime.core import deliveries, limits
from talktime.core.notices import KINDS, ROLES, Kind
from talktime.core.refusal import REFUSALS
from talktime.operations import check_directory
from talktime.operations.book_checks import CHECKS

PROJECT = Path(__file__).parents[1]
REFERENCE = Path("docs/reference")
WRITTEN = "<!-- Written by `make docs` from {}. Change that, not this page. -->"
WORKED = re.compile(r"(<!-- worked: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

TABLES = {
    **worked.TABLES,
    **worked_payers.TABLES,
    **worked_refunds.TABLES,
    **api_tables.TABLES,
    **management_tables.TABLES,
    **catalogue_tables.TABLES,
    **sandbox_tables.TABLES,
    **diameter_tables.TABLES,
}


def main() -> None:
    """Write everything that differs; say what was written."""
    for path, text in written().items():
        target = PROJECT / path
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
            sys.stdout.write(f"written: {path}\n")


def written() -> dict[Path, str]:
    """Every page that follows from the code, whole or in parts, as it should be."""
    return {path: write() for path, write in writers().items()}


def writers() -> dict[Path, Callable[[], str]]:
    """What writes each of these pages."""
    pages: dict[Path, Callable[[], str]] = {REFERENCE / name: page for name, page in PAGES.items()}
    for path in sorted(PROJECT.glob("docs/**/*.md")) + sorted(PROJECT.glob("*.md")):
        text = path.read_text()
        if WORKED.search(text):
            pages[path.relative_to(PROJECT)] = partial(with_worked_tables, text)
    return pages


def with_worked_tables(text: str) -> str:
    """The page with each worked table as the code works it out now."""
    return WORKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def refusals() -> str:
    """Every refusal, in the order in which the first that fits is the answer."""
    rows = [
        (f'<a id="{code}"></a>`{code}`', kind.status, kind.title, kind.remedy, kind.who)
        for code, kind in REFUSALS.items()
    ]
    return f"""# Refusals

{WRITTEN.format("core/refusal.py")}

A refusal is an expected "no". Over HTTP it is an `application/problem+json` body whose `code` is
one of these and stays what it is; `detail` says what was wrong this time, `remedy` what to do,
`who` can do it. The shell prints the same and ends with exit code 1. Where several would fit, the
first in this table is the answer.

{table(("code", "status", "what it says", "what to do", "who"), rows)}

429 and 503 carry a `Retry-After` header: send the same request again, with the same sequence
number. Nothing is charged twice.
"""


def limit_lines() -> Iterator[tuple[str, str, str]]:
    """Each limit's heading in the source, its name, and what the comment beside it says."""
    heading = before = ""
    for line in Path(limits.__file__).read_text().splitlines():
        found = re.match(r"([A-Z_]+) = [^#]*(?:# (.*))?", line)
        if found:
            yield heading, found[1], found[2] or ""
        elif line.startswith("# ") and not before:
            heading = re.split("[.:]", line[2:])[0]
        before = line


def limits_page() -> str:
    """Every maximum."""
    parts = []
    for heading, lines in groupby(limit_lines(), key=lambda line: line[0]):
        rows = [(f"`{name}`", f"{getattr(limits, name):,}", words) for _, name, words in lines]
        parts.append(f"## {heading}\n\n{table(('limit', 'value', 'of what'), rows)}")
    body = "\n\n".join(parts)
    return f"""# Limits

{WRITTEN.format("core/limits.py")}

Whatever can grow has a maximum. A name ends in what it counts: `_MICROS` millionths of a currency's
unit, `_S` and `SECONDS` seconds, `_MS` milliseconds, `TEXT` characters, `BYTES` bytes.

{body}
"""


def cli() -> str:
    """Every command of the shell, with its arguments and options."""
    parts = []
    for words, command in commands():
        text = re.sub(r"\s*\n\s*(?=\S)", " ", command.help.replace("\n\n", "\0"))
        pieces = [word for word in (_usage(param) for param in command.params) if word]
        usage = " ".join(["talktime", *words, *pieces, "[OPTIONS]"])
        parts.append(
            f"## talktime {' '.join(words)}\n\n{_text(text)}\n\n    {usage}\n\n{_params(command)}"
        )
    body = "\n\n".join(parts)
    return f"""# The shell

{WRITTEN.format("cli/")}

Every command takes `--json` and then prints one JSON document; but `serve`, which goes on, and
`user export`, which prints a file. The exit code is 0; 1 where the command could not do what was
asked, with the reason on one line of stderr; 2 where it was called wrongly; 130 where Ctrl-C ended
it. Where it is 1, `--json` prints what was found wrong (`check-books`), the service's answer
(`call`), else `reason`, `code` (of a [refusal](refusals.md), or null) and `details`: a line for
each wrong row of a file. `talktime COMMAND --help` shows what stands here;
`talktime --install-completion` lets bash, zsh or fish complete commands and options.

The [environment](configuration.md) says which installation is meant. Times are dates
(`2026-01-31`, UTC) or moments (`2026-01-31T12:00:00Z`).

{body}
"""


def commands() -> list[tuple[list[str], Any]]:
    """Every command with the words that call it, in the order of the help."""
    found: list[tuple[list[str], Any]] = []
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        if inner is None:
            found.append(([name], command))
        else:
            found += [([name, each], below) for each, below in inner.items()]
    return found


def _text(text: str) -> str:
    return text.replace("\0", "\n\n").strip()


def _usage(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return f"{param.opts[0]} {param.metavar or 'TEXT'}" if param.required else ""


def _params(command: Any) -> str:
    rows = []
    for param in command.params:
        names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
        if param.param_type_name == "argument":
            names = f"`{param.metavar or param.name.upper()}`"
        default = param.default
        shown = "" if default in (None, "", False, 0) or param.required else f"`{default}`"
        if param.name == "json":
            continue
        rows.append((names, _text(param.help or ""), "required" if param.required else shown))
    return table(("", "what it is", "default"), rows) if rows else "It takes no options."


def tables() -> str:
    """Every table of the databases, column by column."""
    with TemporaryDirectory() as empty:
        set_up(settings_from({"TALKTIME_DATA": empty, "TALKTIME_SECRET_KEY": "x" * 32}))
    from talktime.console.cell import models as cell
    from talktime.console.control_plane import models as control_plane

    parts = []
    for heading, module in (("Each cell", cell), ("The control plane", control_plane)):
        parts.append(f"## {heading}")
        parts.append(" ".join((module.__doc__ or "").split()))
        parts += [_model(model) for model in _models(module)]
    body = "\n\n".join(parts)
    return f"""# Tables

{WRITTEN.format("console/cell/*models.py and console/control_plane/models.py")}

Names end in their unit: `_micros` are millionths of the organisation's currency, `_ms`
milliseconds since 1970 in UTC, `_s` seconds. Rows are written by the service alone; reading them is
welcome. A column that may be empty says "or none".

{body}
"""


def _models(module: Any) -> list[Any]:
    from django.db.models import Model

    home = module.__name__.rpartition(".")[0]
    found = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Model) and each.__module__.startswith(home)
    ]
    return sorted(found, key=lambda each: each.__module__ != module.__name__)


def _model(model: Any) -> str:
    meta, own = model._meta, model.__doc__ or ""
    about = "" if own.startswith(f"{model.__name__}(") else " ".join(own.split()) + "\n\n"
    rows = []
    for column in meta.local_concrete_fields:
        kind = {
            "CharField": f"text, at most {column.max_length}",
            "TextField": "text",
            "BooleanField": "yes or no",
            "IntegerField": "integer",
            "SmallIntegerField": "small integer",
            "DateTimeField": "timestamp",
        }.get(column.get_internal_type(), "64-bit integer")
        rows.append((f"`{column.column}`", kind + (" or none" if column.null else "")))
    rules = [f"`{each.name}`" for each in meta.constraints]
    indexes = [f"`{each.name}` ({', '.join(each.fields)})" for each in meta.indexes]
    key = ", ".join(f"`{column.column}`" for column in meta.pk_fields)
    lines = [f"Key: {key}."]
    lines += [f"Constraints: {', '.join(rules)}."] if rules else []
    lines += [f"Indexes: {', '.join(indexes)}."] if indexes else []
    return f"### {meta.db_table}\n\n{about}{table(('column', 'type'), rows)}\n\n" + "\n".join(lines)


def checks() -> str:
    """What check-books proves."""
    told = [(check.name, check.proves, check.table) for check in CHECKS]
    told.append((check_directory.NAME, check_directory.PROVES, check_directory.TABLE))
    rows = [(f"`{name}`", proves, f"`{table_name}`") for name, proves, table_name in told]
    return f"""# What check-books proves

{WRITTEN.format("operations/check_books.py and check_directory.py")}

`talktime check-books` reads one moment of each cell, without a lock, and proves every line of this
table. What does not hold is named, row by row, and the exit code is 1. What to do then:
[when the books do not hold](../howto/when-the-books-do-not-hold.md).

{table(("check", "what it proves", "over"), rows)}
"""


def notices() -> str:
    """Every kind of notice, who gets it, its facts."""
    rows = [
        (
            f'<a id="{kind.name}"></a>`{kind.name}`',
            kind.title,
            "everybody" if set(kind.roles) == set(ROLES) else ", ".join(kind.roles),
            "yes" if kind.to_programs else "",
            ", ".join(f"`{name}`{_may_lack(kind, name)}" for name in kind.facts),
        )
        for kind in KINDS.values()
    ]
    tries = ", ".join(_delay(seconds) for seconds in deliveries.WEBHOOK_DELAYS_S[1:])
    return f"""# Notices

{WRITTEN.format("core/notices.py and core/deliveries.py")}

What happens to an organisation's money is told to people by [mail](../howto/send-mail.md) and to
programs by [webhook](../howto/receive-webhooks.md). A notice is written in the transaction of what
happened, so neither is there without the other. A kind's name is the event's `type`, for good.

{table(("kind", "what happened", "mail to", "webhook", "facts"), rows)}

`admin` gets everything. Whoever has several roles gets one mail. Facts marked ° may be null. Names
that end in `_micros` are millionths of the unit of `currency`, `_ms` milliseconds since 1970, `_s`
seconds. In a webhook, ids (`_id`) are text, and `organisation_id` is among the facts.

## When it is tried again

A webhook that is not taken is tried again after {tries}, each delay up to a fifth longer. After
{len(deliveries.WEBHOOK_DELAYS_S)} tries it has failed; if the endpoint took nothing for three days,
it is disabled, and `admin` gets mail. 410 disables it at once.

Mail that the server puts off (4xx) is tried as often; what it refuses (5xx) has failed. While the
server cannot be reached at all, mail waits, and no try is counted.

## After a long downtime

Mail about something that has been overtaken (a low balance that is high again, an expiry of which a
later warning was sent) is dropped, with the reason, once it is an hour late. Mail that is more than
three days late is not sent one by one: each reader gets one digest. Webhooks are all sent.
"""


def _may_lack(kind: Kind, name: str) -> str:
    return "°" if name in kind.may_lack else ""


def _delay(seconds: int) -> str:
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


PAGES: dict[str, Callable[[], str]] = {
    "refusals.md": refusals,
    "configuration.md": configuration.page,
    "limits.md": limits_page,
    "cli.md": cli,
    "tables.md": tables,
    "checks.md": checks,
    "jobs.md": jobs.page,
    "notices.md": notices,
    "audit.md": audit_actions.page,
    "licensing.md": licensing.page,
    "rules.md": rules.page,
}

if __name__ == "__main__":
    os.chdir(PROJECT)
    main()

"""House rules for Python files, of the package above all. Each yields line and broken rule."""

import ast
import re
import sys
from collections.abc import Iterator

from tests.house.reading import Source

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
VAGUE_NAMES = {"utils", "util", "helpers", "common", "misc", "manager", "managers", "service"}

# What each layer may import of the package. `config` is for all but the core, `clock` for those
# that may fetch the time.
_BELOW_ENGINE = {"operations", "store", "core"}
MAY_IMPORT = {
    "core": {"core"},
    "store": {"store", "core"},
    "operations": _BELOW_ENGINE,
    "engine": {"engine", *_BELOW_ENGINE},
    "providers": {"providers", *_BELOW_ENGINE},
    "gateways": {"gateways", "engine", *_BELOW_ENGINE},
    "console": {"console", "engine", *_BELOW_ENGINE},
    "jobs": {"jobs", "providers", "engine", *_BELOW_ENGINE},
    "cli": {"cli", "console", "jobs", "gateways", "engine", *_BELOW_ENGINE},
    "config": {"config"},
    "clock": {"clock"},
}
ENTRY_POINTS = {"engine", "gateways", "console", "jobs", "cli"}
MONEY_LAYERS = {"core", "store", "operations"}
ROUNDINGS = "core/money.py"

NOT_IN_CORE = {
    *("asyncio", "concurrent", "contextvars", "ctypes", "fcntl", "fileinput", "glob", "http"),
    *("io", "logging", "mmap", "multiprocessing", "os", "pathlib", "queue", "random", "secrets"),
    *("select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess"),
    *("tempfile", "threading", "time", "urllib", "warnings"),
}
INPUT_AND_OUTPUT = {"breakpoint", "input", "open", "print"}

CLOCKS_AND_DICE = re.compile(
    r"(time\.(time|monotonic|perf_counter|process_time)(_ns)?|time\.(gmtime|localtime)"
    r"|uuid\.uuid[14]|os\.(urandom|getrandom)|random(\..+)?"
    r"|secrets\.(token_\w+|randbelow|randbits|choice|SystemRandom)"
    r"|.*\.(now|utcnow|today)|now|utcnow|get_random_string)"
)

ASYNC_PLACES = re.compile(
    r"(engine/.*|gateways/.*|cli/serve(/.*|\w*\.py)|console/(asgi|kept_threads|streaming)\.py)"
)
ASYNC_LIBRARIES = {"asyncio", "anyio", "trio", "uvloop"}

# The store; and what makes the schema: migrations, their triggers, the command that runs them.
SQL_PLACES = re.compile(r"(store/.*|console/((.*/)?migrations/.*|append_only\.py|migrate\.py))")
SQL = re.compile(
    r"\s*((SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE)\s"
    r"|(insert into|delete from|update \w+ set|alter table|drop table) "
    r"|create (or replace |unique |temp )?(table|index|trigger|schema|function|database|role) "
    r"|select [\w.*]+(, ?[\w.*]+)* from )"
)

# What makes the statements of many tables, once, from what the tables are: no value is in them.
STATEMENTS_MADE = re.compile(r"store/(tables|unsummed|ledger_days|wallet_hours)\.py")

# Maxima stand in the limits, where somebody outside meets them or memory grows up to them. With
# their code stay how many rows a page shows of what goes on behind a link, and these.
LIMITS = "core/limits.py"
LIMIT = re.compile(r"(.*_)?MAX")
OF_A_PAGE = re.compile(r"(.*_)?(SHOWN|DRAWN|LOOKED_AT)_MAX")
KEPT_WITH_THEIR_CODE = {
    # What a format, a protocol or somebody's service defines; no choice of this one's.
    *("core/ids.py ID_MAX", "core/money.py DECIMALS_MAX", "core/recharging.py SEND_AGAIN_MS_MAX"),
    *("gateways/diameter/codec.py CHARACTER_BYTES_MAX", "gateways/diameter/requests.py NUMBER_MAX"),
    *("gateways/radius/packets.py VALUE_BYTES_MAX", "operations/peers.py PORT_MAX"),
    *("operations/numbers.py COUNTRY_CODE_DIGITS_MAX", "operations/wording.py SHOWN_MS_MAX"),
    # How long a process waits for its own parts, its databases, its end.
    *("cli/replay_send.py PAUSE_S_MAX", "cli/serve_process.py ANSWER_S_MAX"),
    *("engine/connector.py VERSION_SECONDS_MAX", "engine/writer_link.py END_SECONDS_MAX"),
    *("engine/writer_process.py BEGIN_AGAIN_S_MAX", "gateways/diameter/gateway.py ANSWER_S_MAX"),
    *("gateways/radius/gateway.py STOP_S_MAX", "store/sqlite.py BUSY_MS_MAX"),
    *("jobs/notices.py BUSY_S_MAX", "jobs/payments.py BUSY_S_MAX"),
    *("store/postgres.py CONNECT_SECONDS_MAX", "store/postgres.py UNACKNOWLEDGED_MS_MAX"),
    # How it works: where one way gives way to another, and nobody is told less for it.
    *("console/said.py DEPTH_MAX", "core/deliveries.py JITTER_MAX"),
    *("gateways/http/connections.py LOOKS_MAX", "store/spelling.py STATEMENTS_PREPARED_MAX"),
    *("operations/find_users.py USERS_READ_MAX", "operations/licensing_table.py TOGETHER_MAX"),
}

MILLISECONDS = re.compile(r"(.*_)?(ms|MS)(_max|_MAX)?")
PATH_WORDS = re.compile(r"(.*_)?(path|folder|directory|dir|file|root|parent|BASE_DIR|[A-Z_]*DIR)")

Broken = Iterator[tuple[int, str]]


def files_and_functions_are_short_and_named_for_what_they_hold(source: Source) -> Broken:
    """Rule 1. Migrations are Django's to write: their length is not looked at."""
    for part in source.path.parts:
        if part.removesuffix(".py") in VAGUE_NAMES:
            yield 1, f"rule 1: a file is named for what it holds, not {part}"
    if source.is_migration:
        return
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield FILE_LINES_MAX, f"rule 1: {lines} lines in a file, at most {FILE_LINES_MAX}"
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                rule = f"rule 1: {node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"
                yield node.lineno, rule


def imports_point_one_way(source: Source) -> Broken:
    """Rule 2. The package's own imports go down the layers; only jobs know the providers."""
    layer = _of_config(source.layer)
    if layer not in MAY_IMPORT:
        return
    allowed = MAY_IMPORT[layer] | ({"config"} if layer != "core" else set())
    allowed |= {"clock"} if layer in ENTRY_POINTS else set()
    for line, name in source.imports:
        top, _, rest = name.partition(".")
        target = _of_config(rest.partition(".")[0])
        if top == "talktime" and target in MAY_IMPORT and target not in allowed:
            yield line, f"rule 2: {source.layer} imports talktime.{rest}"


def _of_config(layer: str) -> str:
    """`config` for its further files too: config_gateways, config_services."""
    return "config" if layer.startswith("config_") else layer


def core_is_pure(source: Source) -> Broken:
    """Rule 3. The core: the standard library and itself; no clock, I/O, logging or async."""
    if source.layer != "core":
        return
    for line, name in source.imports:
        top = name.partition(".")[0]
        if top not in {"talktime", *sys.stdlib_module_names}:
            yield line, f"rule 3: core imports {top}"
        elif top in NOT_IN_CORE:
            yield line, f"rule 3: core is pure, without {top}"
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in INPUT_AND_OUTPUT:
                yield node.lineno, f"rule 3: core is pure, without {name}()"
            case ast.Global():
                yield node.lineno, "rule 3: core keeps no state of its own (global)"


def money_is_whole_micros(source: Source) -> Broken:
    """Rule 4. No float, no bare division, no round() where money is decided and kept."""
    for node in source.nodes:
        match node:
            case (
                ast.BinOp(op=ast.Div(), left=left, right=right)
                | ast.AugAssign(op=ast.Div(), target=left, value=right)
            ):
                if _divides_wrongly(source, left, right):
                    yield node.lineno, "rule 4: no bare / on money; name the rounding"
            case ast.Constant(value=float()) if source.layer in MONEY_LAYERS:
                yield node.lineno, f"rule 4: no float ({node.value})"
            case ast.Name(id="float") if source.layer in MONEY_LAYERS:
                yield node.lineno, "rule 4: no float"
            case ast.Name(id="round") if source.layer in MONEY_LAYERS:
                if source.inside != ROUNDINGS:
                    yield node.lineno, "rule 4: no round(); name the rounding in core/money.py"


def _divides_wrongly(source: Source, left: ast.expr, right: ast.expr) -> bool:
    if not source.in_package or source.inside == ROUNDINGS:
        return False
    if source.layer == "core":
        return True
    if any(_last_name(side).endswith("micros") for side in (left, right)):
        return True
    if MILLISECONDS.fullmatch(_last_name(left)):
        return False
    return source.layer in MONEY_LAYERS and not _joins_a_path(left, right)


def _joins_a_path(left: ast.expr, right: ast.expr) -> bool:
    if isinstance(right, ast.JoinedStr):
        return True
    if isinstance(right, ast.Constant) and isinstance(right.value, str):
        return True
    return any(PATH_WORDS.fullmatch(_last_name(side)) for side in (left, right))


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=func):
            return _last_name(func).lower()
    return ""


def time_and_chance_are_arguments(source: Source) -> Broken:
    """Rule 9. Clocks and dice are read by entry points alone."""
    if source.layer not in MONEY_LAYERS:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and CLOCKS_AND_DICE.fullmatch(source.meaning_of(node.func)):
            name = source.meaning_of(node.func)
            yield node.lineno, f"rule 9: time and chance are handed in, not fetched ({name})"
    for line, name in source.imports:
        if CLOCKS_AND_DICE.fullmatch(name):
            yield line, f"rule 9: time and chance are handed in, not fetched ({name})"


def async_ends_at_the_engine(source: Source) -> Broken:
    """Section 3. No async below the socket."""
    if not source.in_package or ASYNC_PLACES.fullmatch(source.inside):
        return
    for line, name in source.imports:
        if name.partition(".")[0] in ASYNC_LIBRARIES:
            yield line, f"no async below the socket: {name}"
    for node in source.nodes:
        match node:
            case ast.AsyncFunctionDef(name=name):
                yield node.lineno, f"no async below the socket: async def {name}"
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield node.lineno, "no async below the socket"


def sql_lives_in_the_store(source: Source) -> Broken:
    """Rule 12. Statements are in store/ and in migrations alone; nothing is put into one."""
    if not source.in_package:
        return
    if source.layer == "store" and not STATEMENTS_MADE.fullmatch(source.inside):
        for node in source.nodes:
            if isinstance(node, ast.FunctionDef):
                for line in _statements_put_together(node):
                    yield line, "rule 12: SQL is constant text, its values are bound"
    if SQL_PLACES.fullmatch(source.inside):
        return
    for node in source.nodes:
        match node:
            case ast.Constant(value=str(text)) if SQL.match(text):
                yield node.lineno, f"rule 12: SQL outside store/ ({text.strip()[:30]!r})"


def _statements_put_together(function: ast.FunctionDef) -> Iterator[int]:
    for node in ast.walk(function):
        match node:
            case (
                ast.JoinedStr(values=[ast.Constant(value=str(text)), _, *_])
                | ast.BinOp(left=ast.Constant(value=str(text)))
                | ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"))
            ) if SQL.match(text):
                yield node.lineno


def maxima_stand_in_limits(source: Source) -> Broken:
    """Rule 10. What follows from another limit may stand where it is used; what the environment
    may hold, in the configuration."""
    if not source.in_package or source.inside == LIMITS or _of_config(source.layer) == "config":
        return
    for line, name in maxima_in(source):
        named = f"{source.inside} {name}"
        if not OF_A_PAGE.fullmatch(name) and named not in KEPT_WITH_THEIR_CODE:
            yield line, f"rule 10: a maximum is in core/limits.py ({name})"


def maxima_in(source: Source) -> Broken:
    """Line and name of the maxima that a module gives figures of its own."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and not any(
            isinstance(part, ast.Name) and LIMIT.fullmatch(part.id) for part in ast.walk(node.value)
        ):
            for part in (part for target in node.targets for part in ast.walk(target)):
                if isinstance(part, ast.Name) and LIMIT.fullmatch(part.id):
                    yield node.lineno, part.id


def public_functions_say_what_they_decide(source: Source) -> Broken:
    """Rule 13. Docstrings on public functions of core and operations."""
    if source.layer not in {"core", "operations"}:
        return
    for node in source.tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (
                not name.startswith("_") and not ast.get_docstring(node)
            ):
                yield node.lineno, f"rule 13: {name} has no docstring"


SOURCE_RULES = [
    files_and_functions_are_short_and_named_for_what_they_hold,
    imports_point_one_way,
    core_is_pure,
    money_is_whole_micros,
    time_and_chance_are_arguments,
    async_ends_at_the_engine,
    sql_lives_in_the_store,
    maxima_stand_in_limits,
    public_functions_say_what_they_decide,
]

"""Run the examples of the documentation as a reader would, and compare what they print.

A ```console block holds commands (`$ ...`, going on in the next line after a backslash or between
quotes) and what they print. All blocks of a page run in one shell, in a folder of its own, the
installation's `data` beside it. `<!-- examples: demo -->` in a page means that a demo serves while
it is read, `<!-- examples: data -->` that a demo's data is there. What differs from run to run
(times, ids, keys, ports) is compared by its kind alone.

`python -m tests.docs.console` writes into the pages what their examples print now.
"""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

PROJECT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSUMES = re.compile(r"<!-- examples: (demo|data) -->")
STARTS = ("make run", "talktime serve --demo")
ADDRESS = "127.0.0.1:8000"
PATIENCE_S = 60
NOTICES = 'talktime notices "Contoso Demo" --json'
TOLD_TRIES = 50
LIKE_CURL = Path(__file__).with_name("like_curl.py")

KINDS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\btt_[\w-]{43}"), "KEY"),
    (re.compile(r"\bwhsec_[\w+/]{43}="), "SECRET"),
    (re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])"), "PASSWORD"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "HEX"),
    (re.compile(r"(?<![\w-])[\w-]{32}(?![\w-])"), "SHARED"),
    (re.compile(r"\b\d{17,19}\b"), "ID"),
    (re.compile(r"in [\d,]+ ms|[\d,.]+ ms \(p\d+\)|in [\d.]+ s: [\d,]+ a second"), "DURATION"),
    (re.compile(r"[ \u2500]+"), " "),
)


class Example(NamedTuple):
    """One command, and the lines that it prints."""

    command: str
    printed: str


Printed = dict[Path, list[tuple[Example, str]] | Exception]
"""What the examples of each page print, or why they could not be run."""


def examples_of(block: str) -> list[Example]:
    """The commands of one block, each with what it prints."""
    found: list[list[str]] = []
    open_command = False
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif open_command:
            found[-1][0] += f"\n{line}"
        else:
            found[-1][1] += f"{line}\n"
        open_command = not found[-1][1] and _goes_on(found[-1][0])
    return [Example(*each) for each in found]


def _goes_on(command: str) -> bool:
    here = re.search(r"<<'(\w+)'", command)
    if here:
        return not command.endswith(f"\n{here[1]}")
    return command.endswith("\\") or command.count("'") % 2 == 1 or command.count('"') % 2 == 1


def pages() -> list[Path]:
    """The pages with examples."""
    places = sorted(PROJECT.glob("*.md")) + sorted(PROJECT.glob("docs/**/*.md"))
    return [path for path in places if BLOCK.search(path.read_text())]


def kinds(printed: str) -> str:
    """What was printed, with a word for whatever differs from run to run."""
    for pattern, word in KINDS:
        printed = pattern.sub(word, printed)
    return "\n".join(line.strip() for line in printed.strip().splitlines())


class Session:
    """One reader's shell and the service that runs beside it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._address = f"127.0.0.1:{port}"
        beside = folder / ".programs"
        beside.mkdir()
        (beside / "curl").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{LIKE_CURL}" "$@"\n')
        (beside / "curl").chmod(0o755)
        own = ("TALKTIME_", "DATABASE_URL", "HOST", "PORT", "COLUMNS")
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(own)},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:{beside}",
            "PORT": str(port),
            "TERM": "dumb",
        }
        self._service: subprocess.Popen[bytes] | None = None
        self._shell = subprocess.Popen(
            ["sh"],
            cwd=folder,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> str:
        """Run one command; what it printed."""
        if command in STARTS:
            return self.serve()
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        local = command.replace(ADDRESS, self._address)
        self._shell.stdin.write(f"{local}\nprintf '\\036%s\\n' $?\n")
        self._shell.stdin.flush()
        printed = ""
        overdue = threading.Timer(PATIENCE_S, self._shell.kill)
        overdue.start()
        while "\036" not in printed:
            line = self._shell.stdout.readline()
            assert line, f"the shell ended at {command!r}: {printed}"
            printed += line
        overdue.cancel()
        return printed.partition("\036")[0].replace(self._address, ADDRESS)

    def serve(self) -> str:
        """Start the demo as in a terminal; what it says until it is ready."""
        ours, terminal = pty.openpty()
        log = (self._folder / "log").open("wb")
        self._service = subprocess.Popen(
            [Path(sys.executable).with_name("talktime"), "serve", "--demo"],
            cwd=self._folder,
            env={**self._environ, "COLUMNS": "100"},
            stdout=terminal,
            stderr=log,
        )
        os.close(terminal)
        log.close()
        overdue = threading.Timer(PATIENCE_S, self._service.kill)
        overdue.start()
        printed = b""
        while b"\xe2\x95\xaf" not in printed:  # the last corner of the panel
            try:
                printed += os.read(ours, 4096)
            except OSError:
                break
        overdue.cancel()
        os.close(ours)
        said = printed.decode().replace("\r\n", "\n")
        assert "\u256f" in said, f"not ready: {said}{(self._folder / 'log').read_text()}"
        return said.replace(self._address, ADDRESS)

    def stop(self) -> None:
        """End the shell and the service."""
        self._shell.communicate()
        if self._service is not None:
            self._service.send_signal(signal.SIGINT)
            assert self._service.wait(PATIENCE_S) == 0, (self._folder / "log").read_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def session(template: Path | None, port: int, *, served: bool = False) -> Iterator[Session]:
    """A shell in a new folder, with a copy of a demo's data and the service where wanted."""
    with TemporaryDirectory(prefix="talktime-") as name:
        folder = Path(name)
        if template is not None:
            shutil.copytree(template, folder / "data")
        reader = Session(folder, port)
        try:
            if served:
                reader.serve()
            yield reader
        finally:
            reader.stop()


def demo_template(folder: Path) -> Path:
    """The data folder of a demo that was started, told its people all, and was stopped."""
    with session(None, free_port()) as reader:
        reader.serve()
        for _ in range(TOLD_TRIES):
            told = reader.run(NOTICES)
            if told.count('"state": "sent"') == told.count('"kind": '):
                break
        else:
            raise AssertionError(f"not told in time: {told}")
        shutil.copytree(reader._folder / "data", folder / "data")
    for leftover in (folder / "data").glob("*-shm"):
        leftover.unlink()
    return folder / "data"


def printed_now(path: Path, template: Path, port: int | None = None) -> list[tuple[Example, str]]:
    """Every example of a page with what it prints now."""
    text = path.read_text()
    found = [example for block in BLOCK.findall(text) for example in examples_of(block)]
    assumed = ASSUMES.search(text)
    served = assumed is not None and assumed[1] == "demo"
    with session(template if assumed else None, port or free_port(), served=served) as reader:
        return [(example, reader.run(example.command)) for example in found]


def all_printed_now(template: Path) -> Printed:
    """The same for every page, two at a time; or why one could not be run."""

    def run(path: Path) -> list[tuple[Example, str]] | Exception:
        try:
            return printed_now(path, template)
        except Exception as error:  # noqa: BLE001 - it is the page's result
            return error

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(pages(), pool.map(run, pages()), strict=True))


def rewritten(text: str, printed: list[tuple[Example, str]]) -> str:
    """The page with what its examples print now, where that is of another kind than before."""
    left = iter(printed)

    def block(found: re.Match[str]) -> str:
        lines = []
        for example in examples_of(found[1]):
            _, now = next(left)
            same = kinds(now) == kinds(example.printed)
            shown = example.printed if same else "\n".join(x.rstrip() for x in now.splitlines())
            lines += [f"$ {example.command}", *([shown.rstrip("\n")] if shown.strip() else [])]
        return "```console\n" + "\n".join(lines) + "\n```"

    return BLOCK.sub(block, text)


def main() -> None:
    """Rewrite the pages named in the arguments, or all."""
    chosen = [PROJECT / name for name in sys.argv[1:]] or pages()
    with TemporaryDirectory() as folder:
        template = demo_template(Path(folder))
        for path in chosen:
            # Where it can be had, the port of the pages: their frames then fit.
            text = path.read_text()
            path.write_text(rewritten(text, printed_now(path, template, 8000)))


if __name__ == "__main__":
    main()

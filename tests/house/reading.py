"""Reads the project's files for the house rules: which layer each is in, what its names mean."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

PACKAGE = "src/talktime"
PYTHON_FOLDERS = (PACKAGE, "tests", "bench")


@dataclass(frozen=True)
class Breach:
    """One place where a rule is broken."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the root, and its text."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def in_package(self) -> bool:
        return self.path.is_relative_to(PACKAGE)

    @property
    def layer(self) -> str:
        """`core`, `store`, … for the package's files (`cli` for cli.py as well), else ''."""
        if not self.in_package:
            return ""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @property
    def inside(self) -> str:
        """The path below the package: `console/cell/models.py`."""
        return str(self.path.relative_to(PACKAGE)) if self.in_package else ""

    @property
    def is_migration(self) -> bool:
        return self.layer == "console" and "migrations" in self.path.parts

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """Line and full dotted name of everything imported, relative imports resolved."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._base_of(node)
                found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        return found

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported local name stands for: `{"now": "time.time"}`."""
        meaning = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    meaning[local] = alias.name if alias.asname else local
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    meaning[alias.asname or alias.name] = f"{self._base_of(node)}.{alias.name}"
        return meaning

    def _base_of(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = PurePosixPath(str(self.path).removeprefix("src/")).parts[: -node.level]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def meaning_of(self, node: ast.expr) -> str:
        """The full dotted name an expression refers to, as far as imports tell: `time.time`."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.meaning_of(node.value)}.{node.attr}"
        return ""


def python_sources(root: Path) -> list[Source]:
    """All Python files of the project below `root`, the house rules' own tests included."""
    return [
        Source(PurePosixPath(path.relative_to(root)), path.read_text("utf-8"))
        for folder in PYTHON_FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
    ]


def committed_texts(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of every file that is or would be committed; binary files are left out."""
    for path in _committed_paths(root):
        try:
            yield path, (root / path).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def _committed_paths(root: Path) -> list[str]:
    if (root / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        return sorted({path for path in listed.stdout.split("\0") if path})
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and not {".venv", "__pycache__"} & set(path.parts)
    )

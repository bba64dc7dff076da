"""House rules for every committed file, whatever it holds. Each yields line and broken rule.

The patterns are put together from pieces, so that this file does not break its own rules.
"""

import re
from collections.abc import Iterator

from tests.house.rules_for_source import FILE_LINES_MAX

_REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "yarn" + "pkg.com",
    "cra" + "tes.io",
    "proxy.go" + "lang.org",
    "maven." + "org",
    "maven.apache" + ".org",
    "deb.debian" + ".org",
    "security.debian" + ".org",
    "archive.ubuntu" + ".com",
    "docker" + ".io",
    "ghcr" + ".io",
    "quay" + ".io",
]
REGISTRY = re.compile("|".join(re.escape(host) for host in _REGISTRIES), re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.\-/])/(root|wo" + r"rk|ho" + r"me/\w+|Use" + r"rs/\w+)/")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
LOCK_ADDRESS = re.compile(r"://|index-url|find-links|trusted-host")

Broken = Iterator[tuple[int, str]]


def no_registry_is_named(path: str, line: str) -> str:
    """Where packages come from is the installing machine's affair."""
    found = REGISTRY.search(line)
    return f"no registry's host in a committed file ({found[0]})" if found else ""


def no_path_of_one_machine(path: str, line: str) -> str:
    """A committed file holds on every machine."""
    found = MACHINE_PATH.search(line)
    return f"no path of one machine in a committed file ({found[0]})" if found else ""


def nothing_is_left_unfinished(path: str, line: str) -> str:
    """What is to be done is an issue, not a comment."""
    found = UNFINISHED.search(line)
    return f"what is to be done is an issue, not a note ({found[0]})" if found else ""


def lock_files_hold_no_address(path: str, line: str) -> str:
    """A lock file names versions and hashes, no place to fetch them from."""
    found = LOCK_ADDRESS.search(line) if path.endswith(".lock") else None
    return f"no address in a lock file ({found[0]})" if found else ""


FILE_RULES = [
    no_registry_is_named,
    no_path_of_one_machine,
    nothing_is_left_unfinished,
    lock_files_hold_no_address,
]


def broken_in_text(path: str, text: str) -> Broken:
    """Every line of a committed file against every rule for files."""
    for number, line in enumerate(text.splitlines(), start=1):
        if number > FILE_LINES_MAX and path.startswith("examples/"):
            yield number, f"an example has at most {FILE_LINES_MAX} lines"
            return
        for rule in FILE_RULES:
            broken = rule(path, line)
            if broken:
                yield number, broken

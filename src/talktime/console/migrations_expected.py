"""Which migrations this code expects in its databases, read from the file names. No Django."""

from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["control_plane", "cell"]


@cache
def expected_migrations(kind: Kind) -> frozenset[tuple[str, str]]:
    """The (app, name) rows of table `django_migrations` that a database of this kind must hold.

    Rows of these apps beyond them mean that the database is of a newer version than the code.
    """
    folder = Path(__file__).parent / kind / "migrations"
    return frozenset((kind, path.stem) for path in folder.glob("[0-9]*.py"))

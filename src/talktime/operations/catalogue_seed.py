"""The catalogue that a new installation begins with. Its file is never edited: what is to be
otherwise later is a migration of its own, or an operator's import."""

from functools import cache
from pathlib import Path

from talktime.core.catalogue import Entry
from talktime.operations.catalogue_file import BadCatalogueFile, read_catalogue_file

SEED_FILE = Path(__file__).parents[1] / "catalogue_2026.yaml"
SEED_FROM_MS = 0
"""From when on the seed holds, but for what in it begins later: calls of any time find it."""


def seed_entries() -> list[Entry]:
    """The entries of the seed, in the order of its file."""
    return list(_seed())


@cache
def _seed() -> tuple[Entry, ...]:
    entries = read_catalogue_file(SEED_FILE.read_bytes(), valid_from_ms=SEED_FROM_MS)
    if isinstance(entries, BadCatalogueFile):
        raise ValueError(f"{SEED_FILE.name}: {entries.errors}")
    return tuple(entries)

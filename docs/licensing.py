"""The page that says which licences are needed for what, as operations/licensing_table finds it."""

from talktime.core.catalogue import Catalogues
from talktime.core.directory import RESOURCE_ACCOUNT
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.licensing_table import PAYERS, Row, Way, licensing_table

COUNTRY, AT_MS = "US", 1_795_428_000_000  # in November 2026


def rows_found() -> list[Row]:
    """The table for a user in the United States, with the catalogue that is seeded."""
    found = licensing_table(Catalogues(seed_entries()), COUNTRY, AT_MS)
    assert isinstance(found, list)
    return found


def page() -> str:
    """Each feature with the smallest sets of licences for it."""
    rows = [
        f"| {row.feature.name if way is row.ways[0] else ''} | {licences(way)} | "
        f"{PAYERS[way.paid_by]} |"
        for row in rows_found()
        for way in row.ways
    ]
    body = "\n".join(["| to | one licence of each | paid by |", "|---|---|---|", *rows])
    accounts = ", ".join(
        f'"{row.feature.name}"' for row in rows_found() if row.feature.kind == RESOURCE_ACCOUNT
    )
    return f"""# Which licences for what

<!-- Written by `make docs` from operations/licensing_table.py. Change that, not this page. -->

Found by trying: for each line a call is made up, and decided as a switch's would be with each small
set of the [licences](licences.md) that are seeded. These are the smallest sets with which it is
granted to a user in the United States, whose organisation pays before use and has credits.
`talktime licensing` prints the same for the catalogue of an installation, and for any country.

{body}

A resource account's are the licences for {accounts}. Calls that do not reach the telephone network,
and those of other carriers, do not come here and need none of these licences. A bundle stands for
what comes with it.
"""


def licences(way: Way) -> str:
    """The choices of one way."""
    choices = [" or ".join(f"`{code}`" for code in choice) for choice in way.choices]
    return "; and ".join(choices) or "none"

"""Who is who, at size: a million users read into the memory of a process, and a file of ten
thousand users imported."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from bench.growth import resident_bytes
from bench.installations import cell, clock_ms
from talktime.cli.serve_tuning import collect_seldom
from talktime.config import Address, Settings
from talktime.core.catalogue import Catalogues
from talktime.core.directory import Organisation, User
from talktime.core.ids import Ids
from talktime.engine.directory_cache import DirectoryCache
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.csv_rows import RowErrors
from talktime.operations.user_file import read_user_file
from talktime.operations.users import UsersWritten, put_users
from talktime.store.database import connect
from talktime.store.users import insert_users

USERS, ORGANISATIONS, AT_ONCE = 1_000_000, 1_000, 10_000
IMPORTED = 10_000
LOCATIONS = ("US", "NO", "GB", "DE", "FR")
LICENCES = (
    frozenset({"MCOEV", "MCOPSTN1", "MCOPSTNC"}),
    frozenset({"MCOEV", "MCOPSTN_PAYG_1", "MCOPSTNC"}),
    frozenset({"ENTERPRISEPREMIUM", "MCOPSTN2"}),
    frozenset({"MCOMEETADV"}),
)


def fill(settings: Settings) -> None:
    """A million users in a cell, a transaction for some thousands."""
    with closing(cell(settings)) as connection:
        remaining = _users()
        while chunk := list(islice(remaining, AT_ONCE)):
            with connection.transaction():
                insert_users(connection, chunk)


def load(settings: Settings) -> tuple[float, float]:
    """The seconds in which a new process reads them all, and the MiB by which it grows."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, mebibytes = pool.apply(_load, (settings.cells["main"],))
    return seconds, mebibytes


def import_seconds(settings: Settings, organisation_id: int) -> float:
    """The seconds in which a file of ten thousand new users is read and written."""
    owner = Organisation(
        organisation_id, "bench", "main", "USD", "UTC", "US", "prepaid", True, "standard"
    )
    lines = ["name,display_name,usage_location,licences,spend_limit"]
    lines += [
        f"desk-{n}@{organisation_id}.example,Front desk {n},US,MCOEV MCOPSTN1 MCOPSTNC,25.50"
        for n in range(IMPORTED)
    ]
    content = "\n".join(lines).encode()
    catalogue = Catalogues(seed_entries()).in_force(clock_ms())
    began = time.perf_counter()
    errors = RowErrors()
    rows = read_user_file(content, errors)
    with closing(cell(settings)) as connection, connection.transaction():
        next_id = Ids(1, clock_ms).next
        written = put_users(connection, owner, rows, errors, catalogue=catalogue, next_id=next_id)
    took = time.perf_counter() - began
    assert written == UsersWritten(IMPORTED, 0, 0, False)
    return took


def _users() -> Iterator[User]:
    for n in range(USERS):
        name = f"front-desk-{n:07}@contoso-{n % ORGANISATIONS}.example"
        yield User(
            *(10**15 + n, 10**15 + n % ORGANISATIONS, name, f"Front desk {n}"),
            *(LOCATIONS[n % 5], LICENCES[n // 7 % 4], "person", True),
        )


def _load(address: Address) -> tuple[float, float]:
    collect_seldom()
    cache = DirectoryCache(["main"])
    # Not its peak: a new process is told its parent's.
    before = resident_bytes(os.getpid())
    began = time.perf_counter()
    with closing(connect(address)) as connection, connection.reading():
        cache.refresh_users("main", connection)
    took = time.perf_counter() - began
    assert len(cache.directory) >= USERS
    return took, (resident_bytes(os.getpid()) - before) / 2**20

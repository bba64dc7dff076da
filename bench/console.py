"""Pages of the console with a million usage records in one organisation: how long a browser on the
same machine waits for each, beside the same page of an organisation with a hundred.

They are asked of a console that was started as it is in production, in a process of its own, one
after the other over one connection; so the threads and database connections of each request count,
and how the interpreter is set up (of a process that leaves that to Python, one request in thirty
waits 100 ms for the collector of garbage)."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from multiprocessing import get_context
from statistics import quantiles
from typing import NamedTuple

import psycopg

from bench.http import organisation
from bench.installations import cell, clock_ms
from talktime.config import Settings
from talktime.core.directory import User
from talktime.core.ids import COUNTER_BITS, EPOCH_MS, NODE_BITS, Ids
from talktime.core.meters import month_of
from talktime.core.rating import Rate, billed_seconds, price_micros
from talktime.operations.sum_usage import sum_usage
from talktime.operations.sweep import Sweep
from talktime.operations.what_to_sum import LAG_MS
from talktime.store.database import Connection, Row, connect
from talktime.store.organisations import insert_organisation, insert_wallet
from talktime.store.tables import USAGE_RECORD
from talktime.store.users import insert_users

RECORDS, FEW = 1_000_000, 100
DAYS, USERS, BATCH = 90, 1_000, 5_000
DAY_MS = 86_400_000
ASKED, WARM = 60, 2
"""Requests of each page that are measured, and before them. The p95 of 20 would be the slowest."""
FULL, SMALL = 1, 2
COUNTRIES = ("49", "44", "33", "47", "46", "45", "34", "39", "31", "1212", "1787", "61", "81", "55")
KINDS = (
    *(("user_out", "MCOPSTNPP"),) * 5,
    *(("user_out", "MCOPSTN1"),) * 8,
    *(("user_in", "MCOPSTN1"),) * 5,
    *(("conf_out", "MCOMEETADD"),) * 2,
    ("ucap_in", "MCOEV_VIRTUALUSER"),
)
RARE = "+354"
"""A country that one record in ten thousand is of."""


class Page(NamedTuple):
    """A page that is measured: its name, and its address within an organisation."""

    name: str
    path: str


PAGES = (
    Page("usage, 28 days", "usage/?range=28"),
    Page("usage, a year by user", "usage/?{year}&chart=user&measure=charge"),
    Page("usage, a year by country", "usage/?{year}&chart=country"),
    Page("usage, of one user", "usage/?{year}&user=user7@1.example"),
    Page("usage, of one country", "usage/?{year}&country=PR"),
    Page("usage, of a rare country", "usage/?{year}&country=IS"),
    Page(
        "usage, international by credits",
        "usage/?{year}&context=International&capability=MCOPSTNPP",
    ),
    Page("usage, of one number", "usage/?{year}&number=%2B493000000007"),
    Page("usage, an old page", "usage/?{year}&before={old}.0"),
    Page("dial-out from meetings", "usage/dial-out/?{year}"),
    Page("minute pools", "usage/pools/"),
    Page("a call", "calls/{call}/"),
)


def fill(settings: Settings, records: int = RECORDS, days: int = DAYS) -> None:
    """An organisation with so many records in the last days, and one with a hundred; all summed."""
    now_ms = clock_ms()
    with closing(connect(settings.control_plane)) as control, control.transaction():
        for owner in (FULL, SMALL):
            insert_organisation(control, organisation(owner), now_ms)
    with closing(cell(settings)) as connection:
        for owner, count in ((FULL, records), (SMALL, FEW)):
            with connection.transaction():
                insert_wallet(connection, owner, "USD")
                insert_users(connection, users_of(owner))
            for rows in record_rows(owner, count, now_ms, days):
                with connection.transaction():
                    connection.write_all([(USAGE_RECORD.insert(), rows)])


def analyse(settings: Settings) -> None:
    """Have PostgreSQL look at the tables now, as it does by itself before long."""
    address = settings.cells["main"]
    if address.dialect == "postgres":
        with psycopg.connect(address.url or "", autocommit=True) as connection:
            for table in ("usage_record", "usage_day", "usage_user", "person"):
                connection.execute(f'ANALYZE "{address.schema}"."{table}"')


def sum_up(settings: Settings) -> float:
    """Add all records up; returns how many a second."""
    began, summed = time.perf_counter(), 0
    with closing(cell(settings)) as connection, closing(connect(settings.control_plane)) as control:
        sweep = Sweep(
            connection,
            lambda: clock_ms() + 2 * LAG_MS,
            Ids(3, clock_ms).next,
            control=lambda: control,
        )
        while rows := sum_usage(sweep).rows:
            summed += rows
    return summed / (time.perf_counter() - began)


def users_of(owner: int) -> list[User]:
    """The users of an organisation."""
    licences = frozenset({"MCOPSTNC", "MCOPSTN1", "MCOEV", "MCOMEETADV"})
    return [
        User(
            *(user_id(owner, n), owner, f"user{n}@{owner}.example", f"Desk {n}", "US", licences),
            *("person", True),
        )
        for n in range(USERS)
    ]


def user_id(owner: int, number: int) -> int:
    """The id of an organisation's user."""
    return owner * 1_000_000 + number


def record_rows(owner: int, count: int, now_ms: int, days: int) -> Iterator[list[Row]]:
    """Records that end one after the other until now, in batches."""
    chance = random.Random(owner)
    first_ms = max(now_ms - days * DAY_MS, EPOCH_MS + 100)
    step = (now_ms - first_ms) / count
    rows: list[Row] = []
    for number in range(count):
        rows.append(record_row(chance, owner, number, int(first_ms + step * number)))
        if len(rows) == BATCH:
            yield rows
            rows = []
    if rows:
        yield rows


def record_row(chance: random.Random, owner: int, number: int, ended_ms: int) -> Row:
    """One record; its id is what an engine would have given it then."""
    type_, capability = chance.choice(KINDS)
    prefix = RARE[1:] if number % 10_000 == 0 else chance.choice(COUNTRIES)
    rate = Rate(prefix, f"Country {prefix}", 15_000, 20_000 if prefix == "44" else 0, 60, 60)
    used_s = chance.randrange(5, 600)
    billed_s = billed_seconds(used_s, rate)
    charge_micros = price_micros(billed_s, rate) if capability == "MCOPSTNPP" else 0
    pool_s = 0 if charge_micros or type_ == "user_in" else billed_s
    ours = f"1425555{number % USERS:04}"
    theirs = f"{prefix}3{number % 100_000_000:08}"[:12]
    inbound = type_.endswith("_in")
    id_ = (ended_ms - EPOCH_MS << NODE_BITS + COUNTER_BITS) | owner << COUNTER_BITS | number % 4096
    user = None if type_ == "ucap_in" else user_id(owner, chance.randrange(USERS))
    started_ms = ended_ms - used_s * 1000
    return (
        *(id_, owner, id_, 1, f"call {owner} {number}", "call", type_, user),
        *((theirs, ours) if inbound else (ours, theirs)),
        *(rate.destination, prefix, rate.text(), "USD", started_ms, ended_ms, used_s, billed_s),
        *(rate.fee_micros if charge_micros else 0, charge_micros, "normal", capability),
        *(month_of(started_ms), f"{month_of(started_ms)}/minutes/P/US/domestic" if pool_s else ""),
        *(pool_s, 0, "", "[]", '["worked out"]'),
    )


class Served(NamedTuple):
    """How long a page took, in ms, and how large it is."""

    median_ms: float
    p95_ms: float
    kilobytes: float


def measured(settings: Settings, port: int, owner: int, asked: int = ASKED) -> dict[str, Served]:
    """How long the console at this port takes for each page of an organisation, by its name."""
    headers = {"Cookie": signed_in(settings, owner)}
    found = {}
    with closing(HTTPConnection("127.0.0.1", port)) as browser:
        for page in PAGES:
            path = f"/organisations/{owner}/{addressed(settings, owner, page.path)}"
            times_ms, size = [], 0
            for turn in range(WARM + asked):
                began = time.perf_counter()
                browser.request("GET", path, headers=headers)
                response = browser.getresponse()
                size = len(response.read())
                took_ms = (time.perf_counter() - began) * 1000
                if response.status != 200:
                    raise RuntimeError(f"{path}: {response.status}")
                if turn >= WARM:
                    times_ms.append(took_ms)
            cuts = quantiles(times_ms, n=20)
            found[page.name] = Served(cuts[9], cuts[18], size / 1024)
    return found


def addressed(settings: Settings, owner: int, path: str) -> str:
    """A page's address, for records that there are."""
    now_ms = clock_ms()
    year = f"range=custom&first={day_text(now_ms - 330 * DAY_MS)}&last={day_text(now_ms)}"
    with closing(cell(settings)) as connection, connection.reading():
        call = newest(connection, owner)
    old_ms = now_ms - DAYS * DAY_MS // 2
    text = path.replace("{year}", year).replace("{call}", str(call))
    return text.replace("{old}", str(old_ms)).replace("@1.", f"@{owner}.")


def newest(connection: Connection, owner: int) -> int:
    """The id of an organisation's newest record."""
    statement = (
        "SELECT id FROM usage_record WHERE organisation_id = ? ORDER BY started_ms DESC LIMIT 1"
    )
    return int(connection.rows(statement, [owner])[0][0])


def day_text(at_ms: int) -> str:
    """The UTC day of a moment."""
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms // 1000))


def signed_in(settings: Settings, owner: int) -> str:
    """The cookie of an admin of the organisation who has signed in: made in a process of its own,
    for Django serves one installation in each."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_sign_in, settings, owner).result()


def _sign_in(settings: Settings, owner: int) -> str:
    from talktime.console.databases import set_up

    set_up(settings)
    from django.test import Client

    from talktime.console.accounts import create_admin
    from talktime.console.control_plane.models import Account

    account_id = create_admin(f"admin@{owner}.example", "seven green bottles", owner)
    client = Client(SERVER_NAME="localhost")
    client.force_login(Account.objects.get(id=account_id))
    [cookie] = client.cookies.values()
    return f"{cookie.key}={cookie.value}"

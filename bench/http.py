"""The service over HTTP: servers to measure, and the load sent to them from another process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TypeVar

from bench.installations import PLENTY_MICROS, TALKTIME, add_wallets, cell, clock_ms
from bench.load import Load, Measured, caller
from talktime.config import Settings
from talktime.core.directory import NO_RULES, CallingRules, NumberEntry, Organisation, User
from talktime.core.ids import Ids
from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.import_rates import import_rates
from talktime.operations.keys import create_key, create_switch
from talktime.store.database import Connection, connect
from talktime.store.numbers import insert_numbers
from talktime.store.organisations import insert_organisation
from talktime.store.users import insert_users

START_SECONDS_MAX = 120
GERMANY = RateRow("outbound", Rate("49", "Germany", 15_000, 0, 60, 60), 0)
Value = TypeVar("Value")


RULES = CallingRules(
    policy="DialoutCPCandPSTNInternational",
    allowed_countries=frozenset({"US", "CA", "DE", "GB", "FR"}),
    blocked_countries=frozenset({"RU"}),
    spend_limit_micros=PLENTY_MICROS,
)


def populate(settings: Settings, wallets: int, *, gated: bool = False) -> str:
    """Organisations 1 to `wallets`, each with a funded wallet, a user and a number; returns a
    switch's key. `gated` with rules, and a plan whose minutes pay for calls abroad."""
    everyone = range(1, wallets + 1)
    licences = frozenset({"MCOPSTNC", "MCOPSTN2" if gated else "MCOPSTN1", "MCOEV"})
    users = [
        User(o, o, f"desk@{o}.example", "Front desk", "US", licences, "person", True)
        for o in everyone
    ]
    rules = RULES if gated else NO_RULES
    with closing(cell(settings)) as connection:
        add_wallets(connection, list(everyone))
        with connection.transaction():
            insert_users(connection, users)
    with closing(connect(settings.control_plane)) as control:
        with control.transaction():
            for o in everyone:
                insert_organisation(control, organisation(o)._replace(rules=rules), clock_ms())
            insert_numbers(control, [NumberEntry(caller(o)[1:], o, o, "user") for o in everyone])
            publish(control, [GERMANY], 0)
        with control.transaction():
            return key_of_a_switch(control)


def organisation(number: int) -> Organisation:
    """One of the organisations."""
    name = f"Organisation {number}"
    return Organisation(number, name, "main", "USD", "UTC", "US", "prepaid", True, "standard")


def key_of_a_switch(control: Connection) -> str:
    """A new switch's key, in the caller's transaction."""
    ids, now_ms = Ids(0, clock_ms), clock_ms()
    switch = made(
        create_switch(control, name="bench", operator="bench", now_ms=now_ms, next_id=ids.next)
    )
    key = create_key(
        control, switch, name="bench", now_ms=now_ms, next_id=ids.next, entropy=bytes(32)
    )
    return made(key).text


def publish(control: Connection, rows: list[RateRow], valid_from_ms: int) -> None:
    """Publish the card that all organisations use, in the caller's transaction."""
    made(
        import_rates(
            control,
            rows,
            name="standard",
            currency="USD",
            source="bench",
            valid_from_ms=valid_from_ms,
            now_ms=clock_ms(),
            next_id=Ids(1, clock_ms).next,
        )
    )


def made(value: Value | Refusal) -> Value:
    """What was made; RuntimeError where it was refused."""
    if isinstance(value, Refusal):
        raise RuntimeError(value.detail)
    return value


@contextmanager
def server(
    arguments: list[str], environment: dict[str, str], path: str
) -> Iterator[tuple[int, int]]:
    """A server process in the background, once `path` answers 200: its port and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*arguments, str(port)], env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}{path}")
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    """Ask until the server answers; RuntimeError where it ends or takes too long."""
    give_up_at = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer")


@contextmanager
def service_with_pid(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The engine's HTTP service, alone in its process: its port and its process id."""
    arguments = [TALKTIME, "serve", "--only", "engine", "--port"]
    with server(arguments, environment, "/readyz") as found:
        yield found


@contextmanager
def service(environment: dict[str, str]) -> Iterator[int]:
    """The engine's HTTP service, alone in its process: its port."""
    with service_with_pid(environment) as (port, _):
        yield port


@contextmanager
def pages(environment: dict[str, str]) -> Iterator[int]:
    """The console, alone in its process: its port."""
    with server([TALKTIME, "serve", "--only", "console", "--port"], environment, "/") as (port, _):
        yield port


@contextmanager
def echo() -> Iterator[int]:
    """The bare echo under the same server: its port."""
    with server([sys.executable, "-m", "bench.echo"], {}, "/") as (port, _):
        yield port


def measure(load: Load) -> Measured:
    """Send a load from a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.load", json.dumps(asdict(load))],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if ran.returncode != 0:
        raise RuntimeError(ran.stderr[-2_000:])
    return Measured(**json.loads(ran.stdout))

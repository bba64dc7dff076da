"""A demo that somebody has used for a month: people at many places, calls of 28 days, calls that
run, money that came and went. Made as its users would: by the shell and by the charging API.
"""

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from talktime.clock import MovableClock, real_ms
from talktime.config import settings_from
from talktime.console.databases import current
from talktime.store.database import connect
from tests.docs.console import free_port
from tests.plain_http import plain_client
from tests.switches.programs import wait_until

ORGANISATION = "Contoso Demo"
TALKTIME = Path(sys.executable).with_name("talktime")
PATIENCE_S = 90
HOUR_S, TRIES_MAX = 3_600, 1_000
DAYS = 28
CALLS_A_DAY = 14
LONG_NAME = "Bürogemeinschaft Obergeschoß – Vermittlungsstelle Süd-Südost (Empfang)"
PLACES = (
    *("Boardroom Berlin", "Boardroom Lyon", "Workshop Bergen", "Front desk Austin", "Lobby Leeds"),
    *("Warehouse Rotterdam", "Service desk", "Night porter", "Help line Dublin", "Studio Milano"),
    *("Reception Zürich", "Cafeteria", "Lab 3", "Press office", "Harbour office", LONG_NAME),
)
OPEN = """
    SELECT (SELECT COUNT(*) FROM wallet WHERE attention_ms IS NOT NULL)
        + (SELECT COUNT(*) FROM payment WHERE closed_ms IS NULL)"""
NOWHERE = "+2101"
OTHERS = (
    ("Fabrikam Residences", "NO", "NOK", "950"),
    ("Litware Vermittlungsstellenbetriebsgesellschaft Süd", "DE", "EUR", "499.95"),
    ("Northwind Traders", "GB", "GBP", ""),
    ("Proseware", "US", "USD", "480"),
)
CALLED = (
    *("+442079460958", "+493023125001", "+33123456789", "+4721234567", "+15125550123"),
    *("+919812345678", "+81312345678", "+525512345678", "+61291234567", "+4989123456"),
)


class World(NamedTuple):
    """Where the service is, and who may come in."""

    address: str
    folder: Path
    facts: dict[str, Any]

    def run(self, *command: str) -> str:
        """One command of the shell; what it printed."""
        done = subprocess.run(
            [TALKTIME, *command],
            env=_environ(self.folder),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def switch(self) -> httpx.Client:
        """A client with the demo switch's key."""
        headers = {"authorization": f"Bearer {self.facts['switch_key']}"}
        return plain_client(self.address, headers, PATIENCE_S)


def _environ(folder: Path) -> dict[str, str]:
    own = ("TALKTIME_", "DATABASE_URL", "HOST", "PORT", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, "TALKTIME_DATA": str(folder / "data"), "TERM": "dumb", "COLUMNS": "200"}


@contextmanager
def served(folder: Path, **environ: str) -> Iterator[World]:
    """A new demo in this folder, served by a process of its own."""
    port = free_port()
    log = folder / "log"
    with log.open("wb") as file:
        service = subprocess.Popen(
            [TALKTIME, "serve", "--demo"],
            env={**_environ(folder), "PORT": str(port), **environ},
            stdout=file,
            stderr=file,
        )
    overdue = threading.Timer(PATIENCE_S, service.kill)
    overdue.start()
    address = f"http://127.0.0.1:{port}"
    try:
        with plain_client(address) as client:

            def answers() -> bool:
                assert service.poll() is None, log.read_text()
                return _answers(client)

            wait_until(answers, "the service answers", PATIENCE_S)
        overdue.cancel()
        facts = json.loads((folder / "data" / "demo.json").read_text())
        yield World(address, folder, facts)
    finally:
        overdue.cancel()
        service.terminate()
        service.wait(PATIENCE_S)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def live(world: World) -> None:
    """Let a month pass in it, day by day."""
    users = world.folder / "users.csv"
    _write(users, ("name", "display_name", "usage_location", "licences"), _users())
    world.run("user", "import", ORGANISATION, str(users))
    world.run("recharge", "set", ORGANISATION, "--below", "75", "--amount", "50")
    clock = _clock(world.folder)
    chance = random.Random(7)
    with world.switch() as switch:
        for day in range(DAYS):
            for number in range(chance.randrange(CALLS_A_DAY // 3, CALLS_A_DAY)):
                _call(switch, f"day-{day}-{number}@sbc1", _asked(world, chance), chance)
            wait_until(lambda: _paid(world), "what is to be recharged is paid")
            clock.move("1d")
        _wait_for_the_clock(switch, world, clock)
    for may in ("--inactive", "--active"):
        world.run("user", "change", ORGANISATION, f"place-{len(PLACES) - 1}@contoso.example", may)
    _others(world)


def copy_of(lived: Path, folder: Path) -> Path:
    """Put a copy of the data of a world that nobody serves into a folder, its clock at the same
    time: a clock goes with its books, and these are others."""
    shutil.copytree(lived / "data", folder / "data", ignore=shutil.ignore_patterns("*-shm"))
    before, now = (_clock(each) for each in (lived, folder))
    now.move_to(real_ms() + before.ahead_ms())
    return folder


def _clock(folder: Path) -> MovableClock:
    data = str(folder / "data")
    return MovableClock(settings_from({"TALKTIME_DATA": data, "TALKTIME_TEST_CLOCK": "1"}))


def begin_calls(world: World, name: str) -> None:
    """Four calls that go on."""
    with world.switch() as switch:
        for number, called in enumerate(CALLED[:4]):
            asked = {"type": "user_out", "from": world.facts["caller"], "to": called}
            _call(switch, f"{name}-{number}@sbc1", asked, None)


def _paid(world: World) -> bool:
    """Whether every wallet was looked at after its calls, and no payment is on its way."""
    with closing(connect(current().cells["main"])) as cell, cell.reading():
        return cell.rows(OPEN)[0][0] == 0


def _wait_for_the_clock(switch: httpx.Client, world: World, clock: MovableClock) -> None:
    """Until the service has seen that it moved: a call that is refused says when it was."""
    now_s = (real_ms() + clock.ahead_ms()) // 1000 - HOUR_S
    asked = {"sequence": 0, "type": "user_out", "from": world.facts["caller"], "to": NOWHERE}
    for number in range(TRIES_MAX):
        call = f"/v1/calls/clock-{number}@sbc1"
        switch.post(f"{call}/authorize", json=asked)
        began = datetime.fromisoformat(switch.get(call).json()["started_at"])
        if began.timestamp() > now_s:
            return
    raise AssertionError("the service does not follow its clock")


def _others(world: World) -> None:
    """Organisations beside it, as many and as different as a page shows."""
    for name, country, currency, amount in OTHERS:
        where = ("--country", country, "--currency", currency, "--rate-card", "demo")
        card = where if currency == "USD" else where[:4]
        world.run("organisation", "create", name, *card)
        if amount:
            world.run("fund", name, amount, "--reason", "PO-2026-7")


def _asked(world: World, chance: random.Random) -> dict[str, str]:
    to = CALLED[min(chance.randrange(len(CALLED)), chance.randrange(len(CALLED)))]
    if chance.random() < 0.3:
        return {"type": "user_out", "from": world.facts["caller"], "to": to}
    if chance.random() < 0.1:
        number = world.facts["toll_free"]
        return {"type": "conf_in", "from": "+14255550177", "to": number}
    user = f"place-{chance.randrange(len(PLACES))}@contoso.example"
    return {"type": "user_out", "user": user, "to": to}


def _call(
    switch: httpx.Client, name: str, asked: dict[str, str], chance: random.Random | None
) -> None:
    """One call as a switch makes it; without chances it goes on."""
    call = f"/v1/calls/{name}"
    granted = switch.post(f"{call}/authorize", json={"sequence": 0, **asked})
    if granted.status_code != 200:
        return
    if chance is None or chance.random() > 0.1:
        switch.post(f"{call}/answer", json={"sequence": 1})
    if chance is None:
        return
    sequence, granted_s = 2, granted.json()["granted_seconds"]
    for _ in range(chance.randrange(12)):
        more = {"sequence": sequence, "used_seconds": granted_s}
        answer = switch.post(f"{call}/extend", json=more)
        sequence += 1
        if answer.status_code != 200:
            break
        granted_s += answer.json()["granted_seconds"]
    end = {"sequence": sequence, "used_seconds": granted_s - chance.randrange(min(granted_s, 290))}
    assert switch.post(f"{call}/settle", json=end).status_code == 200


def _users() -> Iterator[tuple[str, ...]]:
    for number, place in enumerate(PLACES):
        licences = (
            "MCOPSTNC MCOPSTN1 MCOEV" if number % 3 else "MCOPSTNC MCOEV MCOPSTN_PAYG_1 MCOMEETADV"
        )
        yield (
            f"place-{number}@contoso.example",
            place,
            "NO" if number in (1, 5, 7) else "US",
            licences,
        )


def _write(path: Path, header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)

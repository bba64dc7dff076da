"""A demo that somebody has used for a month: people at many places, calls of 28 days, calls that
run, money that came and went. Made as its users would: by the shell and by the charging API.
"""

import csv
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.docs.console import free_port

ORGANISATION = "Contoso Demo"
TALKTIME = Path(sys.executable).with_name("talktime")
PATIENCE_S = 90
DAYS = 28
CALLS_A_DAY = 14
LONG_NAME = "Bürogemeinschaft Obergeschoß – Vermittlungsstelle Süd-Südost (Empfang)"
PLACES = (
    *("Boardroom Berlin", "Boardroom Lyon", "Workshop Bergen", "Front desk Austin", "Lobby Leeds"),
    *("Warehouse Rotterdam", "Service desk", "Night porter", "Help line Dublin", "Studio Milano"),
    *("Reception Zürich", "Cafeteria", "Lab 3", "Press office", "Harbour office", LONG_NAME),
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
        return httpx.Client(
            base_url=self.address, headers=headers, timeout=PATIENCE_S, trust_env=False
        )


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
        while not _answers(address):
            assert service.poll() is None, log.read_text()
        overdue.cancel()
        facts = json.loads((folder / "data" / "demo.json").read_text())
        yield World(address, folder, facts)
    finally:
        overdue.cancel()
        service.terminate()
        service.wait(PATIENCE_S)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def live(world: World) -> None:
    """Let a month pass in it, and leave some calls running."""
    folder = world.folder
    users = folder / "users.csv"
    _write(users, ("name", "display_name", "usage_location", "licences"), _users())
    world.run("user", "import", ORGANISATION, str(users))
    calls = folder / "calls.csv"
    columns = ("call_id", "at", "type", "from", "to", "user", "used_seconds", "answer")
    _write(calls, columns, _calls(world))
    world.run("replay", str(calls), "--keep-times", "--url", world.address)
    world.run("recharge", "set", ORGANISATION, "--below", "50", "--amount", "100")
    with world.switch() as switch:
        for number, called in enumerate(CALLED[:4]):
            body = {"sequence": 0, "type": "user_out", "from": world.facts["caller"], "to": called}
            call = f"/v1/calls/running-{number}@sbc1"
            assert switch.post(f"{call}/authorize", json=body).status_code == 200
            switch.post(f"{call}/answer", json={"sequence": 1})


def _users() -> Iterator[tuple[str, ...]]:
    for number, place in enumerate(PLACES):
        licences = "MCOPSTNC MCOPSTN1 MCOEV" if number % 3 else "MCOPSTNC MCOEV MCOMEETADV"
        yield f"place-{number}@contoso.example", place, "US" if number % 4 else "NO", licences


def _calls(world: World) -> Iterator[tuple[str, ...]]:
    chance = random.Random(7)
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS)
    for number in range(DAYS * CALLS_A_DAY):
        at = begin + timedelta(seconds=number * 86_400 // CALLS_A_DAY + chance.randrange(3_000))
        if at > datetime.now(UTC) - timedelta(hours=1):
            return
        to = CALLED[min(chance.randrange(len(CALLED)), chance.randrange(len(CALLED)))]
        used_s = 0 if chance.random() < 0.1 else chance.randrange(20, 900)
        user = f"place-{chance.randrange(len(PLACES))}@contoso.example"
        text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        caller = world.facts["caller"] if number % 3 == 0 else ""
        yield (
            *(f"month-{number}@sbc1", text, "user_out", caller, to, "" if caller else user),
            *(str(used_s), "yes" if used_s else "no"),
        )


def _write(path: Path, header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)

"""A service killed under load, and started again: what a switch was told still holds."""

import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from talktime.store.database import Connection
from tests.books_check import proven
from tests.neighbours import NEIGHBOUR, add_neighbour
from tests.plain_http import plain_client
from tests.served import seeded
from tests.serving import Serving
from tests.stores import Store

SWITCHES, CALLS = 8, 20
KILLED = ("service", "a writer", "writers", "both")
STARTED_AGAIN = 2
KILLED_AFTER = (40, 100)
UNDECIDED = 503
PATIENCE_S = 60
RECORDS = "SELECT call_key, COUNT(*), SUM(charge_micros) FROM usage_record GROUP BY call_key"
ANSWERS = "SELECT c.call_key, a.sequence, a.body FROM answer a JOIN call c ON c.id = a.call_id"


class Lives:
    """A service that is killed and started again; switches wait for the next life."""

    def __init__(self, store: Store) -> None:
        self._environ = store.environ
        self._writers = sum(store.settings.writers_of(cell) for cell in store.cells)
        self._news = threading.Condition()
        self.acknowledged = 0
        self.number = 0
        self._begin()

    def _begin(self) -> None:
        self.process = Serving(self._environ)
        self.process.wait_until_ready()
        assert len(self.process.writers()) == self._writers

    def acknowledge(self) -> None:
        """One more answer has arrived."""
        with self._news:
            self.acknowledged += 1
            self._news.notify_all()

    def kill_after(self, answers: int, whom: str) -> None:
        """Wait for so many more answers, kill it at once, and start it again.

        Writers that are killed alone are begun again by the service itself.
        """
        with self._news:
            wanted = self.acknowledged + answers
            assert self._news.wait_for(lambda: self.acknowledged >= wanted, PATIENCE_S)
        if whom != "service":
            writers = self.process.writers()
            assert writers
            for writer in writers[:1] if whom == "a writer" else writers:
                os.kill(writer, signal.SIGKILL)
        if whom in ("a writer", "writers"):
            return
        assert self.process.stop(signal.SIGKILL) == -signal.SIGKILL
        self._begin()
        with self._news:
            self.number += 1
            self._news.notify_all()

    def wait_for_life_after(self, number: int) -> None:
        """Wait until it has been started again."""
        with self._news:
            assert self._news.wait_for(lambda: self.number > number, PATIENCE_S)


class Switch:
    """Conducts calls one after the other; asks again, in the next life, what got no answer."""

    def __init__(self, lives: Lives, key: str, caller: str, callee: str) -> None:
        self._lives = lives
        self._headers = {"authorization": f"Bearer {key}"}
        self._people = {"from": caller, "to": callee}
        self._client: httpx.Client | None = None
        self._life = 0
        self.told: dict[tuple[str, int], dict[str, Any]] = {}
        self.expected: dict[str, Decimal] = {}

    def conduct(self, name: str, used_s: int) -> None:
        """One whole call."""
        asked: list[tuple[str, dict[str, Any]]] = [
            ("authorize", {"type": "user_out", **self._people}),
            ("extend", {"used_seconds": min(used_s, 290)}),
            ("settle", {"used_seconds": used_s, "cause": "normal"}),
        ]
        for sequence, (verb, body) in enumerate(asked):
            told = self._ask(name, verb, {"sequence": sequence, **body})
            self.told[name, sequence] = told
            if verb == "authorize":
                minutes = -(-used_s // 60)
                fee = Decimal(told["price"]["connection_fee"]) if minutes else Decimal(0)
                self.expected[name] = fee + minutes * Decimal(told["price"]["per_minute"])
            if verb == "settle":
                assert Decimal(told["charge"]) == self.expected[name]

    def _ask(self, name: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        while True:
            try:
                if self._client is None:
                    self._life = self._lives.number
                    self._client = plain_client(self._lives.process.url, self._headers, PATIENCE_S)
                answer = self._client.post(f"/v1/calls/{name}/{verb}", json=body)
            except httpx.TransportError:
                self.close()
                self._lives.wait_for_life_after(self._life)
            else:
                if answer.status_code == UNDECIDED:
                    continue
                assert answer.status_code == 200, answer.text
                self._lives.acknowledge()
                told: dict[str, Any] = answer.json()
                return told

    def close(self) -> None:
        """End the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None


@pytest.mark.layouts("sqlite", "postgres-cells")
def test_a_killed_service_keeps_every_answer_and_charges_every_call_once(store: Store):
    demo, dice = seeded(store), random.Random(7)
    add_neighbour(store, demo)
    lives = Lives(store)
    callers = [demo.caller, NEIGHBOUR] * (SWITCHES // 2)
    switches = [Switch(lives, demo.switch_key, caller, demo.callee) for caller in callers]

    def conduct(number: int) -> None:
        lengths = random.Random(number)
        for n in range(CALLS):
            switches[number].conduct(f"call-{number}-{n}", lengths.randrange(400))

    try:
        with ThreadPoolExecutor(SWITCHES) as pool:
            conducted = [pool.submit(conduct, number) for number in range(SWITCHES)]
            for whom in KILLED:
                lives.kill_after(dice.randint(*KILLED_AFTER), whom)
            for each in conducted:
                each.result()
    finally:
        for switch in switches:
            switch.close()
        lives.process.end()
    assert lives.number == STARTED_AGAIN
    cells = [store.cell(cell) for cell in store.cells]
    for connection in cells:
        proven(connection)
    stands_in_the_books(cells, switches)


def stands_in_the_books(cells: list[Connection], switches: list[Switch]) -> None:
    """Every answer is kept as it was given, every call has one record with its price."""
    records: dict[str, tuple[int, Decimal]] = {}
    answers: dict[tuple[str, int], str] = {}
    for connection in cells:
        with connection.reading():
            for name, count, micros in connection.rows(RECORDS):
                records[name] = count, Decimal(micros) / 1_000_000
            for name, sequence, body in connection.rows(ANSWERS):
                answers[name, sequence] = body
    for switch in switches:
        for key, told in switch.told.items():
            assert httpx.Response(200, text=answers[key]).json() == told
        for name, charge in switch.expected.items():
            assert records[name] == (1, charge)
    assert len(records) == SWITCHES * CALLS

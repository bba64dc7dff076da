"""Two services on one PostgreSQL, asked the same at the same time: one answer, one charge."""

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.books_check import proven
from tests.served import seeded
from tests.serving import Serving, serving
from tests.stores import Store

SWITCHES, CALLS = 6, 12
ENDED = "SELECT COUNT(*), SUM(charge_micros) FROM usage_record"


class TwiceAsked:
    """A switch with a line to each of two services, which sends each request down both."""

    def __init__(self, services: tuple[Serving, Serving], key: str, lines: ThreadPoolExecutor):
        self._clients = [service.client(key) for service in services]
        self._lines = lines

    def ask(self, name: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """The one answer of both; the service that came second gives it again."""
        asked = [
            self._lines.submit(client.post, f"/v1/calls/{name}/{verb}", json=body)
            for client in self._clients
        ]
        one, other = (each.result() for each in asked)
        assert (one.status_code, other.status_code) == (200, 200), one.text + other.text
        assert one.content == other.content
        replayed = [answer.headers.get("idempotent-replayed") for answer in (one, other)]
        assert sorted(map(str, replayed)) == ["None", "true"]
        told: dict[str, Any] = one.json()
        return told

    def close(self) -> None:
        """Hang up both lines."""
        for client in self._clients:
            client.close()


@pytest.mark.layouts("postgres", "postgres-cells")
def test_the_same_request_to_two_services_is_decided_once(store: Store):
    demo = seeded(store)
    with (
        serving(store.environ, "--only", "engine") as one,
        serving(store.environ, "--only", "engine") as other,
        ThreadPoolExecutor(2 * SWITCHES) as lines,
        ThreadPoolExecutor(SWITCHES) as pool,
    ):
        switches = [TwiceAsked((one, other), demo.switch_key, lines) for _ in range(SWITCHES)]

        def conduct(number: int) -> Decimal:
            switch, lengths, charge = switches[number], random.Random(number), Decimal(0)
            people = {"from": demo.caller, "to": demo.callee}
            for n in range(CALLS):
                name, used_s = f"call-{number}-{n}", lengths.randrange(1, 400)
                switch.ask(name, "authorize", {"sequence": 0, "type": "user_out", **people})
                switch.ask(name, "extend", {"sequence": 1, "used_seconds": min(used_s, 290)})
                settle = {"sequence": 2, "used_seconds": used_s, "cause": "normal"}
                charge += Decimal(switch.ask(name, "settle", settle)["charge"])
            return charge

        charge = sum(pool.map(conduct, range(SWITCHES)))
        for switch in switches:
            switch.close()
    cells = [store.cell(cell) for cell in store.cells]
    ended = []
    for connection in cells:
        proven(connection)
        with connection.reading():
            ended += connection.rows(ENDED)
    assert sum(count for count, _ in ended) == SWITCHES * CALLS
    assert sum(micros or 0 for _, micros in ended) == charge * 1_000_000 > 0

"""Several writers of one cell, each with a lane. Mirrors src/talktime/engine/lanes.py."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import httpx
import pytest

from talktime.core.ids import Ids
from talktime.engine.lane import Lane
from talktime.engine.lanes import Lanes, place_of
from talktime.engine.writer_process import WriterProcess
from talktime.store.database import Connection
from tests.books_check import proven
from tests.commands import NOW_MS
from tests.neighbours import NEIGHBOUR, add_neighbour
from tests.served import Service, SwitchCall, seeded, serving
from tests.stores import Store

IN_ONE_CALL = 40
"""Requests that one call is asked for at the same time."""


class Two(NamedTuple):
    """A service with two organisations in one cell, each with a lane of its own."""

    service: Service
    organisations: tuple[int, int]
    lanes: tuple[Lane, Lane]

    def authorize(self, place: int) -> tuple[SwitchCall, httpx.Response]:
        """A new call of one of the organisations, and the answer to its first request."""
        call = self.service.call()
        return call, call.authorize(**{"from": (self.service.demo.caller, NEIGHBOUR)[place]})


@contextmanager
def two_on(store: Store) -> Iterator[Two]:
    """Both organisations, with their writers in processes of their own."""
    demo = seeded(store)
    neighbour = add_neighbour(store, demo)
    with serving(store, demo, writer_of=WriterProcess) as service:
        lanes, organisations = service.engine.lanes["main"], (demo.organisation_id, neighbour.id)
        first, second = (lanes.of_organisation(each) for each in organisations)
        assert len(lanes) == 2
        assert first is not second
        yield Two(service, organisations, (first, second))


@contextmanager
def kept_waiting(cell: Connection, organisation_id: int) -> Iterator[None]:
    """While this lasts whoever needs this wallet waits for its lock."""
    with cell.transaction():
        cell.run(
            "UPDATE wallet SET balance_micros = balance_micros WHERE organisation_id = ?",
            [organisation_id],
        )
        yield


def pid_of(lane: Lane) -> int:
    """The number of the process that writes for a lane."""
    assert isinstance(lane.writer, WriterProcess)
    assert lane.writer.pid is not None
    return lane.writer.pid


@pytest.mark.parametrize("lanes", [2, 3, 16])
def test_organisations_made_one_at_a_time_are_spread_over_all_lanes(lanes: int) -> None:
    moments = count(NOW_MS, 7)
    ids = Ids(5, lambda: next(moments))
    made = [ids.next() for _ in range(100 * lanes)]
    spread = Counter(place_of(each, lanes) for each in made)
    assert sorted(spread) == list(range(lanes))
    assert max(spread.values()) <= 110


@pytest.mark.layouts("postgres")
def test_an_organisation_keeps_to_its_lane_and_its_order(store: Store) -> None:
    with two_on(store) as two, ThreadPoolExecutor(2) as threads:

        def conduct(place: int) -> list[SwitchCall]:
            conducted = []
            for used_s in range(IN_ONE_CALL):
                call, granted = two.authorize(place)
                assert granted.status_code == 200, granted.text
                assert call.next("extend", used_seconds=used_s).status_code == 200
                assert call.next("settle", used_seconds=used_s).status_code == 200
                conducted.append(call)
            return conducted

        list(threads.map(conduct, (0, 1)))
        assert [lane.sizes.total for lane in two.lanes] == [3 * IN_ONE_CALL] * 2
    owners = store.cell().rows("SELECT organisation_id, COUNT(*) FROM call GROUP BY 1 ORDER BY 1")
    assert owners == [(each, IN_ONE_CALL) for each in sorted(two.organisations)]
    proven(store.cell())


@pytest.mark.layouts("postgres")
def test_one_request_for_several_organisations_is_answered_in_its_order(store: Store) -> None:
    with two_on(store) as two:
        callers = (two.service.demo.caller, NEIGHBOUR)
        items = [
            {"request": verb, "call_id": f"call-{n}", "sequence": sequence, **body}
            for sequence, (verb, body) in enumerate(
                [
                    ("authorize", {"type": "user_out", "to": two.service.demo.callee}),
                    ("extend", {"used_seconds": 10}),
                    ("settle", {"used_seconds": 60}),
                ]
            )
            for n in range(20)
        ]
        for item in items[:20]:
            item["from"] = callers[int(str(item["call_id"])[5:]) % 2]
        answers = two.service.post("/v1/calls:batch", {"requests": items}).json()["answers"]
        assert [answer["status"] for answer in answers] == [200] * 60
        asked = [(item["call_id"], item["sequence"]) for item in items]
        assert [(a["body"]["call_id"], a["body"]["sequence"]) for a in answers] == asked
        assert [lane.sizes.total for lane in two.lanes] == [30, 30]
        assert [sum(lane.sizes.counts) for lane in two.lanes] == [1, 1]


@pytest.mark.layouts("postgres")
def test_a_call_that_a_service_has_not_seen_is_found_by_whichever_lane_is_asked(
    store: Store,
) -> None:
    with two_on(store) as two, serving(store, two.service.demo, writer_of=WriterProcess) as other:
        ((switch_id,),) = store.control().rows("SELECT id FROM switch")
        asked = Counter[Lane]()
        lanes = other.engine.lanes["main"]
        while len(asked) < 2 or min(asked.values()) < 4:
            call, _ = two.authorize(asked.total() % 2)
            lost, again = lanes.of_lost((switch_id, call.call_id)), asked.total() % 2
            before = lost.sizes.total
            extend = {"sequence": 1, "used_seconds": 240}
            answer = other.post(f"{call.path}/extend", extend)
            assert (answer.status_code, lost.sizes.total) == (200, before + 1), answer.text
            asked[lost] += 1
            own = lanes.of_organisation(two.organisations[again])
            before = own.sizes.total
            settle = {"sequence": 2, "used_seconds": 300}
            assert other.post(f"{call.path}/settle", settle).json()["charge"] == "0.055"
            assert own.sizes.total == before + 1
        never = other.post("/v1/calls/never/extend", {"sequence": 1, "used_seconds": 1})
        assert (never.status_code, never.json()["code"]) == (404, "unknown_call")
    proven(store.cell())


@pytest.mark.layouts("postgres")
def test_a_lane_that_stands_still_or_loses_its_writer_leaves_the_other_answering(
    store: Store,
) -> None:
    with two_on(store) as two, ThreadPoolExecutor(1) as threads:
        (here, _), (there, _) = two.authorize(0), two.authorize(1)
        with kept_waiting(store.cell(), two.organisations[0]):
            waiting: Future[httpx.Response] = threads.submit(here.next, "extend", used_seconds=10)
            for used_s in range(20):
                assert there.next("extend", used_seconds=used_s).status_code == 200
            assert not waiting.done()
            os.kill(pid_of(two.lanes[0]), signal.SIGKILL)
            undecided = waiting.result()
            assert (undecided.status_code, undecided.json()["code"]) == (503, "unavailable")
            assert there.next("extend", used_seconds=30).status_code == 200
        assert here.next("extend", used_seconds=10).status_code == 200
        for call in (here, there):
            assert call.next("settle", used_seconds=60).status_code == 200
    proven(store.cell())


@pytest.mark.layouts("postgres")
def test_a_service_that_stops_answers_what_every_lane_has_taken(store: Store) -> None:
    with two_on(store) as two, ThreadPoolExecutor(20) as threads:
        (here, _), (there, _) = two.authorize(0), two.authorize(1)
        cells = store.cell(), store.cell()
        with (
            kept_waiting(cells[0], two.organisations[0]),
            kept_waiting(cells[1], two.organisations[1]),
        ):
            first = [threads.submit(call.next, "extend", used_seconds=10) for call in (here, there)]
            while [lane.depth for lane in two.lanes] != [1, 1]:
                two.service.get("/healthz")
            later = [threads.submit(two.authorize, n % 2) for n in range(18)]
            while [lane.depth for lane in two.lanes] != [10, 10]:
                two.service.get("/healthz")
            two.service.tell_to_stop()
        answers = [each.result() for each in first] + [each.result()[1] for each in later]
    assert [answer.status_code for answer in answers] == [200] * 20
    assert store.cell().rows("SELECT COUNT(*) FROM call WHERE state = 'open'") == [(20,)]
    proven(store.cell())


@pytest.mark.layouts("sqlite", "postgres-servers")
def test_a_file_has_one_lane_and_a_schema_as_many_as_its_setting_says(store: Store) -> None:
    with serving(store) as service:
        found = {cell: len(lanes) for cell, lanes in service.engine.lanes.items()}
        names = [lane.name for lane in service.engine.lanes["main"]]
    assert found == dict.fromkeys(store.cells, 1 if store.kind == "sqlite" else 2)
    assert names == ["main 1", "main 2"][: found["main"]]
    assert isinstance(service.engine.lanes["main"], Lanes)

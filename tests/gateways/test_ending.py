"""A switch waits for calls that it is to end. Mirrors src/talktime/gateways/http/ending.py."""

import asyncio
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack

import pytest

from talktime.core.commands import EndCall
from talktime.core.limits import ENDING_WAIT_S_MAX, ENDING_WAITERS_MAX
from talktime.operations.execute import execute
from talktime.operations.keys import revoke_key
from tests.gateways.lines import line, wired
from tests.served import clock_ms, new_id
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")

PATH = "/v1/calls:ending"
NOTHING = {"calls": [], "cursor": ""}


def end(store: Store, call, code="organisation_inactive"):
    """Mark the call as its job does."""
    cell = store.cell()
    [(switch_id, organisation_id)] = cell.rows(
        "SELECT switch_id, organisation_id FROM call WHERE call_key = ?", [call.call_id]
    )
    with cell.transaction():
        command = EndCall(switch_id, call.call_id, organisation_id, code)
        execute(cell, [command], clock_ms(), new_id)


def test_a_switch_that_waits_is_told_at_once_and_again_until_the_call_has_ended(service, store):
    call = service.call()
    call.authorize()
    assert service.get(PATH).json() == NOTHING
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.get, f"{PATH}?wait={ENDING_WAIT_S_MAX}")
        end(store, call)
        told = waiting.result(timeout=20).json()
    assert [each["call_id"] for each in told["calls"]] == [call.call_id]
    assert told["calls"][0]["code"] == "organisation_inactive"
    assert service.get(PATH).json() == told
    extended = call.next("extend", used_seconds=10)
    assert (extended.status_code, extended.json()["code"]) == (403, "organisation_inactive")
    with ThreadPoolExecutor(1) as pool:
        path = f"{PATH}?wait={ENDING_WAIT_S_MAX}&cursor={told['cursor']}"
        waiting = pool.submit(service.get, path)
        call.send("settle", {"sequence": 2, "used_seconds": 12})
        assert waiting.result(timeout=20).json() == NOTHING


def test_a_wait_that_is_over_is_answered_with_nothing(service):
    assert service.get(f"{PATH}?wait=1").json() == NOTHING


def test_whoever_waits_is_answered_when_the_service_stops(service):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.get, f"{PATH}?wait={ENDING_WAIT_S_MAX}")
        assert service.get(f"{PATH}?wait=1").json() == NOTHING
        service.engine.endings.stop()
        assert waiting.result(timeout=20).json() == NOTHING


@pytest.mark.parametrize(
    "query",
    [
        "wait=61",
        "wait=0000999",
        "wait=" + "9" * 400,
        "wait=-1",
        "wait=soon",
        "wait=1.5",
        "until=3",
        "cursor=" + "x" * 600,
    ],
)
def test_a_query_that_cannot_be_taken_is_refused(service, query):
    answer = service.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_switch_that_waits_too_often_is_refused_and_no_other(service):
    with ThreadPoolExecutor(ENDING_WAITERS_MAX + 1) as pool:
        path = f"{PATH}?wait={ENDING_WAIT_S_MAX}"
        asked = [pool.submit(service.get, path) for _ in range(ENDING_WAITERS_MAX + 1)]
        [refused], waiting = wait(asked, timeout=20, return_when=FIRST_COMPLETED)
        assert refused.result().status_code == 429
        assert refused.result().json()["code"] == "queue_full"
        assert service.get(PATH).json() == NOTHING
        service.engine.endings.stop()
        answers = [each.result(timeout=20).json() for each in waiting]
    assert answers == [NOTHING] * ENDING_WAITERS_MAX


def test_a_switch_that_has_gone_waits_no_more(service):
    waits = f"{PATH}?wait={ENDING_WAIT_S_MAX}"
    with ExitStack() as lines:
        for _ in range(ENDING_WAITERS_MAX + 1):
            left = lines.enter_context(line(service))
            left.send(left.head(waits, method="GET"))
            left.send_no_more()
            status, _, told = left.answer()
            assert (status, told) == (200, NOTHING)


@pytest.mark.layouts("sqlite")
def test_a_switch_whose_connection_is_lost_waits_no_more(store):
    async def lose():
        async with wired(store) as wire:
            wire.receive(b"GET %s?wait=60 HTTP/1.1\r\nBEARER\r\n\r\n" % PATH.encode())
        return wire.pipe.statuses()

    assert asyncio.run(lose()) == []


def test_a_key_that_was_revoked_while_it_waited_is_told_of_no_call(service, store):
    call = service.call()
    call.authorize()
    keys, secret = service.engine.keys, service.demo.switch_key.encode()
    key = keys.find(secret, clock_ms())
    assert key is not None
    control = store.control()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.get, f"{PATH}?wait={ENDING_WAIT_S_MAX}")
        assert service.get(f"{PATH}?wait=1").json() == NOTHING
        with control.transaction():
            revoke_key(control, key.id, now_ms=clock_ms())
        assert service.until(lambda: keys.find(secret, clock_ms()) is None)
        end(store, call)
        answer = waiting.result(timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_only_a_key_of_a_switch_is_told(service):
    with service.client(None) as nobody:
        assert nobody.get(PATH).status_code == 401

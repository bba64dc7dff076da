"""A service that is told to stop answers what it took. Mirrors gateways/http/app.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.served import serving
from tests.stores import Store

CALLS = 20


@pytest.mark.layouts("sqlite", "postgres")
def test_requests_that_wait_when_the_service_stops_are_answered(store: Store) -> None:
    with serving(store) as service, ThreadPoolExecutor(CALLS) as threads:
        lanes, cell = service.engine.lanes["main"], store.cell()
        lane = lanes.of_organisation(service.demo.organisation_id)
        with cell.transaction():
            cell.run("UPDATE wallet SET balance_micros = balance_micros")
            first = threads.submit(service.call().authorize)
            while not lane.depth:
                service.get("/healthz")
            waiting = [threads.submit(service.call().authorize) for _ in range(CALLS - 1)]
            while lane.depth < CALLS:
                service.get("/healthz")
            service.tell_to_stop()
        answers = [each.result() for each in (first, *waiting)]
    assert [answer.status_code for answer in answers] == [200] * CALLS
    assert store.cell().rows("SELECT COUNT(*) FROM call WHERE state = 'open'") == [(CALLS,)]

"""What a watcher asks of a process. Mirrors src/talktime/gateways/http/counts.py."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.served import Service
from tests.stores import Store


def samples(service: Service) -> dict[tuple[str, ...], float]:
    """The counts, by name and labels."""
    answer = service.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.layouts("sqlite")
def test_requests_refusals_times_and_batches_are_counted(service: Service) -> None:
    call = service.call()
    call.authorize()
    call.next("extend", used_seconds=10)
    call.send("extend", {"sequence": 9, "used_seconds": 10})
    call.next("settle", used_seconds=30)
    service.get("/v1/nothing")
    items = [{"request": "settle", "call_id": "never", "sequence": 0, "used_seconds": 0}, None]
    service.post("/v1/calls:batch", {"requests": items})
    counted = samples(service)
    assert counted["talktime_requests_total", "authorize", "200"] == 1
    assert counted["talktime_requests_total", "extend", "200"] == 1
    assert counted["talktime_requests_total", "extend", "409"] == 1
    assert counted["talktime_requests_total", "settle", "200"] == 1
    assert counted["talktime_requests_total", "none", "404"] == 1
    assert counted["talktime_requests_total", "batch", "200"] == 1
    assert counted["talktime_refusals_total", "sequence_skipped"] == 1
    assert counted["talktime_refusals_total", "not_found"] == 1
    assert counted["talktime_refusals_total", "invalid_request"] == 1
    assert counted["talktime_request_seconds_count", "extend"] == 2
    assert counted["talktime_request_seconds_bucket", "extend", "+Inf"] == 2
    assert counted["talktime_batch_commands_sum", "main", "1"] == 5
    assert counted["talktime_queue_depth", "main", "1"] == 0


@pytest.mark.layouts("sqlite-cells", "postgres-cells")
def test_each_writer_of_each_cell_is_counted(service: Service, store: Store) -> None:
    service.call().authorize()
    counted = samples(service)
    writers = range(1, 2 if store.kind == "sqlite" else 3)
    each = {(cell, str(number)) for cell in store.cells for number in writers}
    depths = {key[1:]: value for key, value in counted.items() if key[0] == "talktime_queue_depth"}
    assert depths == dict.fromkeys(each, 0)
    assert sum(counted["talktime_batch_commands_sum", *key] for key in each) == 1


@pytest.mark.layouts("sqlite", "postgres-cells")
def test_a_process_that_can_work_says_that_it_lives_and_is_ready(service: Service) -> None:
    with service.client(None) as watcher:
        for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
            answer = watcher.get(path)
            assert (answer.status_code, answer.json()) == (200, {"status": status})
        assert watcher.get("/v1/openapi.json").json()["openapi"] == "3.1.0"
        assert watcher.get("/metrics").status_code == 200

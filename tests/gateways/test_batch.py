"""Many requests in one. Mirrors src/talktime/gateways/http/app.py."""

from typing import Any

import pytest

from tests.served import Service


def authorize(service: Service, call_id: str, sequence: int = 0) -> dict[str, Any]:
    """An authorize as an item of a batch."""
    return {
        "request": "authorize",
        "call_id": call_id,
        "sequence": sequence,
        "type": "user_out",
        "from": service.demo.caller,
        "to": service.demo.callee,
    }


def settle(call_id: str, sequence: int, used_s: int) -> dict[str, Any]:
    """A settle as an item of a batch."""
    return {"request": "settle", "call_id": call_id, "sequence": sequence, "used_seconds": used_s}


def send(service: Service, items: list[Any]) -> list[dict[str, Any]]:
    """The answers to a batch."""
    answer = service.post("/v1/calls:batch", {"requests": items})
    assert answer.status_code == 200, answer.text
    answers: list[dict[str, Any]] = answer.json()["answers"]
    return answers


def test_the_requests_of_a_batch_are_answered_in_their_order(service: Service) -> None:
    items = [
        authorize(service, "b1"),
        {"request": "extend", "call_id": "b1", "sequence": 1, "used_seconds": 240},
        settle("b1", 2, 300),
        authorize(service, "b2"),
        {"request": "answer", "call_id": "b2", "sequence": 1},
        settle("b2", 2, 0),
    ]
    answers = send(service, items)
    assert [answer["status"] for answer in answers] == [200] * 6
    assert [answer["body"]["decision"] for answer in answers] == [
        *("granted", "granted", "settled", "granted", "noted", "settled")
    ]
    assert answers[2]["body"]["charge"] == "0.055"
    again = send(service, items)
    assert all(answer["replayed"] for answer in again)
    assert [answer["body"] for answer in again] == [answer["body"] for answer in answers]


def test_a_malformed_request_is_refused_in_its_place_and_the_others_go_on(
    service: Service,
) -> None:
    answers = send(
        service,
        [
            authorize(service, "b1"),
            {"request": "authorize", "call_id": "b2"},
            17,
            {"request": "cancel", "call_id": "b3", "sequence": 0},
            {**settle("b1", 1, 30), "extra": True},
            {"request": "extend", "call_id": "b1", "sequence": 7, "used_seconds": 1},
            {**authorize(service, "b4"), "from": "+14255559999"},
            {**authorize(service, "line\n"), "from": "+14255559999"},
            settle("b1", 1, 30),
        ],
    )
    statuses = [answer["status"] for answer in answers]
    assert statuses == [200, 422, 422, 422, 422, 409, 404, 422, 200]
    codes = [answer["body"].get("code") for answer in answers]
    assert codes == [
        *(None, "invalid_request", "invalid_request", "invalid_request", "invalid_request"),
        *("sequence_skipped", "unknown_caller", "invalid_request", None),
    ]
    assert answers[8]["body"]["charge"] == "0.011"


@pytest.mark.layouts("sqlite")
def test_a_request_sent_alone_is_the_same_request_as_in_a_batch(service: Service) -> None:
    call = service.call()
    alone = call.authorize()
    (repeated,) = send(service, [authorize(service, call.call_id)])
    assert repeated == {"status": 200, "replayed": True, "body": alone.json()}


@pytest.mark.layouts("sqlite-cells")
def test_a_request_before_its_own_authorize_stays_unknown(service: Service) -> None:
    extend = {"request": "extend", "call_id": "b1", "sequence": 1, "used_seconds": 1}
    answers = send(service, [extend, authorize(service, "b1")])
    assert [answer["status"] for answer in answers] == [404, 200]


@pytest.mark.layouts("sqlite", "postgres")
def test_a_batch_takes_a_thousand_requests_and_no_more(service: Service) -> None:
    calls = [f"many-{number}" for number in range(500)]
    items = [authorize(service, call) for call in calls] + [settle(call, 1, 60) for call in calls]
    answers = send(service, items)
    assert {answer["status"] for answer in answers} == {200}
    assert {answer["body"]["charge"] for answer in answers[500:]} == {"0.011"}
    refused = service.post("/v1/calls:batch", {"requests": [*items, settle("one", 0, 0)]})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert send(service, []) == []

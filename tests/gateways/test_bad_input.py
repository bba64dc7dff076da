"""Whatever is wrong gets its documented refusal, and changes nothing."""

import asyncio
import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from talktime.core.limits import BATCH_BODY_BYTES_MAX, BODY_BYTES_MAX
from talktime.core.refusal import Refusal
from talktime.gateways.http import answers
from talktime.gateways.http.replies import refuse
from talktime.gateways.http.requests import body_of
from talktime.operations.keys import create_key, create_switch, revoke_key, rotate_key
from tests.plain_http import plain_client
from tests.served import Service, clock_ms, new_id, rows_of_books
from tests.stores import Store

DEEP = 20_000
HUGE = 10**30
ENTROPY = bytes(range(32))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The status and code of a refusal, which is a problem with all its parts."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answers.Problem(
        **{name: value for name, value in answer.json().items() if name != "type"}, type=""
    )
    assert problem.detail
    assert problem.remedy
    assert problem.who
    assert "Traceback" not in answer.text
    return answer.status_code, problem.code


def body(service: Service, **changed: Any) -> dict[str, Any]:
    """A good authorize, but for what is changed."""
    good = {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}
    return {"sequence": 0, **good, **changed}


@pytest.mark.layouts("sqlite")
def test_a_request_without_a_good_key_is_refused(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    key = service.demo.switch_key
    for header in (
        *(None, "", key, "Bearer", "Bearer wrong", f"Basic {key}", f"Bearer {key}x"),
        f"Bearer {'x' * 5_000}",
    ):
        headers = {"authorization": header} if header is not None else {}
        with plain_client(service.url, headers) as client:
            for method, path in (
                ("POST", "/v1/calls/c1/authorize"),
                ("GET", "/v1/calls/c1"),
                ("POST", "/v1/calls:batch"),
                ("POST", "/v1/quotes"),
            ):
                answer = client.request(method, path, json=body(service))
                assert refusal(answer) == (401, "unauthorized"), header
                assert answer.headers["www-authenticate"] == "Bearer"
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite", "postgres")
def test_a_key_opens_what_its_scopes_say_until_it_is_revoked(
    service: Service, store: Store
) -> None:
    control = store.control()
    with control.transaction():
        switch = create_switch(
            control, name="Other", operator="Contoso", now_ms=clock_ms(), next_id=new_id
        )
        new = create_key(
            *(control, switch),
            name="quotes",
            scopes=("quotes",),
            now_ms=clock_ms(),
            next_id=new_id,
            entropy=ENTROPY,
        )
    keys = service.engine.keys
    assert service.until(lambda: keys.find(new.text.encode(), clock_ms()) is not None)
    quote = {name: value for name, value in body(service).items() if name != "sequence"}
    with service.client(new.text) as client:
        assert client.post("/v1/quotes", json=quote).status_code == 200
        answer = client.post("/v1/calls/c1/authorize", json=body(service))
        assert refusal(answer) == (403, "scope_missing")
        with control.transaction():
            revoke_key(control, new.key.id, now_ms=clock_ms())
        assert service.until(lambda: keys.find(new.text.encode(), clock_ms()) is None)
        assert refusal(client.post("/v1/quotes", json=quote)) == (401, "unauthorized")


@pytest.mark.layouts("sqlite")
def test_a_rotated_key_works_until_its_time_and_the_new_one_from_now_on(
    service: Service, store: Store
) -> None:
    control, now = store.control(), clock_ms()
    engine_keys = service.engine.keys
    old = engine_keys.find(service.demo.switch_key.encode(), now)
    assert old is not None
    with control.transaction():
        new = rotate_key(
            *(control, old.id),
            old_expires_ms=now + 60_000,
            now_ms=now,
            next_id=new_id,
            entropy=ENTROPY,
        )
    assert service.until(lambda: engine_keys.find(new.text.encode(), now) is not None)
    secret = service.demo.switch_key.encode()
    assert engine_keys.find(secret, now + 59_999) is not None
    assert engine_keys.find(secret, now + 60_000) is None
    with service.client(new.text) as client:
        assert client.post("/v1/calls/c1/authorize", json=body(service)).status_code == 200


def test_the_calls_of_another_switch_are_not_known(service: Service, store: Store) -> None:
    call = service.call()
    call.authorize()
    control = store.control()
    with control.transaction():
        switch = create_switch(
            control, name="Other", operator="Contoso", now_ms=clock_ms(), next_id=new_id
        )
        new = create_key(
            *(control, switch),
            name="main",
            now_ms=clock_ms(),
            next_id=new_id,
            entropy=ENTROPY,
        )
    key = new.text.encode()
    assert service.until(lambda: service.engine.keys.find(key, clock_ms()) is not None)
    with service.client(new.text) as client:
        assert refusal(client.get(call.path)) == (404, "unknown_call")
        extend = client.post(f"{call.path}/extend", json={"sequence": 1, "used_seconds": 1})
        assert refusal(extend) == (404, "unknown_call")
    assert call.show()["state"] == "open"


@pytest.mark.layouts("sqlite")
def test_a_body_that_is_not_what_it_should_be_is_refused(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    nested = b"[" * DEEP + b"]" * DEEP
    good = json.dumps(body(service)).encode()
    for content, status in (
        (b"", 422),
        (b"not JSON", 422),
        (b"\xff\xfe{}", 422),
        (b"\xef\xbb\xbf" + good, 422),
        (b"[]", 422),
        (b"null", 422),
        (good + b"}", 422),
        (good[:-1], 422),
        (nested, 422),
        (b'{"extra":' + nested + b"}", 422),
        (b'{"sequence":' + nested + b"}", 422),
        (good[:-1] + b',"\\ud800":1}', 422),
        (b" " * (BODY_BYTES_MAX + 1), 413),
    ):
        for verb in ("authorize", "answer", "extend", "settle"):
            answer = service.http.post(f"/v1/calls/c1/{verb}", content=content)
            code = "invalid_request" if status == 422 else "body_too_large"
            assert refusal(answer) == (status, code), content[:40]
        if status == 422:
            answer = service.http.post("/v1/calls:batch", content=content)
            assert refusal(answer) == (422, "invalid_request"), content[:40]
        assert refusal(service.http.post("/v1/quotes", content=content))[0] == status
    answer = service.http.post("/v1/calls:batch", content=b" " * (BATCH_BODY_BYTES_MAX + 1))
    assert refusal(answer) == (413, "body_too_large")
    deep = b'{"requests":[' + nested + b"]}"
    assert refusal(service.http.post("/v1/calls:batch", content=deep)) == (422, "invalid_request")
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_a_field_of_the_wrong_type_or_size_is_refused_by_name(
    service: Service, store: Store
) -> None:
    before = rows_of_books(store)
    for verb, field, wrongs in (
        ("authorize", "sequence", (-1, HUGE, 1.5, "0", None, True, [0])),
        ("authorize", "requested_seconds", (0, -1, HUGE, 86_401, "300", 1e300)),
        ("authorize", "type", ("", "user", 1, None)),
        ("authorize", "from", ("", 14255550100, ["+1"], "+" * 65)),
        ("authorize", "user", ("", "x" * 129, {})),
        ("authorize", "at", (0, "", "today", "2026-11-22", "2026-11-22T10:00:00", "9" * 400)),
        ("authorize", "extra", (1,)),
        ("answer", "answered_at", (1, "2026-13-01T00:00:00Z")),
        ("extend", "used_seconds", (-1, HUGE, 864_001, "1", None, 0.5)),
        ("settle", "used_seconds", (-1, -HUGE, 864_001, "1", None, 0.5, False)),
        ("settle", "cause", ("x" * 65, "caf\u00e9", "line\n", "nul\x00", 1)),
    ):
        good = body(service) if verb == "authorize" else {"sequence": 0, "used_seconds": 1}
        if verb == "answer":
            good = {"sequence": 0}
        for wrong in wrongs:
            answer = service.post(f"/v1/calls/c1/{verb}", {**good, field: wrong})
            assert refusal(answer) == (422, "invalid_request"), (field, wrong)
            assert field in answer.json()["detail"], (field, wrong)
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_numbers_that_json_does_not_know_are_refused(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    for text in ("NaN", "Infinity", "-Infinity", "1e999", "0x10", "+1", "01", "1_000"):
        content = b'{"sequence":0,"used_seconds":' + text.encode() + b"}"
        answer = service.http.post("/v1/calls/c1/settle", content=content)
        assert refusal(answer) == (422, "invalid_request"), text
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_a_call_id_that_is_none_is_refused(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    for segment in ("", "%0A", "caf%C3%A9", "%00", "x" * 256, "%41" * 256, "a%7Fb"):
        answer = service.post(f"/v1/calls/{segment}/authorize", body(service))
        assert refusal(answer) == (422, "invalid_request"), segment
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_a_call_id_with_broken_percent_encoding_is_refused(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    where = urlsplit(service.url)
    headers = {"authorization": f"Bearer {service.demo.switch_key}"}
    for segment in ("%", "a%", "%2", "%zz", "%2g", "%%41"):
        for method, path, status in (
            ("GET", f"/v1/calls/{segment}", 422),
            ("POST", f"/v1/calls/{segment}/authorize", 422),
        ):
            connection = HTTPConnection(where.netloc, timeout=30)
            connection.request(method, path, json.dumps(body(service)), headers)
            answer = connection.getresponse()
            problem = json.loads(answer.read())
            connection.close()
            assert (answer.status, problem["code"]) == (status, "invalid_request"), segment
            assert "%25" in problem["detail"]
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_an_authorize_without_a_called_number_is_not_kept(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    call = service.call()
    for type_ in ("user_out", "user_out_forwarding"):
        answer = call.send("authorize", body(service, type=type_, to=None))
        assert refusal(answer) == (422, "invalid_request")
        assert f"{type_} needs 'to'" in answer.json()["detail"]
    assert rows_of_books(store) == before
    assert refusal(service.get(call.path)) == (404, "unknown_call")
    assert call.authorize().status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for_for_ever() -> None:
    async def half() -> Any:
        parts = iter(({"type": "http.request", "body": b"{", "more_body": True},))

        async def receive() -> Any:
            part = next(parts, None)
            return part if part is not None else await asyncio.Event().wait()

        return await body_of(receive, BODY_BYTES_MAX, within_s=0)

    found = asyncio.run(half())
    assert found == Refusal("request_timeout", "no whole body came within 0 seconds")
    answer = refuse(found)
    assert (answer.status, dict(answer.headers)[b"connection"]) == (408, b"close")


@pytest.mark.layouts("sqlite", "postgres")
def test_callers_and_numbers_that_do_not_exist_are_refused(service: Service) -> None:
    for changed, status, code in (
        ({"from": "+14255559999"}, 404, "unknown_caller"),
        ({"from": "+1"}, 422, "invalid_number"),
        ({"from": None}, 422, "invalid_request"),
        ({"from": None, "user": "nobody@contoso.example"}, 404, "unknown_caller"),
        ({"type": "conf_out"}, 422, "invalid_request"),
        ({"type": "conf_out", "organizer": "nobody@contoso.example"}, 404, "unknown_caller"),
        ({"type": "conf_in", "service_number": "+18005550100"}, 404, "unknown_number"),
        ({"type": "user_in", "to": "+14255559999"}, 404, "unknown_number"),
        ({"type": "user_in", "user": "nobody@contoso.example"}, 404, "unknown_user"),
        ({"type": "user_in", "to": "+18005550199"}, 422, "invalid_request"),
        ({"type": "unassigned_in"}, 422, "invalid_request"),
        ({"conference_id": "room-7"}, 422, "invalid_request"),
        ({"type": "user_out_conf", "conference_id": "r" * 65}, 422, "invalid_request"),
        ({"type": "user_out_conf", "conference_id": "room\n"}, 422, "invalid_request"),
        ({"type": "user_out_conf", "conference_id": ""}, 422, "invalid_request"),
        ({"to": "+49"}, 422, "invalid_number"),
        ({"to": "anyone"}, 422, "invalid_number"),
        ({"to": None}, 422, "invalid_request"),
        ({"to": "+870773111632"}, 403, "no_rate"),
    ):
        assert refusal(service.call().authorize(**changed)) == (status, code), changed


def test_a_sequence_is_used_once_and_leaves_no_gap(service: Service, store: Store) -> None:
    call = service.call()
    skipped = call.send("authorize", body(service, sequence=1))
    assert refusal(skipped) == (409, "sequence_skipped")
    assert call.authorize().status_code == 200
    before = rows_of_books(store)
    for verb, sent, status, code in (
        ("authorize", body(service, requested_seconds=60), 409, "sequence_reused"),
        ("extend", {"sequence": 0, "used_seconds": 1}, 409, "sequence_reused"),
        ("extend", {"sequence": 2, "used_seconds": 1}, 409, "sequence_skipped"),
        ("authorize", body(service, sequence=1), 409, "call_already_authorized"),
    ):
        assert refusal(call.send(verb, sent)) == (status, code)
    assert rows_of_books(store) == before
    assert call.next("settle", used_seconds=30).status_code == 200
    before = rows_of_books(store)
    extend = call.send("extend", {"sequence": 2, "used_seconds": 1})
    assert refusal(extend) == (410, "call_settled")
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite", "sqlite-cells")
def test_extend_and_answer_before_authorize_are_refused(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    call = service.call()
    for verb, sent in (("extend", {"used_seconds": 1}), ("answer", {})):
        for sequence in (0, 1):
            answer = call.send(verb, {"sequence": sequence, **sent})
            assert refusal(answer) == (404, "unknown_call")
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_a_refused_call_can_only_be_authorized_again(service: Service) -> None:
    call = service.call()
    assert refusal(call.authorize(to="+49")) == (422, "invalid_number")
    extend = call.send("extend", {"sequence": 1, "used_seconds": 1})
    assert refusal(extend) == (409, "call_not_granted")
    call.sequence = 1
    assert call.authorize().status_code == 200


@pytest.mark.layouts("sqlite")
def test_an_answer_far_from_the_services_clock_is_refused(service: Service, store: Store) -> None:
    call = service.call()
    call.authorize()
    before = rows_of_books(store)
    for at in ("2001-01-01T00:00:00Z", "2999-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00"):
        answer = call.send("answer", {"sequence": 1, "answered_at": at})
        assert refusal(answer) == (422, "time_out_of_range"), at
        later = service.call().authorize(at=at)
        assert refusal(later) == (422, "time_out_of_range"), at
    assert rows_of_books(store) == before

"""Whole calls over HTTP. Mirrors src/talktime/gateways/http/app.py."""

from urllib.parse import quote

import msgspec
import pytest

from talktime.core.directory import NOT_ATTACHED
from talktime.gateways.http import answers
from talktime.gateways.http.bodies import AuthorizeBody, body_hash
from talktime.operations.assign_numbers import attach_number, release_number
from talktime.operations.organisations import find_organisation
from talktime.operations.render import utc_text
from talktime.operations.seed_demo import ORGANISATION
from tests.served import Service, clock_ms, rows_of_books
from tests.stores import Store

DAY_MS = 86_400_000


def test_a_call_is_authorized_answered_extended_and_settled(service: Service) -> None:
    call = service.call()
    granted = msgspec.json.decode(call.authorize().content, type=answers.Granted)
    assert (granted.call_id, granted.sequence, granted.granted_seconds) == (call.call_id, 0, 300)
    assert (granted.final, granted.balance.available) == (False, "104.945")
    assert granted.price == answers.Price(
        currency="USD",
        per_minute="0.011",
        connection_fee="0",
        first_increment_s=60,
        next_increment_s=60,
        destination="United Kingdom - London",
        prefix="4420",
    )
    noted = msgspec.json.decode(call.next("answer").content, type=answers.Noted)
    assert noted.sequence == 1
    extended = call.next("extend", used_seconds=240)
    granted = msgspec.json.decode(extended.content, type=answers.Granted)
    assert (granted.granted_seconds, granted.balance.available) == (300, "104.901")
    ended = call.next("settle", used_seconds=301, cause="normal_clearing")
    settled = msgspec.json.decode(ended.content, type=answers.Settled)
    assert (settled.billed_seconds, settled.charge) == (360, "0.066")
    assert settled.balance is not None
    assert settled.balance.available == "104.934"


def test_a_running_call_is_shown_with_its_hold_and_an_ended_one_with_its_record(
    service: Service,
) -> None:
    call = service.call()
    call.authorize()
    shown = msgspec.convert(call.show(), answers.CallShown)
    assert (shown.state, shown.granted_seconds, shown.held) == ("open", 300, "0.055")
    assert (shown.from_, shown.to) == (service.demo.caller, service.demo.callee)
    assert shown.usage == []
    settled = call.next("settle", used_seconds=61, cause="normal_clearing").json()
    shown = msgspec.convert(call.show(), answers.CallShown)
    assert (shown.state, shown.held, shown.charge) == ("settled", "0", "0.022")
    assert [(r.usage_id, r.used_seconds, r.billed_seconds) for r in shown.usage] == [
        (settled["usage_id"], 61, 120)
    ]


@pytest.mark.layouts("sqlite")
def test_a_call_id_may_hold_any_printable_character(service: Service) -> None:
    for call_id in ('a/b?c#d%e f@[::1]:5060;x="y"', "..", "~" * 255, "%2F", "+"):
        path = f"/v1/calls/{quote(call_id, safe='')}".replace("/..", "/%2E%2E")
        body = {"sequence": 0, "type": "user_out", "from": service.demo.caller}
        granted = service.post(f"{path}/authorize", {**body, "to": service.demo.callee})
        assert (granted.status_code, granted.json()["call_id"]) == (200, call_id), granted.text
        assert service.get(path).json()["call_id"] == call_id


def test_a_repeated_request_gets_the_same_bytes_and_charges_once(service: Service) -> None:
    call = service.call()
    requests = [
        ("authorize", {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}),
        ("extend", {"used_seconds": 240}),
        ("settle", {"used_seconds": 240, "cause": "normal_clearing"}),
    ]
    first = [call.next(verb, **body) for verb, body in requests]
    again = [
        call.send(verb, {"sequence": sequence, **body})
        for sequence, (verb, body) in enumerate(requests)
    ]
    assert [answer.status_code for answer in first] == [200, 200, 200]
    assert [answer.content for answer in again] == [answer.content for answer in first]
    assert all("idempotent-replayed" not in answer.headers for answer in first)
    assert all(answer.headers["idempotent-replayed"] == "true" for answer in again)
    assert len(call.show()["usage"]) == 1


@pytest.mark.layouts("sqlite")
def test_a_refusal_is_repeated_too(service: Service) -> None:
    call = service.call()
    body = {"sequence": 0, "type": "user_out", "from": service.demo.caller, "to": "+4940"}
    first, again = call.send("authorize", body), call.send("authorize", body)
    assert (first.status_code, first.json()["code"]) == (422, "invalid_number")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.layouts("sqlite", "sqlite-cells")
def test_an_authorize_is_repeated_even_when_its_caller_is_gone(
    service: Service, store: Store
) -> None:
    call = service.call()
    first = call.authorize()
    control = store.control()
    with control.transaction():
        organisation = find_organisation(control, ORGANISATION)
        release_number(control, organisation, service.demo.caller)
    digits = service.demo.caller[1:]
    assert service.until(lambda: service.engine.directory.directory.number(digits) is None)
    again = call.send("authorize", {"sequence": 0, **_parties(service)})
    assert (again.status_code, again.content) == (200, first.content)
    other = service.call().authorize()
    assert (other.status_code, other.json()["code"]) == (404, "unknown_caller")


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_of_a_conference_is_shown_and_recorded_with_its_id(
    service: Service, store: Store
) -> None:
    call, room = service.call(), "room-7/2026-11-22 ~"
    of_room = {"type": "conf_in", "service_number": service.demo.toll_free, "conference_id": room}
    assert call.authorize(**of_room).status_code == 200
    assert call.show()["conference_id"] == room
    other = {"sequence": 0, **_parties(service), **of_room, "conference_id": "room-8"}
    assert call.send("authorize", other).json()["code"] == "sequence_reused"
    assert call.next("settle", used_seconds=61).status_code == 200
    plain = service.call()
    plain.authorize()
    assert plain.show()["conference_id"] is None
    assert plain.next("settle", used_seconds=61).status_code == 200
    found = {}
    for name in store.cells:
        cell = store.cell(name)
        with cell.reading():
            found |= dict(cell.rows("SELECT call_key, conference_id FROM usage_record"))
    assert found == {call.call_id: room, plain.call_id: ""}


def test_a_request_without_a_conference_is_the_one_that_it_was_before_there_were_any() -> None:
    """Its answer was kept under this hash: sent again after an upgrade, it gets that."""
    said = {"sequence": 0, "type": "conf_out", "organizer": "desk@contoso.example"}
    plain, of_room = (
        msgspec.convert(said | {"to": "+493012345678"} | more, AuthorizeBody)
        for more in ({}, {"conference_id": "room-7"})
    )
    assert body_hash(plain) == 1453608556424975020
    assert body_hash(of_room) != body_hash(plain)


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_to_a_number_that_nobody_has_any_more_is_free_and_shown_as_such(
    service: Service, store: Store
) -> None:
    number, control = service.demo.caller, store.control()
    with control.transaction():
        organisation = find_organisation(control, ORGANISATION)
        attach_number(control, organisation, number, attached=NOT_ATTACHED)
    directory = service.engine.directory.directory
    assert service.until(lambda: directory.number(number[1:]).user_id is None)
    call, into = service.call(), {"type": "user_in", "from": "+4930123456", "to": number}
    granted = call.authorize(**into)
    assert granted.status_code == 200
    assert f"number: {number} is assigned to nobody" in granted.json()["because"]
    settled = call.next("settle", used_seconds=61).json()
    assert (settled["charge"], settled["balance"]["available"]) == ("0", "105")
    shown = call.show()
    assert (shown["type"], [each["charge"] for each in shown["usage"]]) == ("unassigned_in", ["0"])
    cell = store.cell(organisation.cell)
    with cell.reading():
        columns = "type, user_id, charge_micros, capability"
        rows = cell.rows(f"SELECT {columns} FROM usage_record WHERE call_key = ?", [call.call_id])
    assert rows == [("unassigned_in", None, 0, "")]


def _parties(service: Service) -> dict[str, str]:
    return {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}


@pytest.mark.layouts("sqlite")
def test_a_settle_of_a_call_never_authorized_is_answered_and_charges_nothing(
    service: Service,
) -> None:
    call = service.call()
    settled = call.next("settle", used_seconds=600)
    assert settled.status_code == 200
    body = msgspec.json.decode(settled.content, type=answers.Settled)
    assert (body.charge, body.billed_seconds, body.usage_id) == ("0", 0, None)
    assert "must be settled again" in body.because[0]
    assert service.get(call.path).json()["code"] == "unknown_call"


@pytest.mark.layouts("sqlite")
def test_more_seconds_than_can_have_been_talked_are_refused_and_leave_no_trace(
    service: Service, store: Store
) -> None:
    call = service.call()
    granted_s = call.authorize().json()["granted_seconds"]
    before = rows_of_books(store)
    for verb in ("extend", "settle"):
        answer = call.send(verb, {"sequence": 1, "used_seconds": granted_s + 361})
        assert (answer.status_code, answer.json()["code"]) == (422, "used_seconds_out_of_range")
        assert f"at most {granted_s + 360} s" in answer.json()["detail"]
    assert rows_of_books(store) == before
    assert call.send("settle", {"sequence": 1, "used_seconds": granted_s}).status_code == 200


@pytest.mark.layouts("sqlite")
def test_an_answer_belongs_near_its_call_and_before_the_services_clock(service: Service) -> None:
    for minutes, status in ((-2, 422), (6, 422), (0, 200), (4, 200)):
        call = service.call()
        call.authorize()
        at = utc_text(clock_ms() + minutes * 60_000)
        answer = call.next("answer", answered_at=at)
        assert answer.status_code == status, answer.text
        if status == 422:
            assert answer.json()["code"] == "time_out_of_range"


@pytest.mark.layouts("sqlite")
def test_a_call_that_began_some_weeks_ago_is_rated_at_its_own_time(service: Service) -> None:
    for days, status in ((91, 200), (93, 422), (-1, 422)):
        call = service.call()
        at = utc_text(clock_ms() - days * DAY_MS)
        answer = call.authorize(at=at)
        assert answer.status_code == status, answer.text
        if status == 422:
            assert answer.json()["code"] == "time_out_of_range"
        else:
            assert call.show()["started_at"] == at


@pytest.mark.layouts("sqlite")
def test_other_addresses_and_methods_are_refused_as_problems(service: Service) -> None:
    for path in ("/v1", "/v1/", "/v1/calls", "/v1/calls/a/b/c", "/v1/calls/a/cancel", "/v2/quotes"):
        answer = service.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        assert answer.headers["content-type"] == "application/problem+json"
    for method, path, allow in (
        ("GET", "/v1/calls/a/settle", "POST, OPTIONS"),
        ("DELETE", "/v1/calls/a", "GET, HEAD, OPTIONS"),
        ("PUT", "/v1/quotes", "POST, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
    ):
        answer = service.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), path
        assert answer.headers["allow"] == allow
    answer = service.http.options("/v1/quotes")
    assert (answer.status_code, answer.headers["allow"]) == (204, "POST, OPTIONS")
    head = service.http.head("/v1/openapi.json")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(service.get("/v1/openapi.json").content)

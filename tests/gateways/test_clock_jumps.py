"""The service's clock is set while calls run: over HTTP. How it is for the other dialects stands
beside their tests."""

from collections.abc import Iterator

import pytest

from talktime.operations.render import utc_text
from tests.clocks import JUMPS_S, SetClock, books_faults, closed_by_deadline
from tests.served import Service, SwitchCall, clock_ms, rows_of_books, serving
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def service(store: Store, clock: SetClock) -> Iterator[Service]:
    with serving(store, sources=clock.sources) as running:
        yield running


def begun(service: Service) -> SwitchCall:
    """A call that has talked for 240 seconds of 540."""
    call = service.call()
    assert call.authorize().json()["granted_seconds"] == 300
    assert call.next("answer").status_code == 200
    assert call.next("extend", used_seconds=240).json()["granted_seconds"] == 300
    return call


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_a_call_over_a_jump_is_charged_for_what_was_talked(
    service: Service, store: Store, clock: SetClock, by_s: int
) -> None:
    call = begun(service)
    clock.jump(by_s)
    more = call.next("extend", used_seconds=300)
    assert (more.status_code, more.json()["granted_seconds"]) == (200, 300)
    other = begun(service)
    settled = call.next("settle", used_seconds=421, cause="normal_clearing")
    assert settled.json()["charge"] == "0.088"
    assert other.next("settle", used_seconds=241, cause="normal_clearing").status_code == 200
    assert [each["used_seconds"] for each in call.show()["usage"]] == [421]
    assert books_faults(store, clock) == []


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_what_was_answered_before_a_jump_is_answered_so_after_it(
    service: Service, store: Store, clock: SetClock, by_s: int
) -> None:
    call = service.call()
    asked = [
        ("authorize", {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}),
        ("answer", {"answered_at": utc_text(clock_ms())}),
        ("extend", {"used_seconds": 240}),
        ("settle", {"used_seconds": 421, "cause": "normal_clearing"}),
    ]
    first = [call.next(verb, **body).content for verb, body in asked]
    before = rows_of_books(store)
    clock.jump(by_s)
    again = [
        call.send(verb, {"sequence": sequence, **body}).content
        for sequence, (verb, body) in enumerate(asked[1:], 1)
    ]
    assert [call.send("authorize", {"sequence": 0, **asked[0][1]}).content, *again] == first
    assert rows_of_books(store) == before


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_a_silent_call_is_closed_at_its_deadline_earlier_or_later_by_no_more_than_the_jump(
    service: Service, store: Store, clock: SetClock, by_s: int
) -> None:
    call = begun(service)
    until_s = 360  # 300 granted from here, and 60 of grace
    clock.jump(by_s)
    if by_s < until_s:
        assert closed_by_deadline(store, clock) == 0
        clock.jump(until_s - by_s - 30)
        assert closed_by_deadline(store, clock) == 0
        clock.jump(31)
    assert closed_by_deadline(store, clock) == 1
    assert (call.show()["state"], call.show()["used_seconds"]) == ("expired", 240)
    assert closed_by_deadline(store, clock) == 0
    assert books_faults(store, clock) == []


def test_a_call_that_a_jump_closed_is_ended_by_its_switch_and_charged_once_for_all_of_it(
    service: Service, store: Store, clock: SetClock
) -> None:
    call = begun(service)
    clock.jump(3_600)
    assert closed_by_deadline(store, clock) == 1
    refused = call.next("extend", used_seconds=300)
    assert (refused.status_code, refused.json()["code"]) == (410, "call_settled")
    clock.jump(-3_600)
    assert call.next("settle", used_seconds=301, cause="service_end").json()["charge"] == "0.066"
    usage = {each["kind"]: each["charge"] for each in call.show()["usage"]}
    assert usage == {"call": "0.044", "correction": "0.022"}
    assert books_faults(store, clock) == []


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_an_answer_is_noted_by_the_switchs_clock_when_the_services_was_wrong_before(
    service: Service, store: Store, clock: SetClock, by_s: int
) -> None:
    """Its clock is set right between the beginning of a call and its answer."""
    clock.jump(-by_s)
    call = service.call()
    call.authorize()
    clock.jump(by_s)
    assert call.next("answer", answered_at=utc_text(clock_ms())).status_code == 200
    assert call.next("settle", used_seconds=61, cause="").json()["charge"] == "0.022"
    assert books_faults(store, clock) == []


@pytest.mark.parametrize("by_s", [-3_600, 3_600])
def test_a_long_poll_waits_as_long_as_it_was_asked_to(
    service: Service, clock: SetClock, by_s: int
) -> None:
    began_ms = clock_ms()
    clock.jump(by_s)
    answer = service.get("/v1/calls:ending?wait=1").json()
    assert (answer["calls"], answer["cursor"]) == ([], "")
    assert 1_000 <= clock_ms() - began_ms < 20_000


def test_lots_that_a_jump_passed_are_not_granted_from_until_it_is_taken_back(
    service: Service, store: Store, clock: SetClock
) -> None:
    """What is held for a running call stays held, and pays for it."""
    cell = store.cell()
    with cell.transaction():
        cell.run("UPDATE lot SET expires_ms = ?", [clock_ms() + 1_800_000])
        cell.run("UPDATE wallet SET version = version + 1")
    call = begun(service)
    clock.jump(3_600)
    refused = service.call().authorize().json()
    assert refused["code"] == "insufficient_credit"
    clock.jump(-3_600)
    assert service.call().authorize().json()["decision"] == "granted"
    assert call.next("settle", used_seconds=301, cause="").json()["charge"] == "0.066"
    assert books_faults(store, clock) == []

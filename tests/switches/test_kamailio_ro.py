"""Kamailio charging over Diameter by itself (ims_charging, examples/kamailio-ro); requests that
come again; freeDiameter as a relay between a client and the service."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

import pytest

from tests.gateways.diameter.asked import (
    INITIAL,
    TERMINATION,
    UPDATE,
    credit,
)
from tests.gateways.diameter.serving import Client
from tests.loopback import LOOPBACKS, NAMES_OF_SIX, SIX
from tests.stores import Stores
from tests.switches.exchange_ro import (
    ANSWERS,
    PROXY_REALM,
    SERVICE_HOST,
    SERVICE_REALM,
    RoExchange,
)
from tests.switches.layouts import BOTH, layout
from tests.switches.office import BY_THE_SECOND, MICROS_A_SECOND, Office, Wallet
from tests.switches.phones import Phone
from tests.switches.programs import wait_until
from tests.switches.relay import RELAY_HOST, Relay

CLIENT_HOST = "client.contoso.example"
PATIENCE_S = 40
SUCCESS, UNKNOWN_SESSION = 2001, 5002
ACCOUNT_S, UNIT_S, FIRST_TALKS_S, SECOND_AFTER_S = 75, 30, 50, 37
MANY = 30


@pytest.fixture
def new_exchange(
    request: pytest.FixtureRequest, stores: Stores, tmp_path: Path
) -> Iterator[Callable[..., RoExchange]]:
    """Call it for an exchange whose Kamailio asks for so many seconds at a time, or without one;
    `kind=` of database."""
    with ExitStack() as running:

        def create(units: int = 0, kind: str = "sqlite", **where: str) -> RoExchange:
            store = stores.make(layout(request, kind))
            running.callback(stores.drop, store)
            peers = (CLIENT_HOST, RELAY_HOST)
            made = running.enter_context(RoExchange(tmp_path, store, units, *peers, **where))
            running.callback(made.prove_books)
            return made

        yield create


class LongCalls(NamedTuple):
    """Two calls on an account of 75 seconds, which takes a minute to be used up: it passes while
    the other tests of this file run. The second one begins when the first has its second unit."""

    exchange: RoExchange
    office: Office
    first: Phone
    second: "Future[Phone]"


@pytest.fixture(scope="module", autouse=True)
def long_calls(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LongCalls]:
    """Started before the other tests of this file, judged by the last."""
    store = stores.make(layout(request, "postgres"))
    with RoExchange(tmp_path_factory.mktemp("long"), store, UNIT_S) as exchange:
        office, second = exchange.office(seconds=ACCOUNT_S), Future[Phone]()
        first = exchange.caller(office, "caller_hangs_up", talks_ms=FIRST_TALKS_S * 1000)
        wait_until(lambda: first.sent("ACK"), "an answered call")
        timer = Timer(
            SECOND_AFTER_S,
            lambda: second.set_result(exchange.caller(office, "caller_stays")),
        )
        timer.start()
        yield LongCalls(exchange, office, first, second)
        timer.cancel()
        exchange.prove_books()
    stores.drop(store)


def answers(exchange: RoExchange, call_id: str) -> list[dict[str, Any]]:
    """What a call's requests were answered, by their numbers."""
    cell = exchange.store.cell()
    with cell.reading():
        return [json.loads(body) for _, body in cell.rows(ANSWERS, [call_id])]


def asked(office: Office, session: str, kind: int, number: int, **units: int) -> Any:
    """A Credit-Control-Request of a client that stands beside Kamailio."""
    found = credit(
        *(session, kind, number),
        calling=f"sip:{office.caller}@ua",
        called=f"sip:{BY_THE_SECOND}@gw",
        host=CLIENT_HOST,
        **units,
    )
    found.destination_host, found.destination_realm = SERVICE_HOST.encode(), SERVICE_REALM.encode()
    found.origin_realm = PROXY_REALM.encode()
    return found


def again(request: Any) -> Any:
    """The same request with the T flag."""
    request.header.is_retransmit = True
    return request


def granted(answer: Any) -> tuple[int, int, bool]:
    """The result, the seconds granted, and whether they are the last."""
    [service] = answer.multiple_services_credit_control or [None]
    unit = service.granted_service_unit if service else None
    final = service is not None and service.final_unit_indication is not None
    return answer.result_code, unit.cc_time if unit else 0, final


def test_an_account_of_twelve_seconds_is_used_up_by_units_of_five(
    new_exchange: Callable[..., RoExchange],
) -> None:
    exchange = new_exchange(units=5)
    office, poor = exchange.office(seconds=12), exchange.office()
    phone = exchange.caller(office, "caller_stays")
    phone.wait(PATIENCE_S)
    exchange.closed(office)
    call = office.call()
    assert call[1:] == ("settled", 12, 12 * MICROS_A_SECOND, 0)
    assert office.wallet() == Wallet(0, 0, 0)
    told = answers(exchange, call.call_id)
    grants = [(each["granted_seconds"], each["final"]) for each in told[:-1]]
    assert grants[0] == (5, False)
    assert [final for _, final in grants] == [False] * (len(grants) - 1) + [True]
    there = exchange.answering.of(phone.messages()[0].call_id)
    wait_until(lambda: there.got("BYE"), "a BYE on the callee's leg")

    refused = exchange.caller(poor, "caller_stays")
    refused.wait()
    assert [m.status for m in refused.messages() if m.status >= 200] == [402]
    assert refused.reasons() == ['Q.850;cause=21;text="Diameter 4012"']
    assert poor.wallet() == Wallet(0, 0, 0)
    helped = exchange.caller(poor, "caller_hangs_up", called="112")
    helped.wait()
    assert [m.status for m in helped.messages() if m.status >= 200] == [200, 200]


def test_calls_that_run_out_of_money_are_cut_on_both_legs_however_many(
    long_calls: LongCalls,
) -> None:
    exchange = long_calls.exchange
    phones = [exchange.caller(exchange.office(seconds=1), "caller_stays") for _ in range(MANY)]
    for phone in phones:
        phone.wait(PATIENCE_S)
    legs = [exchange.answering.of(phone.messages()[0].call_id) for phone in phones]
    wait_until(lambda: all(leg.got("BYE") for leg in legs), "a BYE on each callee's leg")


@pytest.mark.parametrize("database", BOTH)
def test_a_request_that_comes_again_is_answered_again_and_counts_once(
    new_exchange: Callable[..., RoExchange], database: str
) -> None:
    exchange = new_exchange(kind=database)
    office = exchange.office(seconds=12)
    client = exchange.client(CLIENT_HOST)
    requests: list[tuple[int, int, dict[str, int]]] = [
        (INITIAL, 0, {"asked": 5}),
        (UPDATE, 1, {"used": 3, "asked": 5}),
        (UPDATE, 2, {"used": 4, "asked": 5}),
        (TERMINATION, 3, {"used": 6}),
    ]
    told = []
    for kind, number, units in requests:
        told.append(granted(client.ask(asked(office, "s;1", kind, number, **units))))
        wallet = office.wallet()
        repeated = again(asked(office, "s;1", kind, number, **units))
        assert granted(client.ask(repeated)) == told[-1]
        assert office.wallet() == wallet
    exchange.kill_service()
    exchange.start_service()
    client = exchange.client(CLIENT_HOST)
    for (kind, number, units), before in zip(requests, told, strict=True):
        repeated = again(asked(office, "s;1", kind, number, **units))
        # What was granted is not held any more: only the end is said again.
        ended = kind == TERMINATION
        assert granted(client.ask(repeated)) == (before if ended else (UNKNOWN_SESSION, 0, False))
    assert told == [
        (SUCCESS, 5, False),
        (SUCCESS, 5, False),
        (SUCCESS, 5, True),
        (SUCCESS, 0, False),
    ]
    assert office.call()[1:] == ("settled", 12, 12 * MICROS_A_SECOND, 0)
    assert office.wallet() == Wallet(0, 0, 0)


@pytest.mark.parametrize("name", NAMES_OF_SIX)
def test_kamailio_charges_over_ipv6(new_exchange: Callable[..., RoExchange], name: str) -> None:
    exchange = new_exchange(units=5, host=SIX, identity=name)
    office = exchange.office(seconds=7)
    exchange.caller(office, "caller_stays").wait(PATIENCE_S)
    exchange.closed(office)
    assert office.call()[1:] == ("settled", 7, 7 * MICROS_A_SECOND, 0)
    assert office.wallet() == Wallet(0, 0, 0)


@pytest.mark.parametrize("host", LOOPBACKS)
def test_a_relay_may_stand_between_a_client_and_the_service(
    new_exchange: Callable[..., RoExchange], host: str
) -> None:
    exchange = new_exchange(host=host)
    office = exchange.office(seconds=12)
    service = (SERVICE_HOST, exchange.port)
    with Relay(exchange.folder, service, CLIENT_HOST, host) as relay:
        wait_until(lambda: exchange.connected(RELAY_HOST), relay.said())
        client: Client = exchange.client(CLIENT_HOST, relay.port)
        first = asked(office, "s;1", INITIAL, 0, asked=5)
        assert granted(client.ask(first)) == (SUCCESS, 5, False)
        assert granted(client.ask(again(first))) == (SUCCESS, 5, False)
        more = asked(office, "s;1", UPDATE, 1, used=5, asked=60)
        assert granted(client.ask(more)) == (SUCCESS, 7, True)
        last = asked(office, "s;1", TERMINATION, 2, used=2)
        assert granted(client.ask(last)) == (SUCCESS, 0, False)
    assert office.call()[1:] == ("settled", 7, 7 * MICROS_A_SECOND, 0)
    assert office.wallet() == Wallet(5 * MICROS_A_SECOND, 0, 0)


def test_two_calls_share_an_account_and_a_third_uses_up_what_they_left(
    long_calls: LongCalls,
) -> None:
    exchange, office, first, second = long_calls
    first.wait(PATIENCE_S)
    second.result(PATIENCE_S).wait(PATIENCE_S)
    exchange.closed(office, calls=2)
    one, other = [
        [(each["granted_seconds"], each["final"]) for each in answers(exchange, call.call_id)[:-1]]
        for call in office.calls()
    ]
    assert one == [(UNIT_S, False), (UNIT_S, False)]
    [(seconds, final)] = other
    # Kamailio asks a second before its unit is over; D8: there is no more while the first holds it.
    assert ACCOUNT_S - 2 * UNIT_S <= seconds <= ACCOUNT_S - 2 * UNIT_S + 3
    assert final
    used = [call.used_s for call in office.calls()]
    assert used[0] == pytest.approx(FIRST_TALKS_S, abs=2)
    assert used[1] == pytest.approx(seconds, abs=1)
    exchange.caller(office, "caller_stays").wait(PATIENCE_S)
    exchange.closed(office, calls=3)
    assert sum(call.used_s for call in office.calls()) == ACCOUNT_S
    assert sum(call.charged for call in office.calls()) == ACCOUNT_S * MICROS_A_SECOND
    assert office.wallet() == Wallet(0, 0, 0)

"""Kamailio with the configuration of examples/kamailio, and SIPp as telephones: who may talk is
decided before the call, nobody talks longer than was paid for, every call is settled once."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import ceil
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.loopback import SIXES
from tests.stores import Stores
from tests.switches.exchange import Exchange
from tests.switches.layouts import BOTH, layout
from tests.switches.office import BY_THE_MINUTE, MICROS_A_SECOND, Wallet
from tests.switches.phones import Leg, Phone
from tests.switches.programs import wait_until

MINUTE = 60
RINGS_MS = "1500"


def shared(stores: Stores, folder: Path, kind: str) -> Iterator[Exchange]:
    """An exchange for tests that neither kill a part of it nor need other slices."""
    store = stores.make(kind)
    with Exchange(folder, store, TALKTIME_SLICE_SECONDS="60") as running:
        yield running
        running.prove_books()
    stores.drop(store)


@pytest.fixture(scope="module")
def exchange(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exchange]:
    """The one that most tests share."""
    folder = tmp_path_factory.mktemp("exchange")
    yield from shared(stores, folder, layout(request, "postgres"))


@pytest.fixture(scope="module", params=BOTH)
def either(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exchange]:
    """One on each kind of database."""
    if request.param == "postgres":
        yield request.getfixturevalue("exchange")
        return
    folder = tmp_path_factory.mktemp("exchange")
    yield from shared(stores, folder, layout(request, "sqlite"))


@pytest.fixture
def new_exchange(
    request: pytest.FixtureRequest, stores: Stores, tmp_path: Path
) -> Iterator[Callable[..., Exchange]]:
    """Call it for one of the test's own: `slice_s=`, `grace_s=`, `kind=` of database."""
    with ExitStack() as running:

        def create(
            slice_s: int, grace_s: int = 60, kind: str = "sqlite", host: str = "127.0.0.1"
        ) -> Exchange:
            store = stores.make(layout(request, kind))
            running.callback(stores.drop, store)
            environ = {
                "TALKTIME_SLICE_SECONDS": str(slice_s),
                "TALKTIME_GRACE_SECONDS": str(grace_s),
            }
            made = running.enter_context(Exchange(tmp_path, store, host, **environ))
            running.callback(made.prove_books)
            return made

        yield create


def talked_s(leg: Phone | Leg) -> float:
    """Seconds from the answer until the call was hung up, as one telephone saw it."""
    answered, *_ = [m for m in leg.messages() if m.status == 200]
    [bye] = [m for m in leg.messages() if m.method == "BYE"]
    return bye.at_s - answered.at_s


def in_talk(phone: Phone) -> None:
    """Wait until a call of this telephone was answered."""
    wait_until(lambda: phone.sent("ACK"), "an answered call")


def test_a_call_is_cut_on_both_legs_when_its_credit_is_used_up(either: Exchange) -> None:
    exchange = either
    office = exchange.office(seconds=3)
    phone = exchange.caller(office, "caller_stays")
    phone.wait()
    exchange.closed(office)
    assert talked_s(phone) == pytest.approx(3, abs=0.5)
    there = exchange.answering.of(phone.messages()[0].call_id)
    wait_until(lambda: there.got("BYE"), "a BYE on the callee's leg")
    assert talked_s(there) == pytest.approx(3, abs=0.5)
    assert phone.reasons() == ['Q.850;cause=31;text="grant_used_up"']
    call = office.call()
    assert call[1:] == ("settled", 3, 3 * MICROS_A_SECOND, 0)
    assert office.wallet() == Wallet(0, 0, 0)
    [usage] = exchange.shown(call.call_id)["usage"]
    assert (usage["used_seconds"], usage["cause"]) == (3, "grant_used_up")
    exchange.prove_books()


def test_an_empty_wallet_pays_for_no_call(exchange: Exchange) -> None:
    office = exchange.office()
    phone = exchange.caller(office, "caller_stays")
    phone.wait()
    assert [message.status for message in phone.messages() if message.status >= 200] == [402]
    assert phone.reasons() == ['Q.850;cause=21;text="no_tenant_credit_capability"']
    assert office.call()[1:] == ("refused", 0, 0, 0)
    assert office.wallet() == Wallet(0, 0, 0)


def test_a_caller_that_nobody_knows_is_put_through_to_an_emergency_number_alone(
    exchange: Exchange,
) -> None:
    office = exchange.office(seconds=60)
    office.caller = "+14255559999"
    phone = exchange.caller(office, "caller_stays")
    phone.wait()
    assert [message.status for message in phone.messages() if message.status >= 200] == [403]
    assert phone.reasons() == ['Q.850;cause=21;text="unknown_caller"']
    helped = exchange.caller(office, "caller_hangs_up", called="112")
    helped.wait()
    assert [message.status for message in helped.messages() if message.status >= 200] == [200, 200]


@pytest.mark.parametrize("gives_up", ["the caller", "the callee", "the proxy"])
def test_a_call_that_nobody_answered_is_free(exchange: Exchange, gives_up: str) -> None:
    office = exchange.office(seconds=60)
    callee = "callee_is_busy" if gives_up == "the callee" else "callee_rings"
    caller = "caller_gives_up" if gives_up == "the caller" else "caller_stays"
    proxy = exchange.new_proxy(exchange.callee(callee), MY_RING_MS=RINGS_MS)
    phone = exchange.caller(office, caller, proxy=proxy)
    phone.wait()
    exchange.closed(office)
    status = {"the caller": 487, "the callee": 486, "the proxy": 408}[gives_up]
    assert phone.got(status)
    call = office.call()
    assert call[1:] == ("released", 0, 0, 0)
    assert office.wallet() == Wallet(60 * MICROS_A_SECOND, 0, 0)
    [usage] = exchange.shown(call.call_id)["usage"]
    assert usage["cause"] == ("no_answer" if gives_up == "the proxy" else f"sip_{status}")


def test_a_call_is_charged_for_its_started_seconds(exchange: Exchange) -> None:
    office = exchange.office(seconds=60)
    phone = exchange.caller(office, "caller_hangs_up", talks_ms=1300)
    phone.wait()
    exchange.closed(office)
    assert office.call()[1:] == ("settled", 2, 2 * MICROS_A_SECOND, 0)
    assert office.wallet() == Wallet(58 * MICROS_A_SECOND, 0, 0)


def test_a_call_is_cut_when_its_organisation_is_switched_off(exchange: Exchange) -> None:
    office = exchange.office(seconds=60)
    phone = exchange.caller(office, "caller_stays")
    in_talk(phone)
    office.switch_off()
    phone.wait()
    exchange.closed(office)
    assert phone.reasons() == ['Q.850;cause=31;text="organisation_inactive"']
    call = office.call()
    assert call.state == "settled"
    # The seconds that have begun, as the proxy saw them: it hears of answer and end before others.
    talked = talked_s(phone)
    assert ceil(talked - 0.5) <= call.used_s <= ceil(talked + 0.5)
    assert office.wallet() == Wallet((60 - call.used_s) * MICROS_A_SECOND, 0, 0)


def test_two_hundred_calls_share_the_credit_for_fifty(either: Exchange) -> None:
    exchange = either
    office = exchange.office(seconds=50 * MINUTE)
    options = {"called": BY_THE_MINUTE, "calls": 200, "a_second": 20, "talks_ms": 11_000}
    phone = exchange.caller(office, "caller_hangs_up", **options)
    phone.wait(60)
    exchange.closed(office, calls=200)
    answers = [m for m in phone.got(402) + phone.got(200) if "INVITE" in m.of]
    # Over UDP one that is not acknowledged in time comes again.
    finals = Counter(status for _, status in {(m.call_id, m.status) for m in answers})
    assert finals == {200: 50, 402: 150}
    assert Counter(call.state for call in office.calls()) == {"settled": 50, "refused": 150}
    assert {call.charged for call in office.calls()} == {0, MINUTE * MICROS_A_SECOND}
    assert office.wallet() == Wallet(0, 0, 0)
    exchange.prove_books()


def test_a_long_call_goes_on_slice_by_slice(
    new_exchange: Callable[..., Exchange],
) -> None:
    exchange = new_exchange(slice_s=4, grace_s=2)
    office = exchange.office(seconds=60)
    phone = exchange.caller(office, "caller_hangs_up", talks_ms=9_500)
    phone.wait()
    exchange.closed(office)
    assert talked_s(phone) == pytest.approx(9.5, abs=0.3)
    call = office.call()
    assert call[1:] == ("settled", 10, 10 * MICROS_A_SECOND, 0)
    assert exchange.shown(call.call_id)["granted_seconds"] >= 10
    assert office.wallet() == Wallet(50 * MICROS_A_SECOND, 0, 0)


@pytest.mark.parametrize("host", SIXES)
def test_a_call_over_ipv6_is_asked_for_cut_and_settled(
    new_exchange: Callable[..., Exchange], host: str
) -> None:
    exchange = new_exchange(slice_s=4, host=host)
    office = exchange.office(seconds=6)
    phone = exchange.caller(office, "caller_stays")
    phone.wait()
    exchange.closed(office)
    assert talked_s(phone) == pytest.approx(6, abs=0.5)
    assert phone.reasons() == ['Q.850;cause=31;text="grant_used_up"']
    assert office.call()[1:] == ("settled", 6, 6 * MICROS_A_SECOND, 0)
    assert office.wallet() == Wallet(0, 0, 0)


def test_a_call_whose_proxy_died_is_closed_after_its_grant_and_the_grace(
    new_exchange: Callable[..., Exchange],
) -> None:
    exchange = new_exchange(slice_s=4, grace_s=2, kind="postgres")
    office = exchange.office(seconds=60)
    phone = exchange.caller(office, "caller_stays")
    in_talk(phone)
    exchange.proxy.kill()
    exchange.closed(office)
    call = office.call()
    assert (call.state, call.held) == ("expired", 0)
    assert call.charged <= 4 * MICROS_A_SECOND
    assert office.wallet() == Wallet(60 * MICROS_A_SECOND - call.charged, 0, 0)
    [usage] = exchange.shown(call.call_id)["usage"]
    assert (usage["cause"], usage["flags"]) == ("deadline_passed", ["expired"])


def test_a_call_is_known_to_a_service_that_was_killed_and_started_again(
    new_exchange: Callable[..., Exchange],
) -> None:
    exchange = new_exchange(slice_s=20, kind="postgres")
    office = exchange.office(seconds=60)
    phone = exchange.caller(office, "caller_hangs_up", talks_ms=7_400)
    in_talk(phone)
    wait_until(lambda: office.calls(), "a call in the books")
    exchange.kill_service()
    exchange.start_service()
    assert exchange.shown(office.call().call_id)["state"] == "open"
    phone.wait()
    exchange.closed(office)
    assert office.call()[1:] == ("settled", 8, 8 * MICROS_A_SECOND, 0)


def test_a_call_that_ends_while_the_service_is_away_is_settled_once(
    new_exchange: Callable[..., Exchange],
) -> None:
    exchange = new_exchange(slice_s=20)
    office = exchange.office(seconds=60)
    phone = exchange.caller(office, "caller_hangs_up", talks_ms=1_500)
    in_talk(phone)
    exchange.kill_service()
    phone.wait()
    wait_until(lambda: "settles wait" in exchange.proxy.said(), "a settle that waits")
    exchange.start_service()
    exchange.closed(office)
    call = office.call()
    assert call[1:] == ("settled", 2, 2 * MICROS_A_SECOND, 0)
    again = {"sequence": 100_000, "used_seconds": 2, "cause": "normal_clearing"}
    path = f"/v1/calls/{quote(call.call_id, safe='')}/settle"
    answer = exchange.http.post(path, json=again)
    assert (answer.status_code, answer.headers["idempotent-replayed"]) == (200, "true")
    assert office.wallet() == Wallet(58 * MICROS_A_SECOND, 0, 0)


def test_without_the_service_nobody_is_put_through_but_to_an_emergency_number(
    new_exchange: Callable[..., Exchange],
) -> None:
    exchange = new_exchange(slice_s=20)
    office = exchange.office(seconds=60)
    exchange.kill_service()
    refused = exchange.caller(office, "caller_stays")
    refused.wait()
    assert [message.status for message in refused.messages() if message.status >= 200] == [503]
    assert refused.reasons() == ['Q.850;cause=41;text="no_answer"']
    helped = exchange.caller(office, "caller_hangs_up", called="112")
    helped.wait()
    assert [m.status for m in helped.messages() if m.status >= 200] == [200, 200]
    exchange.start_service()
    assert office.calls() == []

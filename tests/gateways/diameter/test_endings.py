"""Calls that end before their time: by the service, and by their supervision."""

from typing import Any

import pytest

from talktime.core.commands import EndCall, ExpireHold
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.node import Timings
from talktime.operations.execute import execute
from tests.gateways.diameter.asked import HOST, INITIAL, TERMINATION, UPDATE, credit
from tests.gateways.diameter.serving import (
    CALLEE,
    CALLER,
    ORGANISATION_ID,
    Charging,
    add_peer,
    charging,
)
from tests.served import PATIENCE_S, clock_ms, new_id
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")
PERSISTENT = Timings(watchdog_s=PATIENCE_S, retell_s=0.2)


def initial(session: str, **said: Any) -> Any:
    """The first request of a call to Germany."""
    parties = {"calling": f"tel:{CALLER}", "called": f"tel:{CALLEE}"}
    return credit(session, INITIAL, 0, asked=30, **parties, **said)


def end(served: Charging, session: str, code: str = "organisation_inactive") -> None:
    """Mark a call to end, as the job does."""
    book(served, EndCall(served.switch.id, session, ORGANISATION_ID, code))


def book(served: Charging, command: EndCall | ExpireHold, later_ms: int = 0) -> None:
    """Decide a command of the service's own."""
    cell = served.store.cell()
    with cell.transaction():
        execute(cell, [command], clock_ms() + later_ms, new_id)


def test_a_client_is_told_to_end_and_told_why_when_it_asks(store: Store) -> None:
    with charging(store) as served:
        client = served.client()
        client.ask(initial("s;1"))
        end(served, "s;1")
        told = client.requested()
        assert (told.header.command_code, told.header.application_id) == (258, 4)
        assert (told.session_id, told.re_auth_request_type, told.auth_application_id) == (
            "s;1",
            0,
            4,
        )
        assert told.destination_host == HOST.encode()
        answer = told.to_answer()
        answer.session_id, answer.result_code = "s;1", 2002
        client.send(answer)
        refused = client.ask(credit("s;1", UPDATE, 1, used=9, asked=30))
        assert refused.result_code == r.END_USER_SERVICE_DENIED
        assert client.ask(credit("s;1", TERMINATION, 2, used=1)).result_code == r.SUCCESS
        assert served.usage("s;1") == [("call", 10, 10_000)]
        assert served.faults() == []


def test_a_client_is_told_again_until_the_call_has_closed(store: Store) -> None:
    with charging(store, timings=PERSISTENT) as served:
        client = served.client()
        client.ask(initial("s;1"))
        end(served, "s;1")
        assert [client.requested().session_id for _ in range(3)] == ["s;1"] * 3
        client.ask(credit("s;1", TERMINATION, 1, used=1))
        assert served.until(lambda: not served.engine.endings.of_switch(served.switch.id))


def test_a_client_that_does_not_know_the_session_is_not_told_again(store: Store) -> None:
    with charging(store, timings=PERSISTENT) as served:
        client = served.client()
        client.ask(initial("s;1"))
        client.ask(initial("s;2"))
        end(served, "s;1")
        unknown = client.requested().to_answer()
        unknown.session_id, unknown.result_code = "s;1", r.UNKNOWN_SESSION_ID
        client.send(unknown)
        end(served, "s;2")
        told = [client.requested().session_id for _ in range(3)]
        assert told == ["s;2"] * 3


def test_who_sent_the_session_is_told_the_way_it_came(store: Store) -> None:
    with charging(store) as served:
        add_peer(store, served.switch, "relay.contoso.example")
        assert served.until(lambda: served.engine.peers.diameter("relay.contoso.example"))
        other, relay = served.client(), served.client("relay.contoso.example")
        relay.ask(initial("s;1", host="behind.contoso.example"))
        end(served, "s;1")
        told = relay.requested()
        assert (told.session_id, told.destination_host) == ("s;1", b"behind.contoso.example")
        assert other.requests == []


def test_after_a_restart_the_peer_of_the_calls_switch_is_told(store: Store) -> None:
    with charging(store) as served:
        served.client().ask(initial("s;1"))
        switch = served.switch
    with charging(store, switch=switch) as again:
        end(again, "s;1")
        assert again.client().requested().session_id == "s;1"


def test_a_session_that_falls_silent_is_closed_by_its_supervision(store: Store) -> None:
    """The ninth line of the server's states: Tcc expires."""
    with charging(store) as served:
        client = served.client()
        client.ask(initial("s;1"))
        client.ask(credit("s;1", UPDATE, 1, used=20, asked=30))
        expire = ExpireHold(served.switch.id, "s;1", ORGANISATION_ID)
        book(served, expire, later_ms=2 * 420_000 - 60_000)
        assert served.call("s;1").state == "open"
        book(served, expire, later_ms=2 * 420_000 + 60_000)
        assert served.call("s;1").state == "expired"
        assert served.balance_s() == (3_580, 0)
        # What was talked since then is booked when it is reported after all.
        assert client.ask(credit("s;1", TERMINATION, 2, used=5)).result_code == r.SUCCESS
        assert served.usage("s;1") == [("call", 20, 20_000), ("correction", 5, 5_000)]
        assert served.faults() == []


def test_a_peer_that_was_revoked_may_not_charge_any_more(store: Store) -> None:
    with charging(store) as served:
        client = served.client()
        served.revoke(HOST)
        refused = client.ask(initial("s;1"))
        assert refused.result_code == r.AUTHORIZATION_REJECTED
        assert served.balance_s() == (3_600, 0)


@pytest.mark.layouts("sqlite")
def test_a_database_that_is_away_is_a_protocol_error_until_it_is_back(store: Store) -> None:
    with charging(store) as served:
        client = served.client()
        client.ask(initial("s;1"))
        cell = store.settings.cells["main"].path
        assert cell is not None
        aside = cell.rename(cell.with_suffix(".aside"))
        answer = client.ask(credit("s;1", UPDATE, 1, used=9, asked=30))
        assert (answer.result_code, answer.header.is_error) == (r.UNABLE_TO_DELIVER, True)
        assert client.ask(initial("s;2")).result_code == r.UNABLE_TO_DELIVER
        aside.rename(cell)
        again = client.ask(credit("s;1", UPDATE, 1, used=9, asked=30))
        assert again.result_code == r.SUCCESS
        assert served.call("s;1").reported_s == 9

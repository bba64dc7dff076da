"""`talktime serve` as a Diameter node, killed in the middle of a call."""

import re
import signal
import socket

import pytest

from tests.gateways.diameter.asked import INITIAL, OUR_HOST, OUR_REALM, TERMINATION, UPDATE, credit
from tests.gateways.diameter.serving import CALLEE, CALLER, Client, add_peer, populate
from tests.serving import Serving, serving
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite")
NODE = {
    "TALKTIME_DIAMETER_LISTEN": "127.0.0.1:0",
    "TALKTIME_DIAMETER_IDENTITY": OUR_HOST,
    "TALKTIME_DIAMETER_REALM": OUR_REALM,
}
PARTIES = {"calling": f"tel:{CALLER}", "called": f"tel:{CALLEE}"}
WALLET = "SELECT balance_micros, held_micros FROM wallet"


def connected(service: Serving) -> Client:
    """A client, connected to where the process says that it listens."""
    [port] = re.findall(r"^Diameter: 127\.0\.0\.1:(\d+)$", "".join(service.said), re.MULTILINE)
    client = Client(int(port))
    assert client.hello().result_code == 2001
    return client


def test_a_service_that_is_killed_in_mid_call_charges_it_once_when_it_is_back(
    store: Store,
) -> None:
    add_peer(store, populate(store, 100))
    asked = credit("s;1", INITIAL, 0, asked=30, **PARTIES)
    update = credit("s;1", UPDATE, 1, used=20, asked=30)
    with serving({**store.environ, **NODE}) as service:
        client = connected(service)
        first = client.ask(asked).as_bytes()
        client.ask(update)
        service.stop(signal.SIGKILL)
        client.close()
    with serving({**store.environ, **NODE}) as service:
        client = connected(service)
        for message in (asked, update):
            message.header.is_retransmit = True
        assert client.ask(asked).as_bytes()[20:] == first[20:]
        assert client.ask(update).result_code == 2001
        for _ in range(2):
            assert client.ask(credit("s;1", TERMINATION, 2, used=7)).result_code == 2001
        with service.client() as browser:
            counted = browser.get("/metrics").text
        kinds = 'dialect="diameter",message="termination",result="2001"'
        assert f"talktime_messages_total{{{kinds}}} 2.0" in counted
        client.close()
        assert service.stop() == 0
    with (cell := store.cell()).reading():
        assert [tuple(row) for row in cell.rows(WALLET, [])] == [(73_000, 0)]


def test_without_the_engine_there_is_no_diameter_node(store: Store) -> None:
    with serving({**store.environ, **NODE}, "--only", "console") as service:
        assert "Diameter" not in service.words()
        assert service.stop() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.example"])
def test_a_port_that_cannot_be_used_is_named_with_what_to_do(store: Store, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"{host}:{other.getsockname()[1]}"
        process = Serving({**store.environ, **NODE, "TALKTIME_DIAMETER_LISTEN": place})
        try:
            assert process.wait() == 1
            assert "TALKTIME_DIAMETER_LISTEN" in process.words()
        finally:
            process.end()

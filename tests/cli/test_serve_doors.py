"""`talktime serve` with RADIUS ports, killed in the middle of a call. Mirrors
src/talktime/cli/serve_doors.py."""

import re
import signal
import socket
from types import SimpleNamespace

import pytest

from talktime.gateways.radius.attributes import Status
from tests.gateways.radius.nas import Nas, add_client, calls, seconds, usage
from tests.served import seeded
from tests.serving import Serving, serving

pytestmark = pytest.mark.layouts("sqlite")

PORTS = {"TALKTIME_RADIUS_AUTH": "127.0.0.1:0", "TALKTIME_RADIUS_ACCT": "127.0.0.1:0"}


def told(service, name):
    """Where the process says that it listens."""
    [port] = re.findall(rf"^{name}: 127\.0\.0\.1:(\d+)$", "".join(service.said), re.MULTILINE)
    return ("127.0.0.1", int(port))


@pytest.fixture
def sockets():
    """What the clients of a test opened, closed at its end."""
    opened = []
    yield opened
    for each in opened:
        each.close()


def client(service, demo, sockets):
    """A client of the process."""
    auth, acct = told(service, "RADIUS"), told(service, "RADIUS accounting")
    return Nas(SimpleNamespace(demo=demo, auth=auth, acct=acct, sockets=sockets))


def test_a_service_that_is_killed_in_mid_call_charges_it_once_when_it_is_back(store, sockets):
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.1")
    with serving({**store.environ, **PORTS}) as service:
        nas = client(service, demo, sockets)
        assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
        assert nas.account(Status.START).code == 5
        service.stop(signal.SIGKILL)
    with serving({**store.environ, **PORTS}) as service:
        nas = client(service, demo, sockets)
        assert nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=30).code == 5
        for _ in range(2):
            assert nas.account(Status.STOP, ACCT_SESSION_TIME=45).code == 5
        with service.client() as browser:
            counted = browser.get("/metrics").text
        kinds = 'dialect="radius",message="accounting",result="settled"'
        assert f"talktime_messages_total{{{kinds}}} 2.0" in counted
        assert service.stop() == 0
    assert [each[0] for each in usage(store)] == [45]
    assert [each[:2] for each in calls(store)] == [("nas-1/c1", "settled")]


def test_without_the_engine_there_are_no_radius_ports(store):
    with serving({**store.environ, **PORTS}, "--only", "console") as service:
        assert "RADIUS" not in service.words()
        assert service.stop() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.example"])
def test_a_port_that_cannot_be_used_is_named_with_what_to_do(store, host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        place = f"{host}:{other.getsockname()[1]}"
        process = Serving({**store.environ, "TALKTIME_RADIUS_ACCT": place})
        try:
            assert process.wait() == 1, process.words()
            [line] = process.logged
        finally:
            process.end()
    assert line.startswith("talktime: TALKTIME_RADIUS_ACCT: ")
    assert place.partition(":")[0] in line

"""What a serving process logs, and what it answers to whom it does not know."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.serving import Serving, serving

pytestmark = pytest.mark.layouts("sqlite")

UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"


def events(service):
    return [json.loads(line)["event"] for line in service.logged]


def answer_to(service, path, more="", host="localhost"):
    """The status line of a request that is written by hand."""
    where = urlsplit(service.url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"
        connection.sendall(head.encode())
        return connection.makefile("rb").readline().decode().strip()


def test_requests_that_find_nothing_leave_no_line(store):
    with serving(store.environ) as service:
        assert answer_to(service, "/", host="evil.example") == "HTTP/1.1 400 Bad Request"
        assert answer_to(service, "/nowhere") == "HTTP/1.1 404 Not Found"
        assert answer_to(service, "/", UPGRADE).startswith("HTTP/1.1 200")
        assert answer_to(service, "/v1/nowhere", UPGRADE).startswith("HTTP/1.1 404")
        assert service.stop() == 0
        assert events(service) == ["started", "stopped"]


def test_a_process_of_jobs_tells_when_it_starts_and_stops(store):
    with serving(store.environ, "--only", "jobs") as service:
        assert service.stop() == 0
        assert events(service) == ["started", "stopped"]


@pytest.mark.parametrize("role", ["engine", "console"])
def test_every_role_is_ready_in_the_same_words(store, role):
    with serving(store.environ, "--only", role) as service, service.client() as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.get("/healthz").json() == {"status": "ok"}


def test_a_second_demo_on_the_same_data_is_refused_and_changes_nothing(store):
    with serving(store.environ, "--demo") as service:
        demo = (store.settings.data / "demo.json").read_text()
        second = Serving(store.environ, "--demo")
        try:
            assert second.wait() == 1
        finally:
            second.end()
        (line,) = second.logged
        assert line.startswith("talktime: another process serves the demo in ")
        assert (store.settings.data / "demo.json").read_text() == demo
        assert service.stop() == 0
    with serving(store.environ, "--demo") as service:
        assert service.stop() == 0

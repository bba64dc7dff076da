"""`talktime serve` as an operator starts and stops it. Mirrors src/talktime/cli/serve*.py."""

import json
import re
import resource
import signal
import socket
import stat
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.served import seeded
from tests.serving import PATIENCE_S, Serving, serving
from tests.stores import Store

DEMO_FACTS = {
    *(
        "url",
        "switch_key",
        "caller",
        "callee",
        "admin_email",
        "admin_password",
        "operator_email",
        "operator_password",
    ),
    *("organisation", "toll_free"),
}
FEW = 1_024
HIDDEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def demo_of(environ):
    return json.loads(path_of_demo(environ).read_text(encoding="utf-8"))


def path_of_demo(environ):
    return Store("sqlite", environ).settings.data / "demo.json"


def authorize(service, demo, call_id):
    """The answer to the demo's caller who calls the callee."""
    numbers = {"from": demo["caller"], "to": demo["callee"]}
    with service.client(demo["switch_key"]) as switch:
        return switch.post(
            f"/v1/calls/{call_id}/authorize", json={"sequence": 0, "type": "user_out", **numbers}
        )


def sign_in(service, email, password, **more):
    """Sign in as a person does with the form; the page one comes to."""
    with service.client() as browser:
        page = browser.get("/sign-in/")
        token = HIDDEN.search(page.text)
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": email, "password": password}
        headers = {"referer": service.url, **more}
        return browser.post("/sign-in/", data=form, headers=headers, follow_redirects=True)


def ended(environ, *arguments):
    """A service that cannot start: the one line it ends with."""
    process = Serving(environ, *arguments)
    try:
        assert process.wait() == 1, process.words()
        (line,) = process.logged
        return line
    finally:
        process.end()


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, tmp_path):
    """An installation with nothing in it, not even tables."""
    url = request.getfixturevalue("new_database")() if request.param == "postgres" else ""
    return {"TALKTIME_DATA": str(tmp_path / "data"), "DATABASE_URL": url}


def test_the_demo_of_an_empty_folder_grants_a_call_and_lets_its_admin_in(empty):
    with serving(empty, "--demo") as service:
        demo = demo_of(empty)
        assert demo.keys() == DEMO_FACTS
        assert demo["url"] == service.url
        assert stat.S_IMODE(path_of_demo(empty).stat().st_mode) == 0o600
        granted = authorize(service, demo, "c1")
        assert (granted.status_code, granted.json()["decision"]) == (200, "granted")
        assert granted.json()["paid_by"][0]["source"] == "credits"
        with service.client() as browser:
            assert browser.get("/").status_code == 200
            assert browser.get("/healthz").json() == {"status": "ok"}
            assert browser.get("/readyz").json() == {"status": "ready"}
            assert "talktime" in browser.get("/metrics").text
            assert browser.get("/v1/openapi.json").json()["openapi"].startswith("3.")
        page = sign_in(service, demo["admin_email"], demo["admin_password"])
        assert demo["organisation"] in page.text
        assert service.stop() == 0
        for secret in (demo["switch_key"], demo["admin_password"]):
            assert secret not in service.words()


def test_a_second_start_keeps_the_data_the_key_and_the_password(empty):
    with serving(empty, "--demo") as service:
        first = demo_of(empty)
        granted = authorize(service, first, "c1")
        assert service.stop(signal.SIGTERM) == 0
    with serving(empty, "--demo") as service:
        second = demo_of(empty)
        assert second == {**first, "url": service.url}
        again = authorize(service, second, "c1")
        assert again.headers["idempotent-replayed"] == "true"
        assert again.content == granted.content
        assert sign_in(service, second["admin_email"], second["admin_password"]).is_success
        assert service.stop() == 0


def ignored_signals(pid):
    """The signals that a process ignores, as a mask."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(status["SigIgn"], 16)


def test_a_closed_terminal_ends_it_in_order_but_for_who_began_it_with_nohup(empty):
    hangup = 1 << (signal.SIGHUP - 1)
    with serving(empty, "--demo", under=["env", "--default-signal=HUP"]) as service:
        assert not ignored_signals(service.pid) & hangup
        assert service.stop(signal.SIGHUP) == 0
        assert "stopped" in service.words()
    with serving(empty, "--demo", under=["nohup"]) as service:
        assert ignored_signals(service.pid) & hangup
        assert service.stop(signal.SIGTERM) == 0


def test_a_lost_demo_file_is_written_anew_with_secrets_that_work(empty):
    with serving(empty, "--demo") as service:
        assert service.stop() == 0
    path_of_demo(empty).unlink()
    with serving(empty, "--demo") as service:
        demo = demo_of(empty)
        assert authorize(service, demo, "c1").status_code == 200
        page = sign_in(service, demo["admin_email"], demo["admin_password"])
        assert demo["organisation"] in page.text
        assert service.stop() == 0


@pytest.mark.layouts("sqlite")
def test_a_demo_file_that_is_none_is_named_and_kept(store):
    path = store.settings.data / "demo.json"
    path.write_text("[]", encoding="utf-8")
    line = ended(store.environ, "--demo")
    assert line.startswith(f"talktime: {path} does not hold what the demo wrote. Remove it")
    assert path.read_text(encoding="utf-8") == "[]"


@pytest.mark.layouts("sqlite")
def test_a_busy_port_is_named_with_what_to_do(store):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = ended(store.environ, "--port", str(port))
    assert line == (
        f"talktime: port {port} of 127.0.0.1 cannot be used (Address already in use). "
        "Stop what listens there, or choose another port with PORT=.\n"
    )


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"HOST": "no.such.host.invalid"}, "'no.such.host.invalid' is no address to listen on"),
        ({"TALKTIME_SECRET_KEY": "short"}, "TALKTIME_SECRET_KEY is shorter than"),
        ({"TALKTIME_CELLS": "Main"}, "'Main' is not a cell's name"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL must start with postgresql://"),
        ({"DATABASE_URL": "postgresql://a:secret@127.0.0.1:1/x"}, "cannot be"),
    ],
)
@pytest.mark.layouts("sqlite")
def test_an_environment_that_cannot_be_used_is_one_line(store, environ, words):
    line = ended({**store.environ, **environ})
    assert words in line
    assert "secret@" not in line


def test_a_production_database_is_migrated_when_told_alone(tmp_path, new_database):
    environ = {"TALKTIME_DATA": str(tmp_path / "data"), "DATABASE_URL": new_database()}
    line = ended(environ)
    assert line.startswith("talktime: the databases lack ")
    assert "run `talktime migrate`, then start again" in line


@pytest.mark.layouts("sqlite", "postgres")
def test_one_role_serves_its_addresses_alone(store):
    with serving(store.environ, "--only", "console") as console, console.client() as client:
        assert client.get("/").status_code == 200
        assert client.post("/v1/quotes", json={}).status_code == 404
        with serving(store.environ, "--only", "engine") as engine, engine.client() as switch:
            assert switch.get("/").status_code == 404
            assert switch.post("/v1/quotes", json={}).status_code == 401
            assert engine.stop() == 0
        assert console.stop() == 0


@pytest.mark.layouts("sqlite")
def test_the_address_is_told_once_it_answers(store):
    with serving(store.environ, "--demo", "--host", "localhost") as service:
        assert service.url.startswith("http://localhost:")
        assert httpx.get(service.url, trust_env=False).status_code == 200
        assert f"Charging API: {service.url}/v1/\n" in service.said
        assert service.stop() == 0


@pytest.mark.layouts("sqlite")
def test_a_process_takes_as_many_connections_as_the_system_lets_it(store):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, hard))
    try:
        with serving(store.environ) as service:
            may, most = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
            assert service.stop() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert may == min(most, 65_536) > FEW


@pytest.mark.layouts("sqlite")
def test_connections_from_everywhere_leave_descriptors_and_switches_theirs(store):
    key, few, half = seeded(store).switch_key, 400, 200
    asked = f"GET /v1/calls/none HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
    with (
        serving(store.environ, under=("prlimit", f"--nofile={few}")) as service,
        ExitStack() as opened,
    ):
        place = ("127.0.0.1", int(service.url.rsplit(":", 1)[1]))

        def connect(source):
            return opened.enter_context(socket.create_connection(place, PATIENCE_S, (source, 0)))

        def ask(switch):
            switch.sendall(asked.encode())
            answer = b""
            while not answer.endswith(b"}"):
                part = switch.recv(65_536)
                assert part
                answer += part
            assert answer.startswith(b"HTTP/1.1 404")

        switch = connect("127.0.0.1")
        ask(switch)
        strangers = [connect(f"127.0.1.{n % 100 + 1}") for n in range(few)]
        for each in reversed(strangers):
            with suppress(ConnectionError):
                each.sendall(b"GET / HT")
        ask(switch)
        ask(connect("127.0.0.2"))
        with suppress(ConnectionError):
            assert strangers[0].recv(1) == b""
        with service.client() as client:
            assert f"talktime_connections {half}.0" in client.get("/metrics").text
        assert len(list(Path(f"/proc/{service.pid}/fd").iterdir())) < few * 3 / 4
        assert service.stop() == 0
    assert any("http port full" in line for line in service.logged)

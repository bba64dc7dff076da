"""`talktime serve` on either version of IP: where it listens, and whom it believes to be where."""

import socket

import pytest

from talktime.config_gateways import bracketed
from tests.cli.test_serve import authorize, demo_of, sign_in
from tests.gateways.diameter.asked import OUR_HOST, OUR_REALM
from tests.loopback import FOUR, SIXES, WAYS
from tests.plain_http import plain_client
from tests.serving import PATIENCE_S, serving
from tests.stores import Store

BROWSER = "203.0.113.9"
PLACES = "SELECT ip FROM usersessions_usersession ORDER BY id"


@pytest.fixture
def empty(tmp_path):
    """An installation with nothing in it."""
    return {"TALKTIME_DATA": str(tmp_path / "data"), "DATABASE_URL": ""}


def port_of(service):
    """The port of the address that it says."""
    return int(service.url.rpartition(":")[2])


@pytest.mark.parametrize(("listen", "here"), WAYS)
def test_calls_and_people_come_over_either_version_and_a_proxy_here_says_from_where(
    empty, listen, here
):
    with serving(empty, "--demo", "--host", bracketed(listen)) as service:
        own = FOUR if listen == "::" else listen
        assert service.url == f"http://{bracketed(own)}:{port_of(service)}"
        service.url = f"http://{bracketed(here)}:{port_of(service)}"
        demo = demo_of(empty)
        assert authorize(service, demo, "c1").json()["decision"] == "granted"
        who = (demo["admin_email"], demo["admin_password"])
        assert demo["organisation"] in sign_in(service, *who).text
        assert sign_in(service, *who, **{"x-forwarded-for": BROWSER}).is_success
        assert service.stop() == 0
    with (control := Store("sqlite", empty).control()).reading():
        assert control.rows(PLACES, []) == [(here,), (BROWSER,)]
    control.close()


@pytest.mark.parametrize(
    ("proxies", "believed"), [("", "10.0.0.5"), ("192.0.2.1 10.0.0.0/29", BROWSER)]
)
def test_a_proxy_elsewhere_is_believed_where_the_operator_names_it(empty, proxies, believed):
    with serving({**empty, "TALKTIME_PROXIES": proxies}, "--demo") as service:
        demo = demo_of(empty)
        passed_on = {"x-forwarded-for": f"198.51.100.7, {BROWSER}, 10.0.0.5"}
        assert sign_in(service, demo["admin_email"], demo["admin_password"], **passed_on).is_success
        assert service.stop() == 0
    with (control := Store("sqlite", empty).control()).reading():
        assert control.rows(PLACES, []) == [(believed,)]
    control.close()


def test_who_comes_to_the_name_of_an_https_address_came_by_https_whatever_ended_it(empty):
    with socket.create_server((FOUR, 0)) as free:
        port = free.getsockname()[1]
    environ = {"TALKTIME_URL": "https://Talktime.example", "TALKTIME_SECRET_KEY": "x" * 64}
    with serving({**empty, **environ}, "--port", str(port)) as service:
        client = plain_client(f"http://{FOUR}:{port}", {}, PATIENCE_S)
        secure = [
            "strict-transport-security" in client.get("/", headers={"host": name}).headers
            for name in ("talktime.example", "localhost")
        ]
        client.close()
        assert secure == [True, False]
        assert service.stop() == 0


@pytest.mark.parametrize("here", SIXES)
def test_each_dialect_says_in_brackets_where_it_listens(empty, here):
    environ = {
        "TALKTIME_DIAMETER_LISTEN": f"[{here}]:0, [::]:0, 127.0.0.1:0",
        "TALKTIME_DIAMETER_IDENTITY": OUR_HOST,
        "TALKTIME_DIAMETER_REALM": OUR_REALM,
        "TALKTIME_RADIUS_AUTH": f"[{here}]:0",
        "TALKTIME_RADIUS_ACCT": "[::]:0",
        "HOST": f"[{here}]",
    }
    with serving({**empty, **environ}) as service:
        said = dict(line.split(": ", 1) for line in service.said)
        assert said["Console"].startswith(f"http://[{here}]:")
        places = said["Diameter"].strip().split(", ")
        hosts = [place.rpartition(":")[0] for place in places]
        assert hosts == [f"[{here}]", "[::]", FOUR]
        assert said["RADIUS"].startswith(f"[{here}]:")
        assert said["RADIUS accounting"].startswith("[::]:")
        for place, to in zip(places, (here, here, FOUR), strict=True):
            socket.create_connection((to, int(place.rpartition(":")[2]))).close()
        assert service.stop() == 0


@pytest.mark.parametrize("here", SIXES)
def test_diameter_may_listen_on_all_addresses_of_both_versions_at_one_port(empty, here):
    with socket.create_server((FOUR, 0)) as free:
        port = free.getsockname()[1]
    environ = {
        "TALKTIME_DIAMETER_LISTEN": f"0.0.0.0:{port}, [::]:{port}",
        "TALKTIME_DIAMETER_IDENTITY": OUR_HOST,
        "TALKTIME_DIAMETER_REALM": OUR_REALM,
    }
    with serving({**empty, **environ}) as service:
        for to in (here, FOUR):
            socket.create_connection((to, port)).close()
        assert service.stop() == 0

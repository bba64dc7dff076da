"""Pages and the management API while a database is of another version than the program."""

import time
from contextlib import ExitStack, closing, contextmanager

import pytest
from django.db import connections
from django.test import Client
from structlog.testing import capture_logs

from talktime.console.accounts import create_admin, create_staff
from talktime.console.databases import let_go, set_up
from talktime.console.kept_connections import KeptConnections
from talktime.console.start.views import databases_away
from talktime.store.database import connect
from talktime.store.version import OtherVersion
from tests.console.conftest import settings_in
from tests.console.money import Money
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.contents import cell_contents
from tests.stores import template_name

STAFF = "staff@talktime.example"
LATER = (
    "INSERT INTO django_migrations (app, name, applied) "
    "VALUES (?, '9999_later', '2026-11-22 10:00:00')"
)
AGAIN = "DELETE FROM django_migrations WHERE name = '9999_later'"
NEWER = (
    "the database is of a newer version than this program (it has 9999_later): "
    "start the newer program"
)
OUR_LOG = "talktime.console.start.outages"  # Django's own names the page alone
API = "/api/v1/organisations/Contoso/users"


@pytest.fixture
def money(installation):
    """Contoso, with an admin and somebody of the operator's."""
    money = Money(installation)
    create_admin(EMAIL, PASSWORD, money.owner.id)
    create_staff(STAFF, PASSWORD, "operator")
    return money


@pytest.fixture
def api(money):
    """A client of the management API."""
    headers = {"authorization": f"Bearer {money.key('users', 'operator')}"}
    return Client(SERVER_NAME="localhost", headers=headers)


def signed_in(email):
    client = browser()
    sign_in(client, email)
    return client


@contextmanager
def newer(settings, kind):
    """A database of this kind is of a newer version; who comes needs a new connection."""
    address = settings.control_plane if kind == "control_plane" else settings.cells["main"]
    with closing(connect(address)) as database:
        database.run(LATER, [kind])
        let_go()
        connections.close_all()
        yield
        database.run(AGAIN)


def reasons(logs):
    return [each["reason"] for each in logs if each["log_level"] == "error"]


def test_pages_say_that_the_service_is_away_while_the_control_plane_is_newer(money, caplog):
    page = f"/organisations/{money.owner.id}/"
    for client, path in ((signed_in(EMAIL), page), (signed_in(STAFF), "/operator/")):
        assert client.get(path).status_code == 200
        with newer(money.settings, "control_plane"):
            for _ in range(2):
                caplog.clear()
                away = client.get(path)
                assert away.status_code == 503
                assert away.headers["Retry-After"] == "10"
                assert "The service is away" in words_of(away)
                assert [each[2] for each in caplog.record_tuples if each[0] == OUR_LOG] == [
                    f"the control plane's database does not answer: {NEWER}"
                ]
            assert "Not working: a database does not answer." in words_of(client.get("/"))
            assert databases_away() == ["default"]
        assert databases_away() == []
        assert client.get(path).status_code == 200


def test_nobody_signs_in_while_the_control_plane_is_newer(money):
    with newer(money.settings, "control_plane"):
        assert sign_in(browser()).status_code == 503
    assert sign_in(browser()).status_code == 302


def test_pages_of_a_cell_that_is_newer_say_that_it_is_away(money):
    page = f"/organisations/{money.owner.id}/"
    admin, staff = signed_in(EMAIL), signed_in(STAFF)
    with newer(money.settings, "cell"):
        with capture_logs() as logs:
            away = admin.get(page)
        assert away.status_code == 503
        assert "The balance cannot be shown just now" in words_of(away)
        assert reasons(logs) == [NEWER]
        with capture_logs() as logs:
            assert "Cell main does not answer" in words_of(staff.get("/operator/"))
        assert NEWER in reasons(logs)
        assert staff.get(f"/operator/organisations/{money.owner.id}/").status_code == 503
        assert "Not working: a database does not answer." in words_of(admin.get("/"))
        assert databases_away() == ["cell_main"]
    assert admin.get(page).status_code == 200
    assert staff.get(f"/operator/organisations/{money.owner.id}/").status_code == 200
    assert databases_away() == []


@pytest.mark.parametrize("kind", ["control_plane", "cell"])
def test_the_api_is_unavailable_while_a_database_is_newer(money, api, kind):
    user = {"users": [{"name": "front-desk@contoso.example"}]}
    with closing(money.cell()) as cell:
        before = cell_contents(cell)
        with newer(money.settings, kind), capture_logs() as logs:
            refused = api.post(API, user, content_type="application/json")
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "2"
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert (refused.json()["code"], refused.json()["detail"]) == ("unavailable", NEWER)
        assert reasons(logs) == [NEWER]
        assert cell_contents(cell) == before
    assert api.post(API, user, content_type="application/json").status_code == 200


def test_the_version_is_looked_at_once_for_each_connection(money):
    keeping, address = KeptConnections(), money.settings.cells["main"]
    with keeping.lent(address) as first:
        pass
    with newer(money.settings, "cell"), ExitStack() as held:
        for _ in range(2):
            with keeping.lent(address) as again:
                assert again is first
        held.enter_context(keeping.lent(address))
        with pytest.raises(OtherVersion, match="newer version"):
            held.enter_context(keeping.lent(address))
    keeping.close()


def test_the_version_of_a_busy_connection_is_looked_at_again_after_a_while(money):
    keeping, address = KeptConnections(idle_s_max=0.3), money.settings.cells["main"]
    with keeping.lent(address):
        pass

    def be_busy():
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with keeping.lent(address):
                pass

    with newer(money.settings, "cell"), pytest.raises(OtherVersion, match="newer version"):
        be_busy()
    keeping.close()


def test_a_database_that_was_started_again_is_seen_to_answer(
    new_cluster, tmp_path, connections_closed
):
    cluster = new_cluster()
    set_up(settings_in(tmp_path, cluster.create_database("near", template_name("postgres"))))
    assert databases_away() == []
    cluster.stop()
    assert databases_away() == ["default", "cell_main"]
    cluster.start()
    assert databases_away() == []

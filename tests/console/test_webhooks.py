"""Webhook endpoints in the console. Mirrors src/talktime/console/webhooks."""

import re
from contextlib import closing

import pytest

from talktime.console.cell.models import Delivery, WebhookEndpoint
from talktime.console.control_plane.models import Membership, Organisation
from talktime.operations.endpoints import list_endpoints, secrets_of
from talktime.operations.sealing import Seal
from talktime.store.database import connect
from tests.console.rows import CELL, START_MS, insert
from tests.console.test_notices import URL, Told
from tests.console.test_pages import EMAIL, words_of
from tests.console.test_recipients import post

LIST = "/organisations/1/webhooks/"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def endpoint(admin, installation):
    """The page of an endpoint with a delivery that failed."""
    told = Told(installation)
    with closing(told.cell):
        told.endpoint()
        told.tell()
        told.fail()
        return f"{LIST}{told.cell.rows('SELECT id FROM webhook_endpoint')[0][0]}/"


def the_endpoint():
    return WebhookEndpoint.objects.using(CELL).get()


def test_an_endpoint_is_added_and_its_secret_is_shown_once(admin, installation):
    assert "No program is told yet" in words_of(admin.get(LIST))
    form = {"url": URL, "every": "some", "kinds": ["balance.low"]}
    added = post(admin, f"{LIST}add/", **form)
    assert added.status_code == 302
    page = admin.get(added.headers["Location"])
    (secret,) = SECRET.findall(page.content.decode())
    assert not SECRET.search(admin.get(added.headers["Location"]).content.decode())
    with closing(connect(installation.cells["main"])) as cell:
        (kept,) = list_endpoints(cell, 1)
    assert secrets_of(kept, Seal(installation.seal_keys()), START_MS) == [secret]
    assert (kept.kinds, kept.created_by) == (("balance.low",), EMAIL)
    twice = post(admin, f"{LIST}add/", **form)
    assert twice.status_code == 422
    assert "This address is told already" in words_of(twice)


def test_an_address_within_the_network_is_refused_at_its_field(admin):
    for url in ("http://hooks.contoso.example/", "https://10.0.0.1/", "x", ""):
        page = post(admin, f"{LIST}add/", url=url, every="all")
        assert page.status_code == 422
        assert 'id="id_url_error" role="alert"' in page.content.decode()
    assert post(admin, f"{LIST}add/", url=URL, every="some").status_code == 422
    assert not WebhookEndpoint.objects.using(CELL).exists()


def test_right_after_a_rotation_both_secrets_sign_and_the_new_one_is_shown_once(
    admin, endpoint, installation
):
    assert post(admin, f"{endpoint}rotate/").status_code == 302
    page = admin.get(endpoint)
    (new,) = SECRET.findall(page.content.decode())
    assert "messages have two signatures" in words_of(page)
    kept = the_endpoint()
    with closing(connect(installation.cells["main"])) as cell:
        (found,) = list_endpoints(cell, 1)
    at_ms = kept.old_until_ms - 1
    first, second = secrets_of(found, Seal(installation.seal_keys()), at_ms)
    assert (first, second) == (new, f"whsec_{'A' * 43}=")
    assert secrets_of(found, Seal(installation.seal_keys()), kept.old_until_ms) == [new]


def test_an_endpoint_is_disabled_enabled_and_removed(admin, endpoint):
    assert post(admin, f"{endpoint}disable/").status_code == 302
    assert the_endpoint().state == "disabled"
    page = words_of(admin.get(endpoint))
    assert "Disabled by hand" in page
    assert "Send test event" not in page
    refused = post(admin, f"{endpoint}test/")
    assert refused.status_code == 422
    assert "is disabled" in words_of(refused)
    assert post(admin, f"{endpoint}enable/").status_code == 302
    assert the_endpoint().state == "active"
    removed = post(admin, f"{endpoint}remove/")
    assert removed.headers["Location"] == LIST
    assert admin.get(endpoint).status_code == 404
    assert post(admin, f"{endpoint}enable/").status_code == 404


def test_why_an_endpoint_is_disabled_is_kept_in_english_and_said_to_each_in_their_language(
    admin, endpoint
):
    german = {"HTTP_ACCEPT_LANGUAGE": "de"}
    assert post(admin, f"{endpoint}disable/", **german).status_code == 302
    assert the_endpoint().detail == "by hand"
    admin.get(endpoint)
    assert "Deaktiviert von Hand" in words_of(admin.get(endpoint, **german))


def test_the_kinds_of_an_endpoint_are_chosen(admin, endpoint):
    kinds = {"every": "some", "kinds": ["lot.expiring", "balance.zero"]}
    assert post(admin, f"{endpoint}events/", **kinds).status_code == 302
    assert the_endpoint().kinds == '["balance.zero", "lot.expiring"]'
    assert "balance.zero lot.expiring" in words_of(admin.get(endpoint))
    assert post(admin, f"{endpoint}events/", every="all", kinds=["x"]).status_code == 422
    assert post(admin, f"{endpoint}events/", every="all").status_code == 302
    assert the_endpoint().kinds == "[]"


def test_deliveries_show_their_answers_and_are_sent_again_one_by_one_and_all(admin, endpoint):
    rows = Delivery.objects.using(CELL)
    rows.update(detail="503 Service Unavailable", took_ms=1234, answer="<h1>Down</h1>", tries=10)
    words = words_of(admin.get(f"{endpoint}?state=failed"))
    assert "refund.done 15 Jan 2027, 09:00:00 Failed 503 Service Unavailable 503 1,234 ms" in words
    one = rows.get()
    shown = admin.get(f"/organisations/1/notices/{one.id}/")
    assert "&lt;h1&gt;Down&lt;/h1&gt;" in shown.content.decode()
    assert "Response code 503 Took 1,234 ms" in words_of(shown)
    assert "Nothing here" in words_of(admin.get(f"{endpoint}?state=sent"))
    later = post(admin, f"{endpoint}again/", since="2027-01-16")
    assert "0 deliveries are sent again." in words_of(admin.get(later.headers["Location"]))
    assert rows.get().state == "failed"
    assert post(admin, f"{endpoint}again/", since="x").status_code == 422
    assert post(admin, f"{endpoint}again/", since="2027-01-15").status_code == 302
    assert (rows.get().state, rows.get().tries) == ("due", 0)


def test_a_test_event_goes_to_this_endpoint_whatever_kinds_it_takes(admin, endpoint):
    post(admin, f"{endpoint}events/", every="some", kinds=["balance.zero"])
    assert post(admin, f"{endpoint}test/").status_code == 302
    (waits,) = Delivery.objects.using(CELL).filter(state="due")
    assert (waits.channel, waits.target) == ("webhook", str(the_endpoint().id))
    assert "notice.test" in words_of(admin.get(endpoint))


def test_a_viewer_and_another_organisation_change_nothing(admin, endpoint):
    insert(Organisation, id=2, name="Fabrikam")
    assert post(admin, endpoint.replace("/1/", "/2/", 1) + "remove/").status_code == 404
    Membership.objects.update(role="viewer")
    assert "Rotate" not in words_of(admin.get(endpoint)).partition("Deliveries")[0]
    for act in ("rotate", "enable", "disable", "remove", "test", "again", "events"):
        assert post(admin, f"{endpoint}{act}/").status_code == 403
    assert the_endpoint().state == "active"

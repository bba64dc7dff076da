"""From where switches speak Diameter and RADIUS, in the operator's pages. Mirrors
src/talktime/console/operator/peers_page.py."""

import re

import pytest

from talktime.console.control_plane.models import Peer, Switch
from tests.console.money import Money
from tests.console.opened_forms import OpenedForm
from tests.console.test_operator_flows import Staff
from tests.console.test_pages import EMAIL, words_of


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def staff(money):
    return Staff(money, EMAIL)


def test_a_radius_client_gets_a_secret_that_is_shown_once(money, staff):
    staff.post("switches/new/", name="North", operator="Contoso Voice")
    switch = Switch.objects.get(name="North")
    path = f"switches/{switch.id}/peers/radius/new/"
    wrong = staff.post(path, name="nas-1", addresses="192.0.2.300")
    assert wrong.status_code == 422
    assert "An address must be an IP address" in words_of(wrong)
    form = OpenedForm(staff.client, f"/operator/{path}", "addresses")
    for _press in range(2):
        made = form.send(name="nas-1", addresses="192.0.2.7\n192.0.2.8", plus="on")
        assert made.status_code == 302
    shown = staff.get("switches/")
    [text] = re.findall(r"<code class=\"secret\">([\w-]{32})</code>", shown.content.decode())
    listed = words_of(staff.get("switches/"))
    assert "RADIUS nas-1" in listed
    assert "from 192.0.2.7/32, 192.0.2.8/32" in listed
    assert text not in listed
    peer = Peer.objects.get(name="nas-1")
    assert text not in peer.sealed_secret
    assert peer.plus


def test_a_secret_that_is_typed_is_not_shown_and_a_revoked_peer_stays_in_the_list(money, staff):
    staff.post("switches/new/", name="North", operator="Contoso Voice")
    switch = Switch.objects.get(name="North")
    secret = "typed-by-the-operator"
    path = f"switches/{switch.id}/peers/radius/new/"
    made = staff.post(path, name="nas-1", addresses="192.0.2.7", secret=secret)
    assert made.status_code == 302
    peer = Peer.objects.get(name="nas-1")
    assert not peer.plus
    confirm = staff.post(f"peers/{peer.id}/revoke/")
    assert Peer.objects.get(id=peer.id).revoked_ms is None
    staff.post(f"peers/{peer.id}/revoke/", confirm)
    assert Peer.objects.get(id=peer.id).revoked_ms is not None
    shown = staff.get("switches/")
    assert "RADIUS nas-1 Revoked" in words_of(shown)
    assert secret not in shown.content.decode()
    assert staff.get("peers/1/revoke/").status_code == 404
    assert staff.get(f"switches/{switch.id}/peers/sip/new/").status_code == 404
    assert staff.get("switches/1/peers/radius/new/").status_code == 404


def test_a_diameter_peer_is_added_with_its_realm(money, staff):
    staff.post("switches/new/", name="North", operator="Contoso Voice")
    switch = Switch.objects.get(name="North")
    path = f"switches/{switch.id}/peers/diameter/new/"
    asked = {"name": "SIP.example.net", "realm": "example.net", "tls": "on", "plus": "on"}
    assert staff.post(path, **asked).status_code == 302
    peer = Peer.objects.get(name="sip.example.net")
    assert (peer.realm, peer.tls, peer.addresses) == ("example.net", True, "")
    again = staff.post(path, **asked)
    assert "There is a diameter peer named" in words_of(again)
    assert "Diameter sip.example.net" in words_of(staff.get("switches/"))

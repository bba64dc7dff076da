"""The door of payment providers' events. Mirrors src/talktime/console/api/payment_events.py."""

from contextlib import closing

import pytest
from django.test import Client

from talktime.console.databases import set_up
from talktime.core.limits import PAYMENT_EVENT_BODY_BYTES_MAX
from talktime.store.database import connect

PATH = "/api/v1/payment-events/stripe"
CLIENT = Client(headers={"Host": "localhost"})
SIGNED = {"Stripe-Signature": "t=1,v1=abc", "Authorization": "Bearer x", "Webhook-Id": "msg_1"}


@pytest.fixture
def kept(installation):
    """What the door has kept: provider, body, headers."""
    set_up(installation)

    def rows():
        with closing(connect(installation.control_plane)) as control, control.reading():
            return control.rows("SELECT provider, body, headers FROM payment_event_inbox")

    return rows


def post(body, path=PATH, **headers):
    """Post an event."""
    return CLIENT.post(path, body, content_type="application/json", headers=headers)


def test_an_event_is_kept_as_it_came_with_its_signature_alone(kept):
    response = post(b'{"id": "evt_1"}', **SIGNED)
    assert (response.status_code, response.json()) == (202, {"received": True})
    assert kept() == [
        (
            "stripe",
            '{"id": "evt_1"}',
            '{"stripe-signature": "t=1,v1=abc", "webhook-id": "msg_1"}',
        )
    ]


def test_an_event_without_a_signature_learns_nothing(kept):
    assert post(b"{}").status_code == 202
    assert kept() == [("stripe", "{}", "{}")]


@pytest.mark.parametrize(
    ("body", "path", "status", "code"),
    [
        (b"x" * (PAYMENT_EVENT_BODY_BYTES_MAX + 1), PATH, 413, "body_too_large"),
        (b"\xff", PATH, 422, "invalid_request"),
        (b"{}", "/api/v1/payment-events/nobody", 404, "not_found"),
    ],
)
def test_what_is_no_event_is_refused(kept, body, path, status, code):
    response = post(body, path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert kept() == []


def test_the_door_takes_posts_alone(kept):
    response = CLIENT.get(PATH)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert kept() == []

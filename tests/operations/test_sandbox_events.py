"""The sandbox's webhooks. Mirrors src/talktime/operations/sandbox_events.py."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from talktime.core.charges import BadSignature, Event
from talktime.core.ids import Ids
from talktime.core.sandbox import AGAIN_MS, GATHER_MS, LATE_MS
from talktime.operations.sandbox import list_sandbox_events, set_sandbox
from talktime.operations.sandbox_events import (
    KEPT_MS,
    due_events,
    event_not_sent,
    event_sent,
    queue_card_event,
    queue_charge_event,
    read_sandbox_event,
    signed,
    webhook_secret,
)
from talktime.store.sandbox import SandboxCard, SandboxCharge

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_800_000_000_000
NOW_S = NOW_MS // 1000
AT = datetime.fromtimestamp(NOW_S, UTC)
SECRET = webhook_secret("a key for tests")
CARD = SandboxCard(2, 51, 7, "c", "Contoso", "", "added", "approve", 0, "4242", 2030, 12, NOW_MS)
IDS = Ids(3, lambda: NOW_MS)


def a_charge(number: int) -> SandboxCharge:
    return SandboxCharge(
        *(number, 40 + number, 7, 2, 50_000_000, "USD", "Credits", "", "succeeded", "", 0, NOW_MS)
    )


def queue(control, webhooks: str, numbers=(1, 2)) -> None:
    """Let these charges succeed while the webhooks are sent in this way."""
    with control.transaction():
        set_sandbox(control, webhooks=webhooks, down=False, actor="operator", now_ms=NOW_MS)
        for number in numbers:
            queue_charge_event(
                *(control, "charge.succeeded", a_charge(number)),
                now_ms=NOW_MS,
                next_id=IDS.next,
            )


def due(control, now_ms: int = NOW_MS) -> list[str]:
    """The charges of the webhooks that are due."""
    with control.reading():
        found = due_events(control, SECRET, now_ms=now_ms)
    return [json.loads(each.body)["data"]["charge_ref"] for each in found]


@pytest.mark.parametrize(
    ("webhooks", "at_ms", "before", "then"),
    [
        ("normal", NOW_MS, [], ["1", "2"]),
        ("twice", NOW_MS, [], ["1", "1", "2", "2"]),
        ("late", NOW_MS + LATE_MS, [], ["1", "2"]),
        ("out_of_order", NOW_MS + GATHER_MS, [], ["2", "1"]),
        ("never", NOW_MS + KEPT_MS, [], []),
    ],
)
def test_webhooks_are_sent_as_the_switches_say(store, webhooks, at_ms, before, then):
    control = store.control()
    queue(control, webhooks)
    assert due(control, at_ms - 1) == before
    assert due(control, at_ms) == [f"sbx_charge_{number}" for number in then]
    with control.reading():
        assert len(list_sandbox_events(control)) == (4 if webhooks == "twice" else 2)


def test_a_webhook_sent_twice_has_one_id(store):
    control = store.control()
    queue(control, "twice", [1])
    with control.reading():
        first, second = due_events(control, SECRET, now_ms=NOW_MS)
    assert first.id != second.id
    assert (first.body, first.headers) == (second.body, second.headers)


def test_what_was_taken_is_due_no_more_and_what_was_not_is_due_again(store):
    control = store.control()
    queue(control, "normal")
    with control.transaction():
        first, second = due_events(control, SECRET, now_ms=NOW_MS)
        event_sent(control, first.id, now_ms=NOW_MS)
        event_not_sent(control, second.id, now_ms=NOW_MS)
        event_not_sent(control, first.id, now_ms=NOW_MS)
    assert due(control, NOW_MS + AGAIN_MS - 1) == []
    assert due(control, NOW_MS + AGAIN_MS) == ["sbx_charge_2"]
    with control.reading():
        listed = list_sandbox_events(control)
    assert [(each.tries, each.sent_ms) for each in listed] == [(1, None), (1, NOW_MS)]


def test_what_was_sent_a_month_ago_is_forgotten(store):
    control = store.control()
    queue(control, "normal", [1])
    with control.transaction():
        (only,) = due_events(control, SECRET, now_ms=NOW_MS)
        event_sent(control, only.id, now_ms=NOW_MS)
    queue(control, "normal", [2])
    with control.transaction():
        (other,) = due_events(control, SECRET, now_ms=NOW_MS)
        event_sent(control, other.id, now_ms=NOW_MS + KEPT_MS + 1)
        assert list_sandbox_events(control) == []


def test_a_webhook_is_read_by_us_and_by_the_library_of_the_specification(store):
    control = store.control()
    queue(control, "normal", [1])
    with control.transaction():
        queue_card_event(control, "card.added", CARD, now_ms=NOW_MS, next_id=IDS.next)
        charge, card = due_events(control, SECRET, now_ms=NOW_MS)
    read = read_sandbox_event(charge.body, charge.headers, SECRET, now_s=NOW_S)
    ref = charge.headers["webhook-id"]
    assert read == Event(ref, "charge.succeeded", "sbx_charge_1", "", 41, 7)
    read = read_sandbox_event(card.body, card.headers, SECRET, now_s=NOW_S + 300)
    assert read == Event(card.headers["webhook-id"], "card.added", "", "sbx_setup_2", None, 7)
    signer = Webhook(SECRET)
    for each in (charge, card):
        by_library = signer.sign(each.headers["webhook-id"], AT, each.body.decode())
        assert each.headers["webhook-signature"] == by_library


def test_what_the_sandbox_did_not_sign_is_not_taken():
    body = '{"id":"e","type":"charge.succeeded","data":{}}'
    good = signed("e", body, SECRET, NOW_MS)
    other = signed("e", body, webhook_secret("another key"), NOW_MS)
    for headers in (
        {},
        other,
        {**good, "webhook-id": "f"},
        {**good, "webhook-timestamp": str(NOW_S + 1)},
        {**good, "webhook-timestamp": "now"},
        {**good, "webhook-timestamp": "²"},
        {**good, "webhook-signature": "v1,é"},
    ):
        read = read_sandbox_event(body.encode(), headers, SECRET, now_s=NOW_S)
        assert isinstance(read, BadSignature)
    old = read_sandbox_event(body.encode(), good, SECRET, now_s=NOW_S + 301)
    assert old == BadSignature("it was signed 301 seconds ago")

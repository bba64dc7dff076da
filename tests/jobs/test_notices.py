"""From the outbox to the reader, through real servers. Mirrors src/talktime/jobs/notices.py."""

import json
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook

from talktime.core.deliveries import LEASE_MS
from talktime.jobs.notices import send_notices
from talktime.operations.deliveries import list_told, redeliver
from talktime.operations.endpoints import enable_endpoint, list_endpoints, rotate_secret
from talktime.operations.send_deliveries import take_due
from talktime.operations.spread_notices import spread_notices
from talktime.operations.sweep import Swept
from tests.notice_office import DAY_MS, Office
from tests.receivers import postman, receiving

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def office(store):
    with postman() as server, receiving() as receiver:
        yield Office(store, server, receiver)


def test_a_notice_reaches_people_and_programs_once(office):
    """R25: whatever roles they have."""
    office.recipient("billing@contoso.example", "billing", language="de")
    office.recipient("boss@contoso.example", "billing", "voice", "admin")
    office.recipient("phones@contoso.example", "voice")
    office.endpoint()
    office.endpoint("/other", kinds=["lot.expired"])
    assert (
        office.tell(
            "lot.expired", lot_id=2**61, forfeited_micros=5_000_000, currency="EUR", expires_ms=0
        )
        == 1
    )
    assert (
        office.tell("lot.expired", lot_id=9, forfeited_micros=1, currency="EUR", expires_ms=0) == 0
    )
    office.run()
    office.run()
    assert office.server.box.to == ["billing@contoso.example", "boss@contoso.example"]
    german, english = office.server.box.mails
    assert german["Subject"] == "5,00\N{NO-BREAK SPACE}€ Guthaben von Contoso sind verfallen"
    assert english["Subject"] == "€5.00 of credits for Contoso have expired"
    plain = english.get_body(("plain",)).get_content()
    assert "https://talktime.example/organisations/7/" in plain
    assert sorted(request.path for request in office.receiver.requests) == ["/other", "/talktime"]
    body = json.loads(office.receiver.requests[0].body)
    assert body["type"] == "lot.expired"
    assert body["data"] == {
        "organisation_id": "7",
        "lot_id": str(2**61),
        "forfeited_micros": 5_000_000,
        "currency": "EUR",
        "expires_ms": 0,
    }
    assert {state for _, state, _, _ in office.deliveries()} == {"sent"}
    assert len(office.deliveries()) == 4


def test_who_pays_and_who_looks_after_the_telephones_hear_of_minutes_that_run_out(office):
    """R25, R27: what goes beyond the minutes costs money."""
    office.recipient("billing@contoso.example", "billing")
    office.recipient("phones@contoso.example", "voice")
    pool = "2026-11/minutes/MCOPSTN1/NO/domestic"
    office.tell("pool.warning", pool=pool, used_s=57_600, total_s=72_000, percent=80)
    office.run()
    assert office.server.box.to == ["billing@contoso.example", "phones@contoso.example"]


def test_an_endpoint_hears_only_of_the_kinds_it_asked_for(office):
    office.endpoint(kinds=["lot.expired"])
    office.zero()
    office.run()
    assert office.receiver.requests == []
    assert office.deliveries() == []


def test_both_secrets_prove_a_message_for_a_day_after_a_rotation(office):
    first = office.endpoint()
    with office.cell.transaction():
        second = rotate_secret(
            office.cell,
            7,
            first.endpoint.id,
            seal=office.seal,
            now_ms=office.now_ms,
            entropy=bytes(32),
        )
    office.zero("a")
    office.run()
    (request,) = office.receiver.requests
    for secret in (first.secret, second.secret):
        assert Webhook(secret).verify(request.body, request.headers)["type"] == "balance.zero"
    office.wait(DAY_MS)
    office.zero("b")
    office.run()
    signed = office.receiver.requests[1].headers["webhook-signature"]
    assert len(signed.split(" ")) == 1
    stored = office.cell.rows("SELECT secret, old_secret FROM webhook_endpoint")[0]
    assert not any("whsec" in text for text in stored)


def test_an_endpoint_that_fails_is_tried_on_the_schedule_of_the_specification_and_given_up(office):
    office.endpoint()
    office.recipient("admin@contoso.example", "admin")
    office.zero()
    office.receiver.answers(500)
    office.run()
    delays_s = []
    for _ in range(20):
        due = [
            each.due_ms
            for one in list_told(office.cell, 7)
            for each in one.deliveries
            if each.channel == "webhook" and each.state == "due"
        ]
        if not due:
            break
        delays_s.append((due[0] - office.now_ms) // 1000)
        office.wait(due[0] - office.now_ms)
        office.run()
    wanted = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert all(low <= delay <= low * 1.2 for delay, low in zip(delays_s, wanted, strict=True))
    assert len(set(office.receiver.ids)) == 1
    assert len(office.receiver.ids) == 10
    (endpoint,) = list_endpoints(office.cell, 7)
    assert endpoint.state == "disabled"
    assert endpoint.detail == "given up after 10 tries: 500 Internal Server Error"
    office.run()
    told = office.server.box.mails[-1]
    assert told["Subject"] == "A webhook endpoint of Contoso was disabled"
    assert "500 Internal Server Error" in told.get_body(("plain",)).get_content()


def test_an_endpoint_that_takes_other_messages_is_not_disabled_for_one(office):
    office.endpoint()
    office.zero("bad")
    office.receiver.answers(500)
    office.run()
    with office.cell.transaction():
        office.cell.run("UPDATE delivery SET tries = 9")
    office.receiver.answers(204)
    office.zero("good")
    office.run()
    office.receiver.answers(500)
    office.wait(2 * DAY_MS)
    office.run()
    states = [each[1] for each in office.deliveries()]
    assert states == ["failed", "sent"]
    assert list_endpoints(office.cell, 7)[0].state == "active"


def test_an_endpoint_that_is_gone_is_disabled_at_once_and_can_be_sent_to_again_by_hand(office):
    made = office.endpoint()
    office.recipient("admin@contoso.example", "admin")
    office.zero("a")
    office.zero("b")
    office.receiver.answers(410)
    office.run()
    office.run()
    hooks = [each for each in office.deliveries() if "@" not in each[0]]
    assert sorted((state, detail) for _, state, _, detail in hooks) == [
        ("failed", "410 Gone"),
        ("failed", "410 Gone"),
    ] or sorted((state, detail) for _, state, _, detail in hooks) == [
        ("failed", "410 Gone"),
        ("failed", "the endpoint was disabled"),
    ]
    disabled = [mail["Subject"] for mail in office.server.box.mails][-1]
    assert disabled == "A webhook endpoint of Contoso was disabled"
    first = min(
        each.id
        for one in list_told(office.cell, 7)
        for each in one.deliveries
        if each.channel == "webhook"
    )
    with office.cell.transaction():
        refused = redeliver(office.cell, 7, first, now_ms=office.now_ms)
        assert refused.code == "invalid_value"
        enable_endpoint(office.cell, 7, made.endpoint.id)
        assert redeliver(office.cell, 7, first, now_ms=office.now_ms).state == "due"
    office.receiver.answers(204)
    office.run()
    assert office.receiver.ids.count(f"msg_{first}") == 2
    assert ("sent", 1) in [each[1:3] for each in office.deliveries() if "@" not in each[0]]


def test_mail_waits_for_its_server_without_using_up_tries(office):
    office.recipient()
    office.zero("a")
    office.zero("b")
    office.server.away()
    for _ in range(5):
        office.run()
        office.wait(60_000)
    assert [each[1:3] for each in office.deliveries()] == [("due", 0), ("due", 0)]
    assert "the mail server does not take mail" in office.deliveries()[0][3]
    office.server.back()
    office.run()
    assert [each[1:3] for each in office.deliveries()] == [("sent", 1), ("sent", 1)]
    assert len(office.server.box.mails) == 2


def test_an_address_that_the_server_knows_not_stops_no_other(office):
    office.recipient("a@contoso.example")
    office.recipient("gone@contoso.example")
    office.server.box.refuse = lambda address: "550 unknown" if "gone" in address else ""
    office.zero()
    office.run()
    assert sorted(office.deliveries()) == [
        ("a@contoso.example", "sent", 1, "taken for a@contoso.example"),
        ("gone@contoso.example", "failed", 1, "550 unknown"),
    ]


def test_what_crashed_between_sending_and_writing_is_sent_again_with_the_same_ids(office):
    office.recipient()
    office.endpoint()
    office.zero()
    spread_notices(office.sweep())

    class Crash(Exception):
        pass

    def crash():
        raise Crash

    dying = office.sweep()
    commits = []

    class Dying:
        """The cell's connection of a process that dies after it has sent."""

        def __init__(self, connection):
            self._connection = connection

        def __getattr__(self, name):
            return getattr(self._connection, name)

        @contextmanager
        def transaction(self):
            commits.append(1)
            if len(commits) > 1:
                crash()
            with self._connection.transaction():
                yield

    with pytest.raises(Crash):
        send_notices(dying._replace(connection=Dying(office.cell)))
    office.run()
    assert {each[1] for each in office.deliveries()} == {"due"}
    office.wait(LEASE_MS)
    office.run()
    assert {each[1:3] for each in office.deliveries()} == {("sent", 2)}
    first, second = office.receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    one, other = office.server.box.mails
    assert one["Message-ID"] == other["Message-ID"]


def test_several_runners_at_once_send_each_once(office):
    office.recipient("a@contoso.example")
    office.recipient("b@contoso.example")
    office.endpoint()
    office.endpoint("/two")
    for number in range(30):
        office.zero(f"zero {number}")
    failures = []
    start = threading.Barrier(4)

    def work(node):
        cell, control = office.store.cell(), office.store.control()
        sweep = office.sweep(node, cell, control)
        start.wait()
        try:
            for _ in range(60):
                spread_notices(sweep)
                send_notices(sweep)
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(node,)) for node in range(10, 14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    office.run()
    assert failures == []
    assert {each[1:3] for each in office.deliveries()} == {("sent", 1)}
    assert len(office.receiver.ids) == len(set(office.receiver.ids)) == 60
    message_ids = [mail["Message-ID"] for mail in office.server.box.mails]
    assert len(message_ids) == len(set(message_ids)) == 60


def test_what_was_decided_of_a_delivery_that_another_has_taken_since_is_not_written(office):
    office.endpoint()
    office.zero()
    spread_notices(office.sweep())
    (slow,) = take_due(office.cell, office.now_ms)
    office.wait(LEASE_MS)
    office.run()
    assert office.one_delivery().state == "sent"
    assert slow.tries == 1
    assert office.one_delivery().tries == 2


def test_an_endpoint_that_is_away_keeps_no_other_waiting(office):
    office.endpoint()
    with office.cell.transaction():
        office.cell.run("UPDATE webhook_endpoint SET url = ?", ["http://127.0.0.1:1/"])
    allowed = (*office.settings.webhooks_allow, "127.0.0.1:1")
    office.settings = replace(office.settings, webhooks_allow=allowed)
    office.endpoint("/good")
    for number in range(10):
        office.zero(f"zero {number}")
    spread_notices(office.sweep())
    while send_notices(office.sweep()).more:
        pass
    assert len(office.receiver.ids) == 10
    waiting = [each for each in office.deliveries() if each[1] == "due"]
    assert len(waiting) == 10
    assert any(each[3].startswith("waits: the connection failed") for each in waiting)


def test_nothing_is_done_where_nothing_is_due(office):
    assert spread_notices(office.sweep()) == Swept(0)
    assert send_notices(office.sweep()) == Swept(0)

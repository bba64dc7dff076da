"""From the outbox to the reader, through real servers. Mirrors src/talktime/jobs/notices.py."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook

from talktime.config import smtp_from
from talktime.core.deliveries import LEASE_MS
from talktime.core.directory import Organisation
from talktime.core.ids import Ids
from talktime.core.notices import notice
from talktime.jobs.notices import send_notices
from talktime.operations.deliveries import list_told, redeliver
from talktime.operations.endpoints import (
    add_endpoint,
    enable_endpoint,
    list_endpoints,
    rotate_secret,
)
from talktime.operations.recipients import add_recipient, remove_recipient
from talktime.operations.sealing import Seal
from talktime.operations.send_deliveries import take_due
from talktime.operations.spread_notices import spread_notices
from talktime.operations.sweep import Sweep, Swept
from talktime.store.notices import insert_notices
from talktime.store.organisations import insert_organisation
from tests.receivers import postman, receiving

pytestmark = pytest.mark.layouts("sqlite", "postgres")

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SECRET = bytes(range(32))
CONTOSO = Organisation(7, "Contoso", "main", "EUR", "Europe/Berlin", "DE", "prepaid", True, "card")


class Office:
    """An organisation whose notices go to an SMTP server and a webhook receiver of the test."""

    def __init__(self, store, server, receiver):
        self.store, self.server, self.receiver = store, server, receiver
        self.cell = store.cell()
        # Now: the library of the specification looks at a clock.
        self.now_ms = time.time_ns() // 1_000_000
        self.ids = Ids(1, lambda: self.now_ms)
        self.settings = _settings(store, server, receiver)
        self.seal = Seal(self.settings.seal_keys())
        store.add_wallet(7, "EUR")
        self.control = store.control()
        with self.control.transaction():
            insert_organisation(self.control, CONTOSO, self.now_ms)

    def sweep(self, node=2, connection=None, control=None):
        ids = Ids(node, lambda: self.now_ms)
        return Sweep(
            connection or self.cell,
            lambda: self.now_ms,
            ids.next if connection else self.ids.next,
            settings=self.settings,
            control=lambda: control or self.control,
        )

    def recipient(self, email="billing@contoso.example", *roles, language="en-GB"):
        with self.cell.transaction():
            return add_recipient(
                self.cell,
                7,
                email,
                roles=roles or ["billing"],
                language=language,
                time_zone="Europe/Berlin",
                now_ms=self.now_ms,
                next_id=self.ids.next,
            )

    def endpoint(self, path="/talktime", **more):
        url = f"http://127.0.0.1:{self.receiver.port}{path}"
        with self.cell.transaction():
            return add_endpoint(
                self.cell,
                7,
                url,
                actor="operator",
                allowed_hosts=self.settings.webhooks_allow,
                seal=self.seal,
                now_ms=self.now_ms,
                next_id=self.ids.next,
                entropy=SECRET,
                **more,
            )

    def tell(self, kind, key="k", ago_ms=0, **facts):
        made = notice(7, kind, key, self.now_ms - ago_ms, **facts)
        with self.cell.transaction():
            return insert_notices(self.cell, [made], self.ids.next)

    def zero(self, key="zero", ago_ms=0, balance_micros=0):
        return self.tell("balance.zero", key, ago_ms, currency="EUR", balance_micros=balance_micros)

    def run(self):
        """Both jobs, until nothing is due."""
        spread_notices(self.sweep())
        while send_notices(self.sweep()).more:
            pass

    def wait(self, milliseconds):
        self.now_ms += milliseconds

    def deliveries(self):
        """Target, state, tries and detail of each delivery, the oldest notice first."""
        with self.cell.reading():
            told = list_told(self.cell, 7)
        return [
            (each.target, each.state, each.tries, each.detail)
            for one in reversed(told)
            for each in one.deliveries
        ]

    def one_delivery(self):
        with self.cell.reading():
            (delivery,) = [each for one in list_told(self.cell, 7) for each in one.deliveries]
        return delivery

    def have(self, micros):
        with self.cell.transaction():
            self.cell.run("UPDATE wallet SET balance_micros = ?", [micros])


def _settings(store, server, receiver):
    return replace(
        store.settings,
        smtp=smtp_from(server.url),
        given_mail_from="talktime@contoso.example",
        public_url="https://talktime.example",
        webhooks_allow=(f"127.0.0.1:{receiver.port}",),
    )


@pytest.fixture
def office(store):
    with postman() as server, receiving() as receiver:
        yield Office(store, server, receiver)


def test_a_notice_reaches_people_and_programs_once(office):
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
    with office.cell.transaction():
        (slow,) = take_due(office.cell, office.now_ms)
    office.wait(LEASE_MS)
    office.run()
    assert office.one_delivery().state == "sent"
    assert slow.tries == 1
    assert office.one_delivery().tries == 2


def test_late_mail_that_was_overtaken_is_dropped_with_the_reason(office):
    office.recipient()
    office.endpoint()
    facts = {"currency": "EUR", "lot_id": 5, "remaining_micros": 1_000_000}
    expires_ms = office.now_ms + DAY_MS
    for days, ago_ms in ((30, 30 * HOUR_MS), (7, 20 * HOUR_MS), (1, 2 * HOUR_MS)):
        office.tell("lot.expiring", f"{days}", ago_ms, **facts, expires_ms=expires_ms, days=days)
    office.zero("old zero", 5 * HOUR_MS)
    office.have(5_000_000)
    office.zero("new zero", HOUR_MS // 2)
    office.run()
    mails = [each for each in office.deliveries() if "@" in each[0]]
    assert [each[1::2] for each in mails] == [
        ("dropped", "overtaken: lot.expiring followed"),
        ("dropped", "overtaken: lot.expiring followed"),
        ("sent", "taken for billing@contoso.example"),
        ("dropped", "overtaken: there are credits again"),
        ("sent", "taken for billing@contoso.example"),
    ]
    assert len(office.receiver.ids) == 5


def test_after_a_week_of_downtime_there_is_one_digest_for_each_reader(office):
    office.recipient("billing@contoso.example", "billing")
    office.recipient("phones@contoso.example", "voice")
    for day in range(7, 2, -1):
        office.tell(
            "grant.added",
            f"grant {day}",
            day * DAY_MS + HOUR_MS,
            amount_micros=1,
            currency="EUR",
            reason="gift",
            expires_ms=office.now_ms,
        )
    office.tell(
        "pool.warning",
        "p",
        4 * DAY_MS,
        pool="2026-11/minutes/A/US/domestic",
        used_s=80,
        total_s=100,
        percent=80,
    )
    office.zero("fresh", HOUR_MS)
    office.run()
    office.run()
    mails = {(mail["To"], mail["Subject"].partition(":")[0]) for mail in office.server.box.mails}
    assert mails == {
        ("billing@contoso.example", "Contoso"),
        ("billing@contoso.example", "Contoso has no credits left"),
        ("phones@contoso.example", "Contoso"),
        ("phones@contoso.example", "Contoso has no credits left"),
    }
    assert len(office.server.box.mails) == 4
    digests = {
        mail["To"]: mail.get_body(("plain",)).get_content()
        for mail in office.server.box.mails
        if "since" in mail["Subject"]
    }
    assert "5 notices of that time" in digests["billing@contoso.example"]
    assert "- Credits were given (5×)" in digests["billing@contoso.example"]
    assert "- Included minutes are being used up" in digests["phones@contoso.example"]
    assert "given" not in digests["phones@contoso.example"]
    dropped = [each for each in office.deliveries() if each[1] == "dropped"]
    assert len(dropped) == 6
    assert {each[3] for each in dropped} == {"more than three days late: named in a digest"}


def test_a_mail_server_that_was_away_for_a_week_gets_one_digest_too(office):
    office.recipient()
    for number in range(100):
        office.tell(
            "grant.added",
            f"grant {number}",
            amount_micros=1,
            currency="EUR",
            reason="gift",
            expires_ms=office.now_ms,
        )
    office.server.away()
    office.run()
    office.wait(7 * DAY_MS)
    office.run()
    assert {each[1:3] for each in office.deliveries()} == {("due", 0)}
    office.wait(60_000)
    office.server.back()
    office.run()
    office.wait(60_000)
    office.run()
    (mail,) = office.server.box.mails
    assert "100 notices of that time" in mail.get_body(("plain",)).get_content()


def test_mail_to_somebody_who_is_no_recipient_any_more_is_not_sent(office):
    office.recipient()
    office.zero()
    spread_notices(office.sweep())
    with office.cell.transaction():
        assert remove_recipient(office.cell, 7, "billing@contoso.example") is None
    office.run()
    assert office.server.box.mails == []
    assert office.one_delivery().state == "dropped"
    assert office.one_delivery().detail == "this address is no recipient of it any more"


def test_a_mail_is_sent_again_by_hand_even_if_it_is_old_or_overtaken(office):
    office.recipient()
    office.zero(ago_ms=5 * HOUR_MS)
    office.have(1)
    office.run()
    assert office.one_delivery().state == "dropped"
    office.wait(9 * DAY_MS)
    dropped = office.one_delivery()
    with office.cell.transaction():
        again = redeliver(office.cell, 7, dropped.id, now_ms=office.now_ms)
    assert (again.state, again.tries) == ("due", 0)
    office.run()
    assert office.one_delivery().state == "sent"
    assert len(office.server.box.mails) == 1


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

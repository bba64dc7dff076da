"""An organisation whose notices go to real servers of the test."""

import time
from dataclasses import replace

from talktime.config import smtp_from
from talktime.core.directory import Organisation
from talktime.core.ids import Ids
from talktime.core.notices import notice
from talktime.jobs.notices import send_notices
from talktime.operations.deliveries import list_told
from talktime.operations.endpoints import add_endpoint
from talktime.operations.recipients import add_recipient
from talktime.operations.sealing import Seal
from talktime.operations.spread_notices import spread_notices
from talktime.operations.sweep import Sweep
from talktime.store.notices import insert_notices
from talktime.store.organisations import insert_organisation

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

"""An organisation that can pay, and a payment provider that says what a test has it say."""

import time
from contextlib import closing
from itertools import count

from talktime.core.audit import Actor
from talktime.core.charges import Succeeded
from talktime.core.keys import SWITCH_SCOPES
from talktime.core.payments import PaymentMethod
from talktime.jobs.payments import collect_payments, tend_wallets
from talktime.operations.audit import acting
from talktime.operations.counters import Counters
from talktime.operations.keys import create_key, create_switch
from talktime.operations.organisations import create_organisation, find_organisation
from talktime.operations.payment_methods import add_invoice, add_method
from talktime.operations.sweep import Sweep
from talktime.store.database import connect

CARD, INVOICE = 5_001, 5_002
SECRETS = count(1_000)
IDS = count(10_000)


class Bank:
    """A provider of payments: it answers what stands next in `answers`, or takes the money."""

    name = "sandbox"
    parallel = False

    def __init__(self):
        self.answers = []
        self.charged_micros = []

    def charge(self, charge):
        self.charged_micros.append(charge.amount_micros)
        return self.answers.pop(0) if self.answers else Succeeded(f"ch_{charge.try_id}")


class Money:
    """An installation with Contoso in it, and the jobs that collect its payments."""

    def __init__(self, settings, now_ms=None, **organisation):
        now_ms = now_ms or time.time_ns() // 1_000_000
        self.settings, self.now_ms, self.bank = settings, now_ms, Bank()
        self.ids = IDS.__next__
        with closing(self.control()) as control, closing(self.cell()) as cell:
            self.owner = create_organisation(
                control,
                {"main": cell},
                **{
                    "name": "Contoso",
                    "cell": "main",
                    "currency": "USD",
                    "time_zone": "UTC",
                    "country": "US",
                    "rate_card": "standard",
                    **organisation,
                },
                now_ms=now_ms,
                next_id=self.ids,
            )

    def control(self):
        return connect(self.settings.control_plane)

    def cell(self):
        return connect(self.settings.cells["main"])

    def key(self, *scopes):
        """The text of a new key, made by somebody of its own in the shell."""
        maker = Actor("shell", f"maker{next(SECRETS)}", "here")
        with (
            acting(maker, lambda: self.now_ms, self.ids),
            closing(self.control()) as control,
            control.transaction(),
        ):
            switch = create_switch(
                *(control,),
                name=f"Portal {next(SECRETS)}",
                operator="Contoso",
                now_ms=self.now_ms,
                next_id=self.ids,
            )
            return create_key(
                *(control, switch if set(scopes) <= set(SWITCH_SCOPES) else None),
                name="portal",
                scopes=scopes,
                now_ms=self.now_ms,
                next_id=self.ids,
                entropy=next(SECRETS).to_bytes(32, "big"),
            ).text

    def add_card(self, id_=CARD, last4="4242"):
        """A card that the bank knows."""
        shown = ("cus_1", f"pm_{id_}", "Visa", last4, 2_030, 4, "", "")
        card = PaymentMethod(
            *(id_, self.owner.id, "card", "active", 0, "sandbox", *shown, self.now_ms, "admin")
        )
        with closing(self.cell()) as cell, cell.transaction():
            add_method(cell, card)
        return card

    def add_invoice(self, agreement="EA-1"):
        """An agreement to pay invoices."""
        with closing(self.cell()) as cell:
            return add_invoice(
                *(cell, self.owner),
                agreement=agreement,
                actor="operator",
                now_ms=self.now_ms,
                next_id=self.ids,
            )

    def counted(self, work):
        """Call `work` with the organisation's counter."""
        with closing(self.control()) as control, closing(self.cell()) as cell:
            with control.reading():
                owner = find_organisation(control, str(self.owner.id))
            return work(Counters(lambda: control, cell, lambda: self.now_ms, self.ids).of(owner))

    def run_jobs(self, now_ms=None):
        """Let the jobs do what is due."""
        at_ms = now_ms or time.time_ns() // 1_000_000
        with closing(self.control()) as control, closing(self.cell()) as cell:
            sweep = Sweep(
                *(cell, lambda: at_ms, self.ids), settings=self.settings, control=lambda: control
            )
            swept = [tend_wallets(sweep), collect_payments(sweep, {"sandbox": self.bank})]
        assert [each.failures for each in swept] == [(), ()]

"""One organisation that pays at the bank of the tests, with all that moves its money, in few words.

`Shop(store)` has a card that pays. Jobs run when they are told to; the clock stands until it is
moved. Whatever a test does, `proven()` says that the books are right.
"""

import json
from itertools import count
from random import Random

from talktime.core.books import Terms
from talktime.core.charges import Succeeded
from talktime.core.commands import Command, ExpireLots
from talktime.core.ids import Ids
from talktime.core.payments import PaymentMethod
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.jobs.payments import collect_payments
from talktime.operations.counters import Counters
from talktime.operations.execute import execute
from talktime.operations.fund import fund
from talktime.operations.organisations import create_organisation
from talktime.operations.payment_methods import add_invoice, add_method
from talktime.operations.purchases import confirm_receipt, find_payment, start_purchase
from talktime.operations.recharge_settings import RechargePlan, set_recharge, view_recharge
from talktime.operations.refunds import start_refund
from talktime.operations.sweep import Sweep
from talktime.store.load import load
from tests.bank import Bank
from tests.books_check import proven
from tests.commands import authorize, settle

NOW_MS = 1_795_428_000_000
UNIT = 1_000_000


class Shop:
    """An organisation, its card, the bank, the jobs."""

    def __init__(self, store, seed=1, name="Contoso", node=1):
        self.now_ms = NOW_MS
        self.store, self.control, self.cell = store, store.control(), store.cell()
        self.ids = Ids(node, lambda: self.now_ms)
        self.bank = Bank(lambda: self.now_ms, Random(seed))
        self.providers = {"bank": self.bank}
        self.organisation = create_organisation(
            self.control,
            {"main": self.cell},
            name=name,
            cell="main",
            currency="USD",
            time_zone="Europe/Oslo",
            country="NO",
            rate_card="standard",
            now_ms=self.now_ms,
            next_id=self.ids.next,
        )
        self.card = self.bank.issue()
        self.method_id = self.add_card(self.card)
        self._keys = count(1)

    def add_card(self, card):
        """A card as another method to pay with; its id."""
        refs = ("bank", card.customer_ref, card.method_ref, "Visa", "4242")
        method = PaymentMethod(
            *(self.ids.next(), self.organisation.id, "card", "active", 0),
            *(*refs, 2031, 4, "", "", self.now_ms, "admin"),
        )
        with self.cell.transaction():
            add_method(self.cell, method)
        return method.id

    @property
    def counter(self):
        """Where the organisation pays, now."""
        counters = Counters(lambda: self.control, self.cell, lambda: self.now_ms, self.ids.next)
        return counters.of(self.organisation)

    def catalogue(self):
        """The catalogue in force."""
        counters = Counters(lambda: self.control, self.cell, lambda: self.now_ms, self.ids.next)
        return counters.catalogue

    @property
    def sweep(self):
        """What a job works with."""
        return Sweep(
            self.cell,
            lambda: self.now_ms,
            self.ids.next,
            settings=self.store.settings,
            control=lambda: self.control,
        )

    def run(self, job):
        """Run a job that needs providers; it has to work."""
        swept = job(self.sweep, self.providers)
        assert swept.failures == ()
        return swept.rows

    def wait(self, **times):
        """Let time pass: hours=2, days=400."""
        unit_ms = {"s": 1_000, "minutes": 60_000, "hours": 3_600_000, "days": 86_400_000}
        self.now_ms += sum(unit_ms[unit] * many for unit, many in times.items())

    def buy(self, micros, method_id=None):
        """Buy credits by card; the payment's id."""
        started = start_purchase(
            self.counter,
            amount_micros=micros,
            method_id=method_id or self.method_id,
            idempotency_key=f"purchase {next(self._keys)}",
            actor="admin",
            why_not=None,
        )
        assert not isinstance(started, Refusal), started
        self.run(collect_payments)
        return started.payment.id

    def order(self, micros):
        """Buy credits by an invoice whose money is yet to come; the payment's id."""
        method = add_invoice(
            self.cell,
            self.organisation,
            agreement="A-1",
            actor="admin",
            now_ms=self.now_ms,
            next_id=self.ids.next,
        )
        return self.buy(micros, method.id)

    def buy_by_invoice(self, micros):
        """Buy credits by an invoice whose money has come; the payment's id."""
        payment_id = self.order(micros)
        confirm_receipt(self.counter, payment_id, reference="bank slip 7", actor="operator")
        return payment_id

    def give(self, micros):
        """Add credits by hand."""
        funded = fund(
            self.cell,
            self.organisation,
            source="adjustment",
            amount_micros=micros,
            reason="a test",
            actor="operator",
            idempotency_key=f"gift {next(self._keys)}",
            now_ms=self.now_ms,
            next_id=self.ids.next,
        )
        assert not isinstance(funded, Refusal), funded

    def do(self, *commands: Command):
        """Execute a switch's commands, now; what came of them."""
        with self.cell.transaction():
            done = execute(self.cell, commands, self.now_ms, self.ids.next)
        return [each.outcome for each in done]

    def begin_call(self, call, requested_s=0):
        """Set up a call to Germany, at 0.015 a minute."""
        asked = authorize(
            call,
            organisation_id=self.organisation.id,
            at_ms=self.now_ms,
            requested_s=requested_s,
        )
        return self.do(asked)[0]

    def end_call(self, call, used_s):
        """The call is over."""
        return self.do(settle(call, used_s=used_s, organisation_id=self.organisation.id))[0]

    def spend(self, micros):
        """One minute of talking that costs this much."""
        call = f"spending {self.organisation.id} {next(self._keys)}"
        rate = Rate("49", "Germany", micros, 0, 60, 60)
        owner = self.organisation.id
        self.do(
            authorize(call, organisation_id=owner, at_ms=self.now_ms, requested_s=60, rate=rate)
        )
        settled = self.end_call(call, 60)
        assert settled.charge_micros == micros

    def recharge_on(self, trigger_micros, amount_micros):
        """Turn auto-recharge on."""
        plan = RechargePlan(True, trigger_micros, amount_micros)
        view = set_recharge(self.counter, plan, actor="admin", why_not=None)
        assert not isinstance(view, Refusal), view

    def recharge(self):
        """How auto-recharge stands."""
        return view_recharge(self.counter)

    def refund(self, payment_id, micros, key="R1", reference=""):
        """The operator refunds."""
        return start_refund(
            self.counter,
            payment_id,
            micros,
            reason="by agreement",
            actor="operator",
            idempotency_key=key,
            reference=reference,
        )

    def charge_of(self, payment_id):
        """The reference of the charge that paid."""
        tries = self.cell.rows(
            "SELECT provider_ref FROM payment_try WHERE payment_id = ? AND state = 'succeeded'",
            [payment_id],
        )
        return Succeeded(tries[0][0]).ref

    def payment(self, payment_id):
        """A payment as it stands."""
        return find_payment(self.counter, payment_id)

    def money(self):
        """Balance, held, debt."""
        with self.cell.reading():
            return self.cell.rows(
                "SELECT balance_micros, held_micros, debt_micros FROM wallet "
                "WHERE organisation_id = ?",
                [self.organisation.id],
            )[0]

    def available(self):
        """What new calls may take, now."""
        with self.cell.reading():
            books = load(
                self.cell, [ExpireLots(self.organisation.id)], self.ids.next, Terms(), lock=False
            )
        return books.wallets[self.organisation.id].available_micros(self.now_ms)

    def lots(self):
        """What remains of each lot and of which amount, in the order of their making."""
        with self.cell.reading():
            return self.cell.rows(
                "SELECT source, remaining_micros, amount_micros FROM lot ORDER BY id"
            )

    def moved(self, *kinds):
        """Transfers of these kinds: kind, from, to, micros; a lot is `lot`."""
        with self.cell.reading():
            rows = self.cell.rows(
                "SELECT kind, debit_account, credit_account, amount_micros FROM transfer "
                "ORDER BY id"
            )
        names = {1: "funding", 2: "revenue", 3: "forfeitures", 5: "debt"}
        return [
            (kind, names.get(debit, "lot"), names.get(credit, "lot"), micros)
            for kind, debit, credit, micros in rows
            if kind in kinds
        ]

    def went_back(self):
        """Refunds and chargebacks: kind, state, voided, debt."""
        with self.cell.reading():
            return self.cell.rows(
                "SELECT kind, state, voided_micros, debt_micros FROM refund ORDER BY id"
            )

    def told(self, *kinds):
        """The notices of these kinds, or whose kind begins so, in their order."""
        with self.cell.reading():
            rows = self.cell.rows("SELECT kind FROM outbox ORDER BY id")
        return [kind for (kind,) in rows if kind.startswith(kinds)]

    def facts(self, kind):
        """The facts of the notices of a kind, in their order."""
        with self.cell.reading():
            rows = self.cell.rows("SELECT facts FROM outbox WHERE kind = ? ORDER BY id", [kind])
        return [json.loads(facts) for (facts,) in rows]

    def documents(self):
        """Kind and amount of each document, by number."""
        with self.cell.reading():
            return self.cell.rows("SELECT kind, amount_micros FROM document ORDER BY number")

    def about(self):
        """Number and kind of each document, and the document that it names, by number."""
        with self.cell.reading():
            rows = self.cell.rows("SELECT number, kind, body FROM document ORDER BY number")
        return [(number, kind, json.loads(body).get("about", "")) for number, kind, body in rows]

    def proven(self):
        """The books are right, and the bank and we agree on what went back of each payment."""
        proven(self.cell)

"""A world in which everything goes wrong: one organisation, a bank that misbehaves, a process that
is killed between any two statements, a clock that jumps.

A seed makes the same history each time. What must hold is proven after every step (`Proof` in
money_proof.py) and at the end, when the bank works again and the jobs had time.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from talktime.core.commands import Authorize, ExpireHold, Settle
from talktime.core.directory import Organisation
from talktime.core.ids import Ids
from talktime.core.payers import Payers
from talktime.core.payments import PaymentMethod
from talktime.core.rating import Rate
from talktime.jobs.provider_events import reconcile_payments
from talktime.operations.card_setups import begin_card
from talktime.operations.commerce_models import change_model
from talktime.operations.counters import Counters
from talktime.operations.execute import execute
from talktime.operations.organisations import create_organisation
from talktime.operations.payment_methods import (
    add_invoice,
    add_method,
    make_first,
    remove_method,
)
from talktime.operations.purchases import cancel_payment, confirm_receipt, start_purchase
from talktime.operations.recharge_settings import RechargePlan, resume, set_recharge
from talktime.operations.refunds import start_refund
from talktime.operations.sweep import Sweep
from tests.bank import Bank
from tests.bank_desk import BEHAVIOURS
from tests.invariants.crashes import Fuse, Killed, mortal
from tests.invariants.money_jobs import AFTER_EVENTS, BEFORE_EVENTS, Jobs, post_events
from tests.stores import Store

START_MS = 1_795_428_000_000
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
UNIT = 1_000_000
BY_THE_MINUTE = Rate("49", "Germany", UNIT, 0, 60, 60)
JUMPS_MS = (1_000, 30_000, MINUTE_MS, 6 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, DAY_MS, 9 * DAY_MS)


class World:
    """One history. `told` is what happened, line by line, to be read when a seed fails."""

    provider_name = "bank"

    def __init__(self, store: Store, seed: int) -> None:
        self.random = Random(seed)
        self.now_ms = START_MS + self.random.randrange(400) * DAY_MS
        self.fuse = Fuse()
        self.plain_control, self.plain_cell = store.control(), store.cell()
        self.control, self.cell = (
            mortal(self.plain_control, self.fuse),
            mortal(self.plain_cell, self.fuse),
        )
        self.ids = Ids(seed % 1_000, self.clock_ms)
        self.bank: Any = self.make_bank(seed)
        self.told: list[str] = []
        self.calls: dict[str, int] = {}
        self.keys: list[tuple[str, int, int]] = []
        self.crashes = self.called = 0
        self.organisation = self._organisation()
        for _ in range(self.random.randint(1, 3)):
            self.add_card()
        self.buy()

    def make_bank(self, seed: int) -> Any:
        """The provider: tests/bank.py here."""
        return Bank(self.clock_ms, Random(seed + 1), self.provider_name)

    def clock_ms(self) -> int:
        """The world's time."""
        return self.now_ms

    def play(self, steps: int, after_step: Callable[[], None]) -> None:
        """So many steps, each of which may be the process's last; then it is started again."""
        for _ in range(steps):
            step = self.random.choice(STEPS)
            if self.random.random() < 0.25:
                self.fuse.left = self.random.randint(1, 60)
            try:
                getattr(self, step.__name__)()
            except Killed:
                self.crashes += 1
                self.tell(f"killed in {step.__name__}")
            self.fuse.left = None
            after_step()

    def heal(self) -> None:
        """The bank works, and the jobs have two weeks."""
        self.mend_the_bank()
        for jump_ms in (MINUTE_MS, HOUR_MS, *[12 * HOUR_MS] * 6, *[DAY_MS] * 10):
            self.now_ms += jump_ms
            self.run_jobs()
        reconcile_payments(self._sweep(), self._providers())
        self.run_jobs()

    def mend_the_bank(self) -> None:
        """From now on the bank does what it is asked to."""
        bank = self.bank
        bank.down = bank.misconfigured = bank.refunds_fail = False
        bank.time_out_before = bank.time_out_after = bank.arrive_late = 0.0

    def tell(self, line: str) -> None:
        """Write down what happened."""
        self.told.append(f"{self.now_ms - START_MS:>14} {line}")

    # What happens

    def buy(self) -> None:
        """Somebody adds funds, perhaps with a key that was used before, perhaps by invoice."""
        counter = self._counter()
        methods = self._methods()
        if not methods:
            return
        if self.keys and self.random.random() < 0.3:
            key, amount, method_id = self.random.choice(self.keys)
        else:
            key = f"key {len(self.keys)}"
            amount, method_id = self.random.choice((50, 75, 200)), self.random.choice(methods)
            self.keys.append((key, amount, method_id))
        came = start_purchase(
            counter,
            amount_micros=amount * UNIT,
            method_id=method_id,
            idempotency_key=key,
            actor="admin",
            why_not=None,
        )
        self.tell(f"buy {amount} as {key!r}: {type(came).__name__}")

    def answer_an_invoice(self) -> None:
        """The operator says that the money of an invoice is there, or gives it up."""
        rows = self.plain_cell.rows("SELECT id FROM payment WHERE state = 'invoiced'")
        for (payment_id,) in rows[:1]:
            if self.random.random() < 0.7:
                confirm_receipt(self._counter(), payment_id, reference="bank slip", actor="op")
                self.tell(f"receipt of {payment_id}")
            else:
                cancel_payment(self._counter(), payment_id, reason="never paid")

    def set_recharge(self) -> None:
        """An admin sets auto-recharge, or turns it off."""
        plan = RechargePlan(
            self.random.random() < 0.8,
            self.random.choice((0, 20, 100, 150)) * UNIT,
            self.random.choice((50, 200, 400)) * UNIT,
            self.random.choice(("amount", "amount", "up_to")),
            self.random.choice((None, None, 300 * UNIT)),
            self.random.choice((1, 5)),
        )
        came = set_recharge(self._counter(), plan, actor="admin", why_not=None)
        self.tell(f"{plan}: {type(came).__name__}")

    def resume(self) -> None:
        """An admin resumes a paused recharge."""
        self.tell(f"resume: {type(resume(self._counter(), actor='admin')).__name__}")

    def add_card(self) -> None:
        """A card is added, of any kind."""
        behaviour = self.random.choice(("pays", "pays", *BEHAVIOURS))
        card = self.bank.issue(behaviour)
        self._add_method(card.customer_ref, card.method_ref)
        self.tell(f"card {card.method_ref} that {behaviour}")

    def add_card_on_its_page(self) -> None:
        """An admin begins to add a card; what waits for one is entered, or closed."""
        begin_card(
            self._counter(),
            provider=self.provider_name,
            return_url="https://t.example/",
            actor="admin",
        )
        for setup_id in [*self.bank.pages]:
            if self.random.random() < 0.5:
                enters = self.random.random() < 0.8
                (self.bank.enter_card if enters else self.bank.close_page)(setup_id)
        self.tell(f"{len(self.bank.pages)} pages for cards")

    def agree_to_invoices(self) -> None:
        """The operator lets the organisation pay by invoice."""
        add_invoice(
            self.cell,
            self.organisation,
            agreement="EA-1",
            actor="operator",
            now_ms=self.now_ms,
            next_id=self.ids.next,
        )
        self.tell("an agreement to pay invoices")

    def change_model(self) -> None:
        """The organisation moves to post-usage billing, or back."""
        to = self.random.choice(("post_usage", "prepaid", "prepaid"))
        came = change_model(self.control, self._counter(), to, actor="admin")
        self.tell(f"model to {to}: {type(came).__name__}")

    def change_methods(self) -> None:
        """Cards change their minds, their order, or are removed."""
        for card in self.bank.cards.values():
            if self.random.random() < 0.5:
                card.behaviour = self.random.choice(("pays", "pays", *BEHAVIOURS))
        methods = self._methods()
        if methods and self.random.random() < 0.3:
            remove_method(self._counter(), self.random.choice(methods))
        elif methods:
            make_first(self._counter(), self.random.choice(methods))
        self.tell(f"cards: {[card.behaviour for card in self.bank.cards.values()]}")

    def confirm_at_the_bank(self) -> None:
        """A cardholder confirms what waits, or does not."""
        for made in [m for m in self.bank.charges.values() if m.state == "asks"]:
            self.bank.confirm(made.ref, agrees=self.random.random() < 0.5)

    def trouble_at_the_bank(self) -> None:
        """The bank's faults come and go."""
        bank, random = self.bank, self.random
        bank.down, bank.misconfigured = random.random() < 0.2, random.random() < 0.1
        bank.time_out_before = random.choice((0.0, 0.0, 0.4))
        bank.time_out_after = random.choice((0.0, 0.0, 0.4))
        bank.arrive_late = random.choice((0.0, 0.0, 0.2))
        bank.refunds_fail = random.random() < 0.2
        self.tell(f"bank: down {bank.down}, lost {bank.time_out_before}, {bank.time_out_after}")

    def refund(self) -> None:
        """The operator refunds a payment, or a part of it; an invoice by hand."""
        rows = self.plain_cell.rows(
            "SELECT id, amount_micros FROM payment WHERE state = 'succeeded' ORDER BY id"
        )
        if not rows:
            return
        payment_id, micros = self.random.choice(rows)
        part = self.random.choice((micros, micros // 2, 10 * UNIT))
        came = start_refund(
            self._counter(),
            payment_id,
            part,
            reason="goodwill",
            actor="operator",
            idempotency_key=f"refund {self.random.randrange(6)}",
            reference=self.random.choice(("", "", "by bank transfer")),
        )
        self.tell(f"refund {part // UNIT} of {payment_id}: {came}"[:120])

    def go_back_at_the_bank(self) -> None:
        """A cardholder disputes a charge, a dispute is decided, the bank refunds by itself."""
        charges = [m for m in self.bank.charges.values() if m.state == "pays"]
        disputes = [d for m in charges for d in m.disputes.values() if d.state == "open"]
        if disputes and self.random.random() < 0.6:
            self.bank.decide(disputes[0].ref, won=self.random.random() < 0.5)
        elif charges and self.random.random() < 0.4:
            made = self.random.choice(charges)
            if made.left_micros >= 5 * UNIT and not made.disputes:
                self.bank.refund_at_console(made.ref, 5 * UNIT)
        elif charges:
            made = self.random.choice(charges)
            if not made.disputes and not made.refunds:
                self.bank.dispute(made.ref)
        self.tell("money goes back at the bank")

    def call(self) -> None:
        """A call is set up; perhaps it ends at once, perhaps never."""
        self.called += 1
        key = f"call {self.called}"
        used_s = self.random.choice((60, 600, 3_000, 9_000))
        command = Authorize(
            *(1, key, 0, 7, self.organisation.id, None, "user_out", "1", "4930", self.now_ms),
            *(BY_THE_MINUTE, 300),
            payers=Payers(),
        )
        [done] = self._execute(command)
        if done.status == 200:
            self.calls[key] = used_s
            if self.random.random() < 0.8:
                self.end_call(key)
        self.tell(f"{key}: {done.status}")

    def end_call(self, key: str = "") -> None:
        """A call ends; a late switch may have talked longer than it was granted."""
        if not key and not self.calls:
            return
        key = key or self.random.choice(sorted(self.calls))
        used_s = min(self.calls.pop(key), 420)
        self._execute(Settle(1, key, 1, 7, used_s, "normal", self.organisation.id))

    def many_calls(self) -> None:
        """A busy hour: the balance falls far, in one batch."""
        for _ in range(self.random.randint(1, 12)):
            self.call()

    def wait(self) -> None:
        """Time passes, a little or a lot."""
        self.now_ms += self.random.choice(JUMPS_MS)

    def run_jobs(self) -> None:
        """Every job runs once."""
        for key in [*self.calls]:
            self._execute(ExpireHold(1, key, self.organisation.id))
        for job in self._jobs():
            swept = job(self._sweep(), self._providers())
            if swept.failures:
                raise AssertionError(f"a job failed: {swept.failures}")

    # How it is done

    def _jobs(self) -> Jobs:
        return (*BEFORE_EVENTS, post_events, *AFTER_EVENTS)

    def _providers(self) -> dict[str, Any]:
        return {self.provider_name: self.bank}

    def _sweep(self) -> Sweep:
        return Sweep(self.cell, self.clock_ms, self.ids.next, control=lambda: self.control)

    def _counter(self) -> Any:
        counters = Counters(lambda: self.plain_control, self.cell, self.clock_ms, self.ids.next)
        return counters.of_id(self.organisation.id)

    def _methods(self) -> list[int]:
        rows = self.plain_cell.rows("SELECT id FROM payment_method WHERE state = 'active'")
        return sorted(row[0] for row in rows)

    def _add_method(self, customer_ref: str, method_ref: str) -> None:
        method = PaymentMethod(
            self.ids.next(),
            self.organisation.id,
            *("card", "active", 0, self.provider_name, customer_ref, method_ref),
            *("Visa", "4242", 2031, 4, "", "", self.now_ms, "admin"),
        )
        with self.cell.transaction():
            add_method(self.cell, method)

    def _execute(self, command: Any) -> Any:
        with self.cell.transaction():
            return execute(self.cell, [command], self.now_ms, self.ids.next)

    def _organisation(self) -> Organisation:
        made = create_organisation(
            self.plain_control,
            {"main": self.plain_cell},
            name="Contoso",
            cell="main",
            currency="USD",
            time_zone="Europe/Oslo",
            country="NO",
            rate_card="standard",
            now_ms=self.now_ms,
            next_id=self.ids.next,
        )
        assert isinstance(made, Organisation)
        return made


STEPS: tuple[Callable[[World], None], ...] = (
    *(World.call, World.many_calls, World.end_call, World.wait, World.wait),
    *(World.run_jobs, World.run_jobs, World.run_jobs, World.run_jobs),
    *(World.buy, World.set_recharge, World.resume, World.add_card, World.change_methods),
    *(World.confirm_at_the_bank, World.trouble_at_the_bank, World.answer_an_invoice),
    *(World.add_card_on_its_page, World.agree_to_invoices, World.change_model, World.change_model),
    *(World.refund, World.refund, World.go_back_at_the_bank, World.go_back_at_the_bank),
)

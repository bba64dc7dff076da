"""Stories about money that comes in by itself: cards, auto-recharge, a bank that pays or does not.

The bank is that of the tests (tests/bank.py); the jobs' work is done step by step, for the story's
own accounts alone.
"""

from random import Random

from talktime.core.charges import Absent, NeedsCardholder, Outcome
from talktime.core.directory import Organisation
from talktime.core.money import decimal_text, parse_micros
from talktime.core.payments import PaymentMethod
from talktime.core.recharging import Bounds, NotWanted
from talktime.operations.collect import ASK, GIVE_UP, Step, next_step, note_answer
from talktime.operations.payment_methods import add_method
from talktime.operations.recharge_settings import (
    RechargePlan,
    resume,
    set_recharge,
    view_recharge,
)
from talktime.operations.till import Counter, open_till
from tests.bank import Bank
from tests.bank_desk import Card
from tests.scenarios.player import date_text, sentence
from tests.scenarios.who_pays import WhoPays
from tests.stores import Store

DUE = (
    "SELECT id FROM payment WHERE organisation_id = ? AND due_ms IS NOT NULL AND due_ms <= ? "
    "ORDER BY id"
)
NOTICES = "SELECT kind FROM outbox WHERE organisation_id = ? ORDER BY id"
INVOICES = (
    "SELECT amount_micros FROM document WHERE organisation_id = ? AND kind = 'invoice' ORDER BY id"
)
BEHAVIOURS = {
    "pays": "pays",
    "is declined": "short",
    "is refused": "lost",
    "asks for its cardholder": "asks",
}
ANNOUNCED = ("recharge.", "balance.")


class MoneyIn(WhoPays):
    """One story whose accounts have cards."""

    def __init__(self, store: Store, first_organisation_id: int) -> None:
        super().__init__(store, first_organisation_id)
        self._bank = Bank(lambda: self.now_ms, Random(first_organisation_id))
        self._cards: dict[str, Card] = {}
        self._heard: dict[str, int] = {}

    @sentence(
        r"card (?P<card>K\d)( of (?P<account>A\d))? "
        r"(?P<does>pays|is declined|is refused|asks for its cardholder)"
    )
    def card_does(self, card: str, account: str | None, does: str) -> str:
        if card not in self._cards:
            assert account, f"whose card is {card}?"
            self._cards[card] = issued = self._bank.issue()
            method = PaymentMethod(
                *(self._ids.next(), self._account(account), "card", "active", 0, "bank"),
                *(issued.customer_ref, issued.method_ref, "Visa", f"000{card[1]}", 2031, 4),
                *("", "", self.now_ms, "admin"),
            )
            cell = self._counter(account).cell
            with cell.transaction():
                add_method(cell, method)
        self._cards[card].behaviour = BEHAVIOURS[does]
        return "done"

    @sentence(r"the bank (?P<does>is down|is back)")
    def bank_is(self, does: str) -> str:
        self._bank.down = does == "is down"
        return "done"

    @sentence(
        r"(?P<account>A\d) recharges (?P<up_to>up to )?(?P<amount>[\d.]+) below (?P<below>[\d.]+)"
        r"(, at most (?P<cap>[\d.]+) a month)?"
    )
    def recharges(self, account: str, up_to: str, amount: str, below: str, cap: str | None) -> str:
        plan = RechargePlan(
            True,
            parse_micros(below),
            parse_micros(amount),
            "up_to" if up_to else "amount",
            parse_micros(cap) if cap else None,
        )
        set_recharge(self._counter(account), plan, actor="admin", why_not=None)
        return self.recharge_of(account)

    @sentence(r"(?P<account>A\d) turns recharge off")
    def turns_off(self, account: str) -> str:
        set_recharge(self._counter(account), RechargePlan(False), actor="admin", why_not=None)
        return self.recharge_of(account)

    @sentence(r"(?P<account>A\d) resumes")
    def resumes(self, account: str) -> str:
        resume(self._counter(account), actor="admin")
        return self.recharge_of(account)

    @sentence(r"the jobs run")
    def jobs_run(self) -> str:
        for account in self._accounts:
            with open_till(self._counter(account)):
                pass
            while due := self._rows(account, DUE, self.now_ms):
                self._collect(account, due[0][0])
        return (
            ", ".join(each for account in self._accounts for each in self._news(account))
            or "nothing"
        )

    @sentence(r"recharge of (?P<account>A\d)")
    def recharge_of(self, account: str) -> str:
        view = view_recharge(self._counter(account))
        words = (
            view.standing.words
            if isinstance(view.standing, NotWanted)
            else f"{decimal_text(view.standing.amount_micros)} would be bought"
        )
        if view.attempt is None:
            return words
        due_ms = view.attempt.due_ms
        again = f", next on {date_text(due_ms)}" if due_ms and due_ms > self.now_ms else ""
        return f"{words}: {view.attempt.state}{again}"

    @sentence(r"charged at the bank")
    def charged(self) -> str:
        names = {card.method_ref: name for name, card in self._cards.items()}
        made = [
            f"{decimal_text(each.amount_micros)} of "
            f"{names[self._bank.charges[each.charge_ref].charge.method_ref]}"
            for each in self._bank.movements
        ]
        return ", ".join(made) or "nothing"

    @sentence(r"invoices of (?P<account>A\d)")
    def invoices(self, account: str) -> str:
        rows = self._rows(account, INVOICES)
        return ", ".join(decimal_text(micros) for (micros,) in rows) or "none"

    # How it is done

    def _news(self, account: str) -> list[str]:
        """What was told since the last time."""
        kinds = [kind for (kind,) in self._rows(account, NOTICES) if kind.startswith(ANNOUNCED)]
        heard = self._heard.get(account, 0)
        self._heard[account] = len(kinds)
        return kinds[heard:]

    def _collect(self, account: str, payment_id: int) -> None:
        step = next_step(self._counter(account), payment_id, "https://contoso.example/")
        if step is not None:
            note_answer(self._counter(account), step, self._ask_bank(step))

    def _ask_bank(self, step: Step) -> Outcome | Absent:
        if step.verb == GIVE_UP:
            return self._bank.cancel_charge(step.ref)
        if step.verb == ASK:
            outcome = self._bank.find_charge(step.charge, step.ref)
        else:
            outcome = self._bank.charge(step.charge)
        if isinstance(outcome, NeedsCardholder) and not step.charge.person_present:
            self._bank.cancel_charge(outcome.ref)
        return outcome

    def _counter(self, account: str) -> Counter:
        number = self._account(account)
        cell = self.store.cell_of(number)
        organisation = self._organisations.get(account) or Organisation(
            *(number, account, cell, "USD", "UTC", "US", "prepaid", True, "standard")
        )
        bounds = Bounds(parse_micros("50"), parse_micros("50000"))
        return Counter(self._connection(cell), organisation, bounds, self.now_ms, self._ids.next)

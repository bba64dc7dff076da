"""Tills in memory: what an organisation pays with and its payments, decided without a database.

`Office` is a `Desk` (tests/commands.py) with auto-recharge: below 100 it adds 200, by one card. It
opens the till as operations/till.py does: loaded, decided, tended, saved.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from talktime.core.charges import Absent, Declined, NeedsCardholder, Outcome, Succeeded, Unknown
from talktime.core.collecting import Bought, Collector
from talktime.core.ledger import Wallet
from talktime.core.notices import Notice
from talktime.core.payments import (
    DECLINED,
    PURCHASE,
    AlertLevel,
    Payment,
    PaymentMethod,
    PaymentTry,
    Recharge,
    Till,
)
from talktime.core.rating import Rate
from talktime.core.recharging import Bounds, NotWanted, Wanted
from talktime.core.tending import tend
from tests.commands import NOW_MS, ORGANISATION, UNIT, YEAR_MS, Desk, authorize, fund, settle

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
BOUNDS = Bounds(50 * UNIT, 10_000 * UNIT)
PAID = Succeeded("charge")
SOFT = Declined("charge", "insufficient_funds", "Not enough money", hard=False)
HARD = Declined("charge", "lost_card", "The card was lost", hard=True)
NOBODY_THERE = NeedsCardholder("charge", "")
AT_A_PAGE = NeedsCardholder("charge", "https://bank.example/charge")
NO_ANSWER = Unknown("the bank did not answer")
ABSENT = Absent()


def card(number: int, priority: int = 0) -> PaymentMethod:
    """A card by its number."""
    return PaymentMethod(
        *(number, ORGANISATION, "card", "active", priority, "bank", "customer", f"card_{number}"),
        *("Visa", f"{number:04}", 2031, 4, "", "", NOW_MS, "admin"),
    )


def plan(
    trigger: int = 100,
    amount: int = 200,
    *,
    method: str = "amount",
    month_cap: int | None = None,
    day_max: int = 5,
) -> Recharge:
    """Auto-recharge that is on; amounts in units."""
    return Recharge(
        *(ORGANISATION, True, trigger * UNIT, method, amount * UNIT),
        *(None if month_cap is None else month_cap * UNIT, day_max, "", "", None, NOW_MS, "admin"),
    )


def wallet_of(available_micros: int, currency: str = "USD") -> Wallet:
    """A wallet of one lot with so much in it; below zero it is all debt."""
    debt_micros = max(-available_micros, 0)
    wallet = Wallet(ORGANISATION, currency, -debt_micros, 0, debt_micros, NOW_MS)
    if available_micros > 0:
        desk = Desk(fund(available_micros))
        wallet.lots, wallet.balance_micros = desk.wallet.lots, available_micros
    return wallet


class Office(Desk):
    """An organisation with a till. `notices` are those that were told, each key once; `standing` is
    what came of the last look; `bought` all that was paid."""

    def __init__(
        self,
        balance: int = 0,
        *cards: PaymentMethod,
        recharge: Recharge | None = None,
        maximum: int = 10_000,
    ) -> None:
        super().__init__(*([fund(balance * UNIT)] if balance else []))
        self.bounds = Bounds(50 * UNIT, maximum * UNIT)
        self.recharge: Recharge | None = recharge or plan()
        self.methods = [*cards] or [card(1)]
        self.levels: list[AlertLevel] = []
        self.payments: dict[int, Payment] = {}
        self.tries: dict[int, list[PaymentTry]] = {}
        self.told: dict[str, Notice] = {}
        self.bought: list[Bought] = []
        self.standing: Wanted | NotWanted = NotWanted("off")
        self._calls = 0
        self.look()

    @contextmanager
    def at_the_till(self, *payment_ids: int) -> Iterator[Collector]:
        """What operations/till.py does, in memory."""
        till = Till(ORGANISATION, self.recharge, self.levels, self.methods)
        for payment in self.payments.values():
            if payment.open or payment.id in payment_ids:
                till.payments[payment.id] = payment
                till.tries[payment.id] = self.tries[payment.id]
            if payment.kind == "recharge":
                counts = payment.open or payment.state == "succeeded"
                begun = (payment.created_ms, payment.amount_micros, counts)
                till.started.append(begun)
        collector = Collector(self.books, till, self.now_ms + YEAR_MS, self.now_ms)
        yield collector
        self.standing = tend(collector, self.bounds)
        self.recharge = till.recharge
        self.payments |= till.payments
        self.tries |= till.tries
        self.bought += collector.bought
        for told in self.books.notices:
            self.told.setdefault(told.key, told)
        self.books.notices.clear()
        self.books.notice_ids.clear()
        recharges = [p for p in self.payments.values() if p.kind == "recharge" and p.open]
        assert len(recharges) <= 1, "two open attempts"

    def look(self, *, after_ms: int = 0) -> Wanted | NotWanted:
        """Tend the wallet, some time later."""
        self.now_ms += after_ms
        with self.at_the_till():
            pass
        return self.standing

    def spend(self, micros: int) -> None:
        """A call that costs so much; whoever watches the wallet looks at it once it is over."""
        self._calls += 1
        name, rate = f"spending {self._calls}", Rate("49", "Germany", micros, 0, 60, 60)
        self.do(authorize(name, rate=rate, at_ms=self.now_ms))
        self.do(settle(name, 1, 60))

    @property
    def attempt(self) -> Payment:
        """The last recharge that was begun."""
        return max((p for p in self.payments.values() if p.kind == "recharge"), key=lambda p: p.id)

    @property
    def attempts(self) -> list[Payment]:
        """All recharges, the first first."""
        return sorted(
            (p for p in self.payments.values() if p.kind == "recharge"), key=lambda p: p.id
        )

    def tried(self) -> list[tuple[int, str]]:
        """The tries of the last recharge: (the card's number, the state)."""
        return [(each.method_id, each.state) for each in self.tries[self.attempt.id]]

    def answer(
        self, outcome: Outcome | Absent, *, after_ms: int = 0, number: int | None = None
    ) -> None:
        """The provider says this of the open try of the last recharge (or of that number)."""
        self.now_ms += after_ms
        payment = self.attempt
        with self.at_the_till(payment.id) as collector:
            tries = self.tries[payment.id]
            if number is None:
                try_ = collector.till.open_try(payment)
                assert try_ is not None, "nothing was asked of the provider"
            else:
                try_ = tries[number - 1]
            collector.answered(payment, try_, outcome)

    def wait_for_it(self) -> int:
        """Go to when the last recharge is due, and do what is due then; hours since NOW_MS."""
        payment = self.attempt
        assert payment.due_ms is not None
        self.now_ms = payment.due_ms
        if payment.state == DECLINED:
            with self.at_the_till(payment.id) as collector:
                collector.due(payment)
        hours, rest = divmod(self.now_ms - NOW_MS, HOUR_MS)
        assert rest == 0
        return hours

    def buy(self, amount: int, number: int = 1) -> Payment:
        """A person buys so much by a card."""
        payment = Payment(
            *(self.books.next_id(), ORGANISATION, PURCHASE, "charging", None, amount * UNIT),
            *("USD", f"purchase {len(self.payments)}", 0, "", "admin", 0, "", "", ""),
            due_ms=None,
            created_ms=self.now_ms,
            new=True,
        )
        with self.at_the_till() as collector:
            collector.start(payment, card(number))
        return payment

    def kinds(self) -> list[str]:
        """The kinds of what was told, the first first."""
        return [notice.kind for notice in self.told.values()]

    def last(self, kind: str) -> Notice:
        """The last notice of a kind."""
        return [notice for notice in self.told.values() if notice.kind == kind][-1]


def copy_of(recharge: Recharge, **changes: object) -> Recharge:
    """Other settings."""
    return replace(recharge, **changes)  # type: ignore[arg-type]

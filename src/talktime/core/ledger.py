"""Wallets and their lots: what is available, what is held, what is spent, and the transfers that
prove it.

A wallet is the sum of its lots less its debt. Each lot is a ledger account (its id is the
account's); the other side of every transfer is one of the organisation's system accounts below. A
lot's own figures:

    amount >= remaining >= held >= 0        free = remaining - held

Expiry is a fact of time: a lot past `expires_ms` is not spendable from that instant, whether or
not the job that books its forfeiture has run. What a running call holds stays held
(architecture.md, section 3).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

FUNDING = 1
"""Money that came in for purchases: what the payment provider owes or has paid out."""
REVENUE = 2
FORFEITURES = 3
GRANTS = 4
DEBT = 5
"""What the organisation owes: for calls that ran past their holds (D7), and for payments that went
back after they were spent (D15)."""
ADJUSTMENTS = 6
POST_USAGE = 7
"""What an organisation on the post-usage model pays after use, on its next statement (D14)."""
RECEIVABLES = 8
"""What was billed after use, on statements, and is not paid yet."""

SYSTEM_ACCOUNTS = {
    FUNDING: "funding",
    REVENUE: "revenue",
    FORFEITURES: "forfeitures",
    GRANTS: "grants",
    DEBT: "debt",
    ADJUSTMENTS: "adjustments",
    POST_USAGE: "post_usage",
    RECEIVABLES: "receivables",
}

Parts = list[tuple[int, int]]
"""Money by lot: (lot id, micros), in the order in which it is spent."""


class Transfer(NamedTuple):
    """One immutable movement of money: debit account -> credit account, amount above zero."""

    id: int
    organisation_id: int
    debit_account: int
    credit_account: int
    amount_micros: int
    kind: str
    usage_id: int | None
    at_ms: int


@dataclass(slots=True)
class Lot:
    """One purchase or grant. `changed` is set whenever a figure moves, for the save that
    follows; `was_spent` is what its row says."""

    id: int
    organisation_id: int
    source: str
    priority: int
    promotional: bool
    amount_micros: int
    remaining_micros: int
    held_micros: int
    purchased_ms: int
    expires_ms: int
    idempotency_key: str
    body_hash: int
    reason: str
    actor: str
    changed: bool = False
    was_spent: bool = False

    @property
    def spent(self) -> bool:
        """Whether nothing remains."""
        return self.remaining_micros == 0

    def order(self) -> tuple[int, int, bool, int, int]:
        """The order of consumption (D6): priority, expiry, promotional first, purchase, id."""
        return (self.priority, self.expires_ms, not self.promotional, self.purchased_ms, self.id)


@dataclass(slots=True)
class Wallet:
    """An organisation's credit. `lots` are those with money left, in the order of consumption.

    What it is watched for is in core/watch.py; `no_buying` says (a code) why nothing can be bought.
    `version` counts what was written of the organisation's books (store/save.py).
    """

    organisation_id: int
    currency: str
    balance_micros: int
    held_micros: int
    debt_micros: int
    first_funded_ms: int | None = None
    recharge_below_micros: int | None = None
    alert_below_micros: int | None = None
    alert_from_micros: int | None = None
    attention_ms: int | None = None
    lowest_micros: int | None = None
    no_buying: str | None = None
    version: int = 0
    lots: list[Lot] = field(default_factory=list)
    changed: bool = False
    newly_funded: bool = False
    watch_changed: bool = False

    def written(self) -> None:
        """All of it stands in the database now, as if it had just been read from there."""
        self.changed = self.newly_funded = self.watch_changed = False
        for lot in self.lots:
            lot.changed = lot.was_spent = False
            if lot.remaining_micros == 0:
                self.lots = [each for each in self.lots if not each.spent]

    def available_micros(self, now_ms: int) -> int:
        """What new holds may take: unexpired, not held, less the debt. Below zero while in debt."""
        free_micros = -self.debt_micros
        for lot in self.lots:
            if lot.expires_ms > now_ms:
                free_micros += lot.remaining_micros - lot.held_micros
        return free_micros

    def hold(self, amount_micros: int, parts: Parts, now_ms: int) -> Parts:
        """Set `amount_micros` aside, added to the `parts` held so far; the caller has checked
        `available_micros`."""
        left_micros = amount_micros
        for lot in self.lots:
            if left_micros == 0:
                break
            free_micros = lot.remaining_micros - lot.held_micros
            if free_micros > 0 and lot.expires_ms > now_ms:
                taken_micros = min(free_micros, left_micros)
                lot.held_micros += taken_micros
                lot.changed = True
                left_micros -= taken_micros
                parts = add_part(parts, lot.id, taken_micros)
        if left_micros:
            raise ValueError(f"{left_micros} micros more held than are available")
        self.held_micros += amount_micros
        self.changed = True
        return parts

    def release(self, parts: Parts) -> None:
        """Free everything that a call holds; what it owes is taken by `spend` afterwards."""
        for lot_id, micros in parts:
            lot = self.lot(lot_id)
            lot.held_micros -= micros
            lot.changed = True
            self.held_micros -= micros
        self.changed = True

    def lot(self, lot_id: int) -> Lot:
        """The lot of this id; KeyError where the wallet has none with money left."""
        for lot in self.lots:
            if lot.id == lot_id:
                return lot
        raise KeyError(f"wallet {self.organisation_id} has no lot {lot_id}")

    def spend(
        self, amount_micros: int, first: Parts, now_ms: int, *, first_alone: bool = False
    ) -> tuple[Parts, int]:
        """Spend up to `amount_micros`: from the lots in `first` up to their share, then (unless
        they alone may pay) from what is free.

        Returns what came from which lot, and what is left to pay.
        """
        spent: Parts = []
        left_micros = amount_micros
        for lot_id, share_micros in first:
            left_micros -= self._spend(self.lot(lot_id), min(share_micros, left_micros), spent)
        if left_micros and not first_alone:
            left_micros = self._spend_free(left_micros, spent, now_ms)
        self.balance_micros -= amount_micros - left_micros
        self.changed = True
        return spent, left_micros

    def owe(self, micros: int) -> None:
        """Make a debt of what no lot could pay (D7)."""
        self.debt_micros += micros
        self.balance_micros -= micros
        self.changed = True

    def pay_debt(self, now_ms: int) -> Parts:
        """Pay as much of the debt as is free (D7): the balance stays, the debt shrinks. Returns
        what was paid by lot."""
        if not self.debt_micros:
            return []
        paid: Parts = []
        left_micros = self._spend_free(self.debt_micros, paid, now_ms)
        self.debt_micros = left_micros
        return paid

    def pay_debt_from(self, lot_id: int, micros: int) -> Parts:
        """Pay up to `micros` of the debt from one lot, expired or not; returns what was paid."""
        paid: Parts = []
        self.debt_micros -= self._spend(self.lot(lot_id), min(micros, self.debt_micros), paid)
        return paid

    def forgive(self, micros: int) -> None:
        """Lessen the debt by money that no lot had paid."""
        self.debt_micros -= micros
        self.balance_micros += micros
        self.changed = True

    def put_back(self, lot_id: int, micros: int) -> None:
        """Return money to the lot it was taken from."""
        lot = self.lot(lot_id)
        lot.remaining_micros += micros
        lot.changed = True
        self.balance_micros += micros
        self.changed = True

    def forfeit(self, lot: Lot) -> int:
        """Take what is left of a lot and not held out of the wallet; returns it."""
        return self.void(lot, lot.remaining_micros)

    def void(self, lot: Lot, micros: int) -> int:
        """Take up to `micros` of what is left of a lot and not held out of the wallet, expired or
        not; returns what was taken."""
        taken_micros = min(micros, lot.remaining_micros - lot.held_micros)
        lot.remaining_micros -= taken_micros
        self.balance_micros -= taken_micros
        lot.changed = self.changed = True
        return taken_micros

    def add(self, lot: Lot) -> None:
        """Put a new lot in its place in the order of consumption."""
        self.lots.append(lot)
        self.lots.sort(key=Lot.order)
        self.balance_micros += lot.amount_micros
        self.changed = True

    def _spend_free(self, micros: int, spent: Parts, now_ms: int) -> int:
        """Spend up to `micros` of what is free, in order; returns what could not be paid."""
        for lot in self.lots:
            if micros == 0:
                break
            if lot.expires_ms > now_ms:
                micros -= self._spend(
                    lot, min(lot.remaining_micros - lot.held_micros, micros), spent
                )
        return micros

    def _spend(self, lot: Lot, micros: int, spent: Parts) -> int:
        if micros > 0:
            lot.remaining_micros -= micros
            lot.changed = True
            spent[:] = add_part(spent, lot.id, micros)
        return micros


def add_part(parts: Parts, lot_id: int, micros: int) -> Parts:
    """`parts` with `micros` more from a lot, one entry a lot.

    >>> add_part([(8, 100)], 8, 50)
    [(8, 150)]
    """
    for at, (part_lot_id, part_micros) in enumerate(parts):
        if part_lot_id == lot_id:
            return [*parts[:at], (lot_id, part_micros + micros), *parts[at + 1 :]]
    return [*parts, (lot_id, micros)]

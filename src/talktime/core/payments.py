"""What an organisation pays with, and its payments: the values that deciding works on.

A payment is one try to get money: a purchase, a recharge attempt, or the payment of a statement. It
is made of tries, each one charge asked of a provider (or of none, where an invoice is paid).

    charging ──► succeeded                     paid: there is a lot, or a statement paid
       ├──► unknown ──► (asked) ──► any        no answer came: asked about, never charged again (D3)
       ├──► confirming ──► (asked) ──► any     the cardholder must act; with a person present alone
       ├──► declined ──► charging              softly: tried again later; a recharge alone
       └──► failed | cancelled
    invoiced ──► succeeded | cancelled         an invoice waits until its money is there

Money that a provider took is always credited, whatever became of the payment meanwhile.
"""

from dataclasses import dataclass, field

PURCHASE, RECHARGE, STATEMENT = ("purchase", "recharge", "statement")
CHARGING, UNKNOWN, DECLINED, CONFIRMING, INVOICED = OPEN_STATES = (
    *("charging", "unknown", "declined", "confirming", "invoiced"),
)
SUCCEEDED, FAILED, CANCELLED = OVER_STATES = ("succeeded", "failed", "cancelled")
SENDING = "sending"
REFUSED = "refused"
"""A try that was declined for good: this card will not do later either."""
CARD, INVOICE = ("card", "invoice")
REFUNDED, DISPUTED, TAKEN_BACK = FREEZING = ("refunded", "disputed", "taken_back")
"""Why auto-recharge is paused after money went back: it cannot be resumed while a debt is owed."""
AMOUNT, UP_TO = RECHARGE_METHODS = ("amount", "up_to")


@dataclass(slots=True)
class Recharge:
    """An organisation's auto-recharge: below which available money (`trigger_micros`), by how much
    (or, `up_to`, to which balance), within which caps. Where `paused_code` is set, it waits for
    somebody to resume it."""

    organisation_id: int
    enabled: bool
    trigger_micros: int
    method: str
    amount_micros: int
    month_cap_micros: int | None
    day_max: int
    paused_code: str
    paused_detail: str
    paused_ms: int | None
    changed_ms: int
    changed_by: str
    changed: bool = False

    def pause(self, code: str, detail: str, now_ms: int) -> None:
        """Buy nothing more until somebody resumes it."""
        self.paused_code, self.paused_detail, self.paused_ms = code, detail, now_ms
        self.changed = True

    def frozen(self, debt_micros: int) -> bool:
        """Whether what went back has left a debt that must be paid first (D15)."""
        return self.paused_code in FREEZING and debt_micros > 0

    def resume(self) -> None:
        """Go on."""
        self.paused_code, self.paused_detail, self.paused_ms = "", "", None
        self.changed = True


@dataclass(slots=True)
class AlertLevel:
    """A balance below which the organisation is told, once until it is above it again; 0: a
    balance used up. `fired_at_micros` is the balance at which it was told."""

    organisation_id: int
    below_micros: int
    fired_ms: int | None = None
    fired_at_micros: int | None = None
    changed: bool = False


@dataclass(slots=True)
class PaymentMethod:
    """A card, known by the provider's tokens, or an agreement to pay invoices (R10). A card that
    was removed is to be forgotten by its provider from `forget_ms` on; None when it has been."""

    id: int
    organisation_id: int
    kind: str
    state: str
    priority: int
    provider: str
    customer_ref: str
    method_ref: str
    brand: str
    last4: str
    exp_year: int | None
    exp_month: int | None
    agreement: str
    po_number: str
    created_ms: int
    created_by: str
    forget_ms: int | None = None

    @property
    def name(self) -> str:
        """What people know it by.

        >>> from talktime.core.payments import PaymentMethod
        >>> card = ("card", "active", 0, "stripe", "cus", "pm", "Visa", "4242", 2027, 4, "", "")
        >>> PaymentMethod(1, 2, *card, 0, "admin").name
        'Visa ending 4242'
        """
        if self.kind == INVOICE:
            return f"Invoice, agreement {self.agreement}"
        return f"{self.brand or 'Card'} ending {self.last4}"


@dataclass(slots=True)
class Payment:
    """One try to get money. While open, a job does its next step at `due_ms`, where there is one.

    `declines` counts how often all methods were declined; `code` and `detail` are of the last
    answer.
    """

    id: int
    organisation_id: int
    kind: str
    state: str
    method_id: int | None
    amount_micros: int
    currency: str
    idempotency_key: str
    body_hash: int
    po_number: str
    actor: str
    declines: int
    code: str
    detail: str
    action_url: str
    due_ms: int | None
    created_ms: int
    closed_ms: int | None = None
    lot_id: int | None = None
    statement_id: int | None = None
    refunded_micros: int = 0
    new: bool = False
    changed: bool = False

    @property
    def open(self) -> bool:
        """Whether it can still become anything."""
        return self.closed_ms is None

    def move(self, state: str, now_ms: int, *, due_ms: int | None = None) -> None:
        """Go to another state, with the next step at `due_ms`; the last states close it."""
        self.state, self.changed = state, True
        over = state in OVER_STATES
        self.due_ms = None if over else due_ms
        self.closed_ms = (self.closed_ms or now_ms) if over else None
        if state != CONFIRMING:
            self.action_url = ""


@dataclass(slots=True)
class PaymentTry:
    """One charge asked of a provider; its id is the idempotency key there."""

    id: int
    organisation_id: int
    payment_id: int
    number: int
    method_id: int
    provider: str
    state: str
    amount_micros: int
    provider_ref: str
    code: str
    detail: str
    asked: int
    created_ms: int
    closed_ms: int | None = None
    new: bool = False
    changed: bool = False

    def move(self, state: str, now_ms: int, code: str = "", detail: str = "") -> None:
        """Go to another state; all but `sending`, `unknown` and `confirming` close it."""
        self.state, self.code, self.detail, self.changed = state, code, detail, True
        self.closed_ms = None if state in (SENDING, UNKNOWN, CONFIRMING) else now_ms


@dataclass(slots=True)
class Till:
    """What of an organisation's payments was loaded under its wallet's lock, and what deciding has
    changed in it. `methods` are the active ones, the first to be tried first; `started` are the
    recharges of this month and of the last day: (created, amount, whether it may have cost money).
    """

    organisation_id: int
    recharge: Recharge | None = None
    levels: list[AlertLevel] = field(default_factory=list)
    methods: list[PaymentMethod] = field(default_factory=list)
    payments: dict[int, Payment] = field(default_factory=dict)
    tries: dict[int, list[PaymentTry]] = field(default_factory=dict)
    started: list[tuple[int, int, bool]] = field(default_factory=list)

    def open_recharge(self) -> Payment | None:
        """The recharge attempt that is not over; there is at most one (R16)."""
        for payment in self.payments.values():
            if payment.kind == RECHARGE and payment.open:
                return payment
        return None

    def purchases_open_micros(self) -> int:
        """What the purchases come to that are not over: charged now, or waiting for money."""
        return sum(
            each.amount_micros
            for each in self.payments.values()
            if each.kind == PURCHASE and each.open
        )

    def note_paid(self, payment: Payment) -> None:
        """A recharge, also one that had been given up, has cost money: it counts for the caps."""
        if payment.kind == RECHARGE:
            begun = (payment.created_ms, payment.amount_micros)
            if (*begun, True) not in self.started:
                self.started = [each for each in self.started if each != (*begun, False)]
                self.started.append((*begun, True))

    def cards(self) -> list[PaymentMethod]:
        """The cards that can be charged, in the order in which they are tried."""
        return [method for method in self.methods if method.kind == CARD]

    def method(self, method_id: int | None) -> PaymentMethod | None:
        """The active method of this id."""
        return next((method for method in self.methods if method.id == method_id), None)

    def open_try(self, payment: Payment) -> PaymentTry | None:
        """The try of a payment that is not over."""
        for each in self.tries.get(payment.id, ()):
            if each.closed_ms is None:
                return each
        return None

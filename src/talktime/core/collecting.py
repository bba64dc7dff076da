"""What becomes of a payment when a provider has answered, or has not (D3). Pure.

Each function works on the till of one organisation, under its wallet's lock. Money that was taken
is credited whatever the payment had become; a decline is tried with the next card, then later,
then pauses the recharge; no answer is no decline.
"""

from typing import NamedTuple

from talktime.core.books import Books
from talktime.core.charges import (
    WAITING_FOR_CARDHOLDER,
    Absent,
    Declined,
    Misconfigured,
    NeedsCardholder,
    Outcome,
    Succeeded,
    Unknown,
)
from talktime.core.commands import Fund
from talktime.core.figures import DEFAULT_FIGURES, Figures
from talktime.core.funding import fund
from talktime.core.ledger import Lot
from talktime.core.notices import notice
from talktime.core.outcomes import Funded
from talktime.core.payments import (
    CANCELLED,
    CARD,
    CHARGING,
    CONFIRMING,
    DECLINED,
    FAILED,
    PURCHASE,
    RECHARGE,
    REFUSED,
    SENDING,
    SUCCEEDED,
    UNKNOWN,
    Payment,
    PaymentMethod,
    PaymentTry,
    Till,
)
from talktime.core.recharging import SEND_AGAIN_MS_MAX, ask_at_ms, retry_at_ms

CONFIRM_ASK_MS = 60_000
IN_USE_MS = 5_000
"""A charge that the provider is still at is sent again so long after."""
SERVICE = "service"
NO_CARD = "There is no card left to charge"


class Bought(NamedTuple):
    """A payment that came to money: the lot it bought, and by what."""

    payment: Payment
    lot: Lot
    method: str


class Collector:
    """Decides about the payments of one organisation in one transaction. `expires_ms` is when what
    is bought now expires (D5); `bought` is what came of it, to be invoiced."""

    def __init__(
        self,
        books: Books,
        till: Till,
        expires_ms: int,
        now_ms: int,
        figures: Figures = DEFAULT_FIGURES,
    ) -> None:
        self.books, self.till = books, till
        self.wallet = books.wallets[till.organisation_id]
        self.expires_ms, self.now_ms, self.figures = expires_ms, now_ms, figures
        self.bought: list[Bought] = []

    def start(self, payment: Payment, method: PaymentMethod) -> None:
        """Have a new payment charged to a card at once."""
        self.till.payments[payment.id] = payment
        self._try(payment, method)

    def answered(self, payment: Payment, try_: PaymentTry, outcome: Outcome | Absent) -> None:
        """Note what a provider said of a try."""
        if isinstance(outcome, Succeeded):
            self._succeeded(payment, try_, outcome.ref)
            return
        if try_.closed_ms is not None:
            return  # it was over, and cost nothing: so it stays
        match outcome:
            case Declined():
                try_.provider_ref = outcome.ref or try_.provider_ref
                state = REFUSED if outcome.hard else DECLINED
                try_.move(state, self.now_ms, outcome.code, outcome.detail)
                if payment.open:
                    self._declined(payment, try_)
            case _ if not payment.open:
                return  # another of its tries has paid
            case NeedsCardholder():
                try_.provider_ref = outcome.ref or try_.provider_ref
                self._needs_cardholder(payment, try_, outcome)
            case Absent():
                self._absent(payment, try_)
            case Unknown(in_use=True) if try_.state == SENDING:
                # It is sent again, with the same key, when the first has its answer.
                payment.move(CHARGING, self.now_ms, due_ms=self.now_ms + IN_USE_MS)
            case _:
                self._unknown(payment, try_, outcome)

    def due(self, payment: Payment) -> None:
        """The time has come to try all methods again; unless it is not wanted any more."""
        recharge = self.till.recharge
        if recharge is None or not self._goes_on():
            self._over(payment, CANCELLED, "turned_off", "Auto-recharge was turned off")
        elif self.wallet.no_buying is not None:
            self._over(payment, CANCELLED, "not_offered", "No credits can be bought any more")
        elif self.wallet.available_micros(self.now_ms) >= recharge.trigger_micros:
            self._over(
                payment, CANCELLED, "not_needed", "What is available is above the trigger again"
            )
        else:
            method = self._next_method(payment)
            if method is not None:
                self._try(payment, method)
            else:
                self._pause(payment, "no_method", NO_CARD)

    def card_removed(self, method: PaymentMethod) -> None:
        """Where no card is left that could pay, auto-recharge pauses at once, whether or not one is
        due (D3): nobody would learn of it otherwise. A charge that is on its way is finished."""
        waiting = self.till.open_recharge()
        if waiting is not None and waiting.state == DECLINED:
            if not self._not_refused(waiting):
                self._pause(waiting, "no_method", NO_CARD)
        elif method.kind == CARD and not self.till.cards():
            self._stop("no_method", NO_CARD, f"recharge.paused/method {method.id}")

    def receive(self, payment: Payment, method: str, actor: str) -> None:
        """The money of an invoice is there, as the actor says: the lot is theirs, the payment stays
        the buyer's."""
        self._paid(payment, method, actor)

    def not_paid(self, payment: Payment, detail: str, method: str) -> None:
        """The money of an invoice has not come: nothing is waited for any more."""
        self._over(payment, CANCELLED, "not_paid", detail)
        self._tell(
            "purchase.failed",
            payment,
            payment_id=payment.id,
            amount_micros=payment.amount_micros,
            currency=payment.currency,
            balance_micros=self.wallet.balance_micros,
            code=payment.code,
            detail=detail,
            method=method,
            next_ms=None,
            po_number=payment.po_number or None,
        )

    def _try(self, payment: Payment, method: PaymentMethod) -> None:
        tries = self.till.tries.setdefault(payment.id, [])
        tries.append(
            PaymentTry(
                self.books.next_id(),
                payment.organisation_id,
                payment.id,
                len(tries) + 1,
                method.id,
                method.provider,
                SENDING,
                payment.amount_micros,
                *("", "", ""),
                asked=0,
                created_ms=self.now_ms,
                new=True,
            )
        )
        payment.method_id = method.id
        payment.move(CHARGING, self.now_ms, due_ms=self.now_ms)

    def _succeeded(self, payment: Payment, try_: PaymentTry, ref: str) -> None:
        if try_.state == SUCCEEDED:
            return
        try_.provider_ref = ref or try_.provider_ref
        try_.move(SUCCEEDED, self.now_ms)
        if payment.state == SUCCEEDED:
            # Two of its tries took money: what came twice is credited twice.
            payment = self._another(payment, try_)
        payment.method_id = try_.method_id
        method = self.till.method(try_.method_id)
        self._paid(payment, method.name if method else "a card that was removed since")

    def _another(self, payment: Payment, try_: PaymentTry) -> Payment:
        other = Payment(
            self.books.next_id(),
            payment.organisation_id,
            payment.kind,
            CHARGING,
            try_.method_id,
            try_.amount_micros,
            payment.currency,
            f"try {try_.id}",
            0,
            payment.po_number,
            SERVICE,
            *(0, "", "", ""),
            due_ms=None,
            created_ms=self.now_ms,
            closed_ms=self.now_ms,  # never open: another recharge may be
            new=True,
        )
        self.till.payments[other.id] = other
        self.till.tries[payment.id].remove(try_)
        self.till.tries[other.id] = [try_]
        try_.payment_id, try_.number = other.id, 1
        return other

    def _paid(self, payment: Payment, method: str, actor: str = "") -> None:
        payment.code, payment.detail = "", ""
        payment.move(SUCCEEDED, self.now_ms)
        self.till.note_paid(payment)
        funded = fund(
            self.books,
            Fund(
                payment.organisation_id,
                f"payment {payment.id}",
                0,
                payment.kind,
                payment.amount_micros,
                self.expires_ms,
                "Auto-recharge" if payment.kind == RECHARGE else "Purchase",
                actor or payment.actor,
            ),
            self.now_ms,
        )
        if not isinstance(funded, Funded):
            raise TypeError(f"payment {payment.id} is not credited: {funded!r}")
        payment.lot_id = funded.lot.id
        self.bought.append(Bought(payment, funded.lot, method))

    def _declined(self, payment: Payment, try_: PaymentTry) -> None:
        payment.code, payment.detail, payment.changed = try_.code, try_.detail, True
        if payment.kind != RECHARGE:
            payment.move(FAILED, self.now_ms)
            self._tell_failed(payment, try_, None)
            return
        method = self._next_method(payment)
        if not self._goes_on():  # turned off meanwhile: no other card is asked (R20)
            self._tell_failed(payment, try_, None)
            payment.move(FAILED, self.now_ms)
        elif method is not None:
            self._try(payment, method)
            self._tell_failed(payment, try_, self.now_ms)
        elif self._not_refused(payment):
            self._later(payment, try_)
        else:
            self._tell_failed(payment, try_, None)
            self._pause(payment, try_.code, try_.detail)

    def _later(self, payment: Payment, try_: PaymentTry) -> None:
        """All cards were declined: they are tried again at the next of the times that are still
        to come; what a downtime missed is not made up for."""
        retry_ms: int | None = self.now_ms
        while retry_ms is not None and retry_ms <= self.now_ms:
            payment.declines += 1
            retry_ms = self._retry_at_ms(payment)
        self._tell_failed(payment, try_, retry_ms)
        if retry_ms is None:
            self._pause(payment, try_.code, try_.detail)
        else:
            payment.move(DECLINED, self.now_ms, due_ms=retry_ms)

    def _retry_at_ms(self, payment: Payment) -> int | None:
        tries = self.till.tries[payment.id]
        first_declined_ms = min(each.closed_ms or self.now_ms for each in tries)
        return retry_at_ms(first_declined_ms, payment.declines, self.figures)

    def _goes_on(self) -> bool:
        """Whether a recharge that is on its way may ask another card, or ask again."""
        recharge = self.till.recharge
        return recharge is not None and recharge.enabled and not recharge.paused_code

    def _needs_cardholder(
        self, payment: Payment, try_: PaymentTry, outcome: NeedsCardholder
    ) -> None:
        if payment.kind == RECHARGE or not outcome.url:
            detail = "The card's bank wants the cardholder to confirm the payment"
            try_.move(REFUSED, self.now_ms, WAITING_FOR_CARDHOLDER, detail)
            self._declined(payment, try_)
        else:
            try_.move(CONFIRMING, self.now_ms)
            payment.move(CONFIRMING, self.now_ms, due_ms=self.now_ms + CONFIRM_ASK_MS)
            payment.action_url = outcome.url

    def _unknown(self, payment: Payment, try_: PaymentTry, outcome: Outcome) -> None:
        detail = outcome.detail if isinstance(outcome, Misconfigured) else "No answer came"
        if try_.state != SENDING:
            try_.asked += 1
        try_.move(UNKNOWN, self.now_ms, "unknown", detail)
        due_ms = ask_at_ms(try_.created_ms, try_.asked, self.figures)
        while due_ms <= self.now_ms:  # after a downtime: not all that was missed
            try_.asked += 1
            due_ms = ask_at_ms(try_.created_ms, try_.asked, self.figures)
        payment.code, payment.detail = "unknown", detail
        payment.move(UNKNOWN, self.now_ms, due_ms=due_ms)

    def _absent(self, payment: Payment, try_: PaymentTry) -> None:
        """The provider knows of no such charge: it is sent again with the same key, so that it
        cannot be charged twice even if the first was only late; or given up when the provider may
        have forgotten the key."""
        if self.now_ms - try_.created_ms < SEND_AGAIN_MS_MAX:
            try_.asked += 1
            try_.move(SENDING, self.now_ms)
            payment.move(CHARGING, self.now_ms, due_ms=self.now_ms)
            return
        detail = "The provider has no such charge"
        try_.move(CANCELLED, self.now_ms, "not_charged", detail)
        self._tell_failed(payment, try_, None)
        self._over(payment, FAILED, "not_charged", detail)

    def _next_method(self, payment: Payment) -> PaymentMethod | None:
        """The first card that was not tried in this round, and never refused for good."""
        since_ms = 0
        if payment.declines:
            since_ms = self._retry_at_ms(payment) or 0
        tries = self.till.tries[payment.id]
        tried = {each.method_id for each in tries if each.created_ms >= since_ms}
        return next((card for card in self._not_refused(payment) if card.id not in tried), None)

    def _not_refused(self, payment: Payment) -> list[PaymentMethod]:
        """The cards that may still pay this."""
        tries = self.till.tries[payment.id]
        refused = {each.method_id for each in tries if each.state == REFUSED}
        return [card for card in self.till.cards() if card.id not in refused]

    def _pause(self, payment: Payment, code: str, detail: str) -> None:
        self._over(payment, FAILED, code, detail)
        self._stop(code, detail, f"recharge.paused/{payment.id}")

    def _stop(self, code: str, detail: str, key: str) -> None:
        recharge = self.till.recharge
        if recharge is None or not recharge.enabled or recharge.paused_code:
            return
        recharge.pause(code, detail, self.now_ms)
        facts: dict[str, str | int | None] = {
            "code": code,
            "detail": detail,
            "balance_micros": self.wallet.balance_micros,
            "currency": self.wallet.currency,
        }
        owner = self.till.organisation_id
        self.books.tell(notice(owner, "recharge.paused", key, self.now_ms, **facts))

    def _over(self, payment: Payment, state: str, code: str, detail: str) -> None:
        payment.code, payment.detail = code, detail
        payment.move(state, self.now_ms)

    def _tell_failed(self, payment: Payment, try_: PaymentTry, next_ms: int | None) -> None:
        """Once for a payment: on the first decline, naming the reason (D4)."""
        method = self.till.method(try_.method_id)
        facts: dict[str, str | int | None] = {
            "payment_id": payment.id,
            "amount_micros": payment.amount_micros,
            "currency": payment.currency,
            "balance_micros": self.wallet.balance_micros,
            "code": try_.code,
            "detail": try_.detail,
            "method": method.name if method else "",
            "next_ms": next_ms,
        }
        if payment.kind == PURCHASE:
            facts["po_number"] = payment.po_number or None
        self._tell(f"{payment.kind}.failed", payment, **facts)

    def _tell(self, kind: str, payment: Payment, **facts: str | int | None) -> None:
        key = f"{kind}/{payment.id}"
        if not any(told.key == key for told in self.books.notices):
            told = notice(payment.organisation_id, kind, key, self.now_ms, **facts)
            self.books.tell(told)

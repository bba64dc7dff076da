"""An organisation that pays after use, in one cell: its calls, at the times that the test sets."""

from talktime.core.directory import CallingRules, Organisation
from talktime.core.documents import Buyer, Seller, credit_note, invoice_of_lot
from talktime.core.ledger import Lot
from talktime.core.meters import month_of, post_usage_key
from talktime.core.payments import Payment
from talktime.core.post_usage import Deadlines, PostStatement, month_end_ms, month_start_ms
from talktime.core.recharging import Bounds
from talktime.core.refusal import Refusal
from talktime.operations.after_use_credit import settle_credit
from talktime.operations.check_books import check_books
from talktime.operations.close_month import Terms, close_month
from talktime.operations.documents import issue
from talktime.operations.post_statements import pay_statement
from talktime.operations.take_back import take_back
from talktime.operations.till import Counter
from talktime.operations.undo_payment import undo_payment
from talktime.store.database import Connection
from talktime.store.post_statements import insert_payment
from tests.lively_books import GERMANY, Player
from tests.stores import ADD_WALLET

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SELLER = Seller("Fabrikam Voice", ("Redmond",), "US 1")
TERMS = Terms(SELLER, Deadlines())
RULES = CallingRules(pay_as_you_go=True)


class AfterUse(Player):
    """Organisation 7 and others in a cell; `close` and `pay` are transactions of their own."""

    def __init__(self, connection: Connection, currency: str = "USD", node: int = 0) -> None:
        super().__init__(connection, month_start_ms("2026-11"), node)
        self.organisation = organisation(7, currency)
        with connection.transaction():
            connection.run(ADD_WALLET, [7, currency])

    def use(self, call_key: str, used_s: int, at_ms: int, rate=GERMANY) -> None:  # type: ignore[no-untyped-def]
        """A call that began then and is paid after use."""
        self.now_ms = at_ms
        key = post_usage_key(month_of(at_ms))
        self.call(7, call_key, used_s, rate, post_usage=key, credits=False)

    def leave_open(self, call_key: str, at_ms: int, used_s: int = 0) -> None:
        """A call that began then, was talking for so long, and was not heard of again."""
        self.now_ms = at_ms
        key = post_usage_key(month_of(at_ms))
        self.authorize(7, call_key, post_usage=key, credits=False)
        if used_s:
            self.extend(call_key, 1, used_s)

    def close(self, month: str, at_ms: int = 0) -> PostStatement | Refusal | None:
        """Close a month a day after its end, or then."""
        self.now_ms = at_ms or month_end_ms(month) + DAY_MS
        with self.connection.transaction():
            return close_month(
                self.connection,
                self.organisation,
                month,
                TERMS,
                now_ms=self.now_ms,
                next_id=self.ids.next,
            )

    def pay(self, month: str, micros: int, key: str = "k", note: str = "bank transfer"):  # type: ignore[no-untyped-def]
        """Pay so much of a statement."""
        with self.connection.transaction():
            return pay_statement(
                self.connection,
                self.organisation,
                month,
                amount_micros=micros,
                note=note,
                actor="operator",
                idempotency_key=key,
                now_ms=self.now_ms,
                next_id=self.ids.next,
            )

    def counter(self) -> Counter:
        """Where organisation 7 pays."""
        return Counter(
            *(self.connection, self.organisation, Bounds(0, 10**12)),
            *(self.now_ms, self.ids.next, SELLER),
        )

    def undo(self, month: str, payment_id: int, key: str = "u", reason: str = "bounced"):  # type: ignore[no-untyped-def]
        """Undo a payment of a statement."""
        return undo_payment(
            *(self.counter(), month, payment_id, TERMS.deadlines),
            reason=reason,
            actor="operator",
            idempotency_key=key,
        )

    def settle_credit(self, way: str, key: str = "s", reason: str = "agreed"):  # type: ignore[no-untyped-def]
        """Settle what was billed too much."""
        return settle_credit(
            self.counter(), way, reason=reason, actor="operator", idempotency_key=key
        )

    def payment_ids(self) -> list[int]:
        """The payments of organisation 7, in their order."""
        rows = self.connection.rows("SELECT id FROM payment WHERE organisation_id = 7 ORDER BY id")
        return [row[0] for row in rows]

    def accounts(self) -> dict[int, int]:
        """What stands in each account of organisation 7, debits below zero."""
        found: dict[int, int] = {}
        for debit, credit, micros in self.connection.rows(
            "SELECT debit_account, credit_account, amount_micros FROM transfer "
            "WHERE organisation_id = 7"
        ):
            found[debit] = found.get(debit, 0) - micros
            found[credit] = found.get(credit, 0) + micros
        return found

    def notices(self) -> list[str]:
        """The kinds of the notices of organisation 7, in their order."""
        rows = self.connection.rows("SELECT kind FROM outbox WHERE organisation_id = 7 ORDER BY id")
        return [row[0] for row in rows]

    def books_hold(self) -> bool:
        """Whether the cell's books are clean; says what is not."""
        checked = check_books(self.connection, self.clock_ms)
        assert checked.findings == ()
        return checked.clean


def organisation(
    organisation_id: int = 7,
    currency: str = "USD",
    model: str = "post_usage",
    rules: CallingRules = RULES,
) -> Organisation:
    """An organisation in cell main."""
    return Organisation(
        *(organisation_id, f"contoso{organisation_id}.example", "main", currency, "Europe/Oslo"),
        *("US", model, True, "standard", rules),
    )


def take_back_a_lot(player: Player) -> None:
    """An operator takes back all of the largest lot of organisation 3, some of which is spent."""
    counter = Counter(
        *(player.connection, organisation(3), Bounds(0, 10**12)),
        *(player.now_ms, player.ids.next),
    )
    ((lot_id, micros),) = player.connection.rows(
        "SELECT id, amount_micros FROM lot WHERE organisation_id = 3 "
        "ORDER BY amount_micros DESC LIMIT 1"
    )
    took = take_back(
        counter, lot_id, micros, reason="a test", actor="operator", idempotency_key="B", owe=True
    )
    assert not isinstance(took, Refusal), took
    assert took.taken.voided_micros > 0
    assert took.taken.debt_micros > 0


def play_documents(player: Player) -> None:
    """A credit note, a statement that is paid in part (another part was undone), the invoice of a
    card payment, a lot that was taken back."""
    take_back_a_lot(player)
    made = AfterUse.__new__(AfterUse)
    made.__dict__.update(player.__dict__, organisation=organisation(7))
    with player.connection.transaction():
        player.connection.run(ADD_WALLET, [7, "USD"])
        buyer = Buyer("contoso1.example", "Contoso")
        note = credit_note(None, "refund", 5_000_000, "USD", SELLER, buyer, "UTC")
        issue(player.connection, 1, note, now_ms=player.now_ms, next_id=player.ids.next)
    month = month_of(player.now_ms + 40 * DAY_MS)
    made.use("on a statement", 61, month_start_ms(month))
    made.close(month)
    made.pay(month, 10_000)
    made.pay(month, 10_000, "again")
    made.undo(month, made.payment_ids()[-1])
    player.now_ms = made.now_ms
    ((lot_id, micros),) = player.connection.rows(
        "SELECT id, amount_micros FROM lot WHERE organisation_id = 1 ORDER BY amount_micros LIMIT 1"
    )
    payment = Payment(
        *(player.ids.next(), 1, "purchase", "succeeded", None, micros, "USD", "bought", 1, "PO 1"),
        *("admin", 0, "", "", "", None, player.now_ms, player.now_ms, lot_id),
    )
    lot = Lot(
        *(lot_id, 1, "purchase", 0, False, micros, micros, 0, player.now_ms, player.now_ms + 1),
        *("k", 1, "", "admin"),
    )
    with player.connection.transaction():
        insert_payment(player.connection, payment)
        facts = invoice_of_lot(lot, "USD", SELLER, buyer, "UTC", payment_id=payment.id)
        issue(player.connection, 1, facts, now_ms=player.now_ms, next_id=player.ids.next)

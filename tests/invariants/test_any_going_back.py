"""Whatever comes in, is spent and goes back, in any order: the books are right, and nobody's money
is made or lost."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talktime.core.charges import Dispute, ForeignRefund, Refunded, RefundFailed
from talktime.core.ledger import ADJUSTMENTS, FUNDING, GRANTS
from talktime.core.refusal import Refusal
from talktime.operations.disputes import note_dispute, note_foreign_refund
from talktime.operations.expire_lots import expire_lots
from talktime.operations.fund import ENTERED, fund
from talktime.operations.refunds import note_refund
from talktime.operations.take_back import take_back
from tests.shop import UNIT, Shop

AMOUNTS = st.sampled_from([10 * UNIT, 50 * UNIT, 70 * UNIT, 100 * UNIT])
PICKS = st.integers(0, 3)
STATES = st.sampled_from(["open", "won", "lost"])
STEPS = st.one_of(
    st.tuples(st.just("buy"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("enter"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("take"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("spend"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("begin"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("end"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("refund"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("refunded"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("failed"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("dispute"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("console"), AMOUNTS, PICKS, STATES),
    st.tuples(st.just("wait"), AMOUNTS, PICKS, STATES),
)
_names = count(1)


class Play:
    """A shop, and what was done there."""

    def __init__(self, store):
        number = next(_names)
        self.name = f"Contoso {number}"
        self.shop = Shop(store, name=self.name, node=number)
        self.payments, self.calls, self.keys = [], [], count(1)
        self.entered, self.came = [], dict.fromkeys(ENTERED, 0)

    def step(self, verb, micros, pick, state):
        """One thing happens, where it can."""
        shop = self.shop
        payment = self.payments[pick % len(self.payments)] if self.payments else None
        if verb == "buy":
            self.payments.append(shop.buy(max(micros, 50 * UNIT)))
        elif verb == "enter":
            self.enters(micros, ENTERED[pick % len(ENTERED)])
        elif verb == "take" and self.entered:
            self.takes(*self.entered[pick % len(self.entered)], micros, owe=state == "lost")
        elif verb == "spend" and shop.available() >= micros:
            shop.spend(micros)
        elif verb == "begin" and shop.available() >= 75_000:
            self.calls.append(f"{self.name} {next(self.keys)}")
            shop.begin_call(self.calls[-1])
        elif verb == "end" and self.calls:
            shop.end_call(self.calls.pop(), 60)
        elif verb == "wait":
            shop.wait(days=370 if pick == 0 else 1)
            shop.now_ms += 1
            expire_lots(shop.sweep)
        elif payment is not None:
            self.goes_back(verb, payment, micros, pick, state)

    def enters(self, micros, source):
        """An operator enters credits by hand."""
        lot = fund(
            *(self.shop.cell, self.shop.organisation),
            amount_micros=micros,
            source=source,
            reason="a test",
            actor="operator",
            idempotency_key=f"E{next(self.keys)}",
            now_ms=self.shop.now_ms,
            next_id=self.shop.ids.next,
        ).lot
        self.entered.append((lot.id, source))
        self.came[source] += micros

    def takes(self, lot_id, source, micros, *, owe):
        """The operator takes some of it back: all that was asked, or nothing."""
        shop, key = self.shop, f"T{next(self.keys)}"
        balance, held, debt = shop.money()
        took = take_back(
            *(shop.counter, lot_id, micros),
            reason="a mistake",
            actor="operator",
            idempotency_key=key,
            owe=owe,
        )
        if isinstance(took, Refusal):
            assert took.code == "amount_out_of_bounds" or (not owe and took.code == "lot_spent")
            assert shop.money() == (balance, held, debt)
            return
        assert shop.money()[:2] == (balance - micros, held)
        assert owe or shop.money()[2] == debt
        self.came[source] -= micros

    def goes_back(self, verb, payment, micros, pick, state):
        """Something goes back of a payment, or comes again."""
        counter = self.shop.counter
        if verb == "refund":
            self.shop.refund(payment, micros, key=f"R{next(self.keys)}")
        elif verb == "dispute":
            note_dispute(counter, payment, Dispute(f"dp_{payment}_{pick}", micros, state))
        elif verb == "console":
            made = ForeignRefund(f"re_{payment}_{pick}", None, micros)
            note_foreign_refund(counter, payment, made)
        else:
            with self.shop.cell.reading():
                refunds = self.shop.cell.rows(
                    "SELECT id FROM refund WHERE payment_id = ? AND actor = 'operator'", [payment]
                )
            outcome = Refunded("re") if verb == "refunded" else RefundFailed("no")
            for (refund_id,) in refunds[:1]:
                note_refund(counter, payment, refund_id, outcome)

    def agree(self):
        """What is in the wallet, was spent, expired or went back is what came in."""
        shop = self.shop
        shop.proven()
        with shop.cell.reading():
            paid, back = shop.cell.rows(
                "SELECT CAST(COALESCE(SUM(amount_micros), 0) AS BIGINT), "
                "CAST(COALESCE(SUM(refunded_micros), 0) AS BIGINT) FROM payment "
                "WHERE organisation_id = ? AND state = 'succeeded'",
                [shop.organisation.id],
            )[0]
            gone = shop.cell.rows(
                "SELECT CAST(COALESCE(SUM(amount_micros), 0) AS BIGINT) FROM refund "
                "WHERE organisation_id = ? AND state NOT IN ('failed', 'won')",
                [shop.organisation.id],
            )[0][0]
            moved = {
                account: self.moved_from(account) for account in (FUNDING, GRANTS, ADJUSTMENTS)
            }
        assert gone == back
        assert moved == {
            FUNDING: paid - back + self.came["purchase"],
            GRANTS: self.came["grant"],
            ADJUSTMENTS: self.came["adjustment"],
        }

    def moved_from(self, account):
        """What came from a system account, less what went back to it."""
        return self.shop.cell.rows(
            "SELECT CAST(COALESCE(SUM(CASE WHEN debit_account = ? THEN amount_micros "
            "WHEN credit_account = ? THEN -amount_micros ELSE 0 END), 0) AS BIGINT) "
            "FROM transfer WHERE organisation_id = ?",
            [account, account, self.shop.organisation.id],
        )[0][0]


@pytest.fixture(scope="module")
def play_store(stores):
    """One store for all examples: each is an organisation of its own."""
    store = stores.make("sqlite")
    yield store
    stores.drop(store)


@given(st.lists(STEPS, min_size=4, max_size=14))
@settings(max_examples=40)
def test_the_books_stay_right_whatever_goes_back(play_store, steps):
    """Source: R5, D15."""
    play = Play(play_store)
    for step in steps:
        play.step(*step)
    play.agree()

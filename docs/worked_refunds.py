"""The worked table of money that goes back: stories decided by the code itself."""

from collections.abc import Callable
from itertools import count

from docs.worked import Story, authorize, settle
from talktime.core.collecting import Collector
from talktime.core.ledger import Lot
from talktime.core.money import decimal_text
from talktime.core.payments import Payment, Till
from talktime.core.refunding import CHARGEBACK, Refund, give_back, take_back


class Backward(Story):
    """A story in which money goes back and comes again."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)

    def start(self, words: str) -> tuple[Lot, Payment]:
        """A payment of 0.10 has bought a lot."""
        self.do(0, words, self.fund(100_000, "payment"))
        lot = self.books.new_lots[-1]
        facts = (1, 1, "purchase", "succeeded", None, lot.amount_micros, "USD", "k", 0, "", "")
        return lot, Payment(*facts, 0, "", "", "", None, 0)

    def back(self, at_s: int, words: str, lot: Lot, payment: Payment, refund: Refund) -> None:
        """All of the payment goes back."""
        take_back(self._collector(at_s, lot), payment, lot, refund)
        said = (
            f"{decimal_text(refund.voided_micros)} voided, {decimal_text(refund.debt_micros)} owed"
        )
        self._line(at_s, words, said)

    def again(self, at_s: int, words: str, lot: Lot, payment: Payment, refund: Refund) -> None:
        """It comes again."""
        new = give_back(self._collector(at_s, lot), payment, lot, refund)
        said = "all of it again"
        if new is not None:
            said = f"a new lot of {decimal_text(new.amount_micros)}"
        self._line(at_s, words, said)

    def chargeback(self, micros: int) -> Refund:
        """A chargeback of so much."""
        facts = (next(self.numbers), 1, 1, CHARGEBACK, "open", micros, 0, 0, "k", 0)
        return Refund(*facts, "", "", "", "", 0, None, 0)

    def _collector(self, at_s: int, lot: Lot) -> Collector:
        self.now_ms = at_s * 1000
        wallet = self.books.wallets[1]
        if lot not in wallet.lots:
            wallet.lots.append(lot)
        return Collector(self.books, Till(1), self.now_ms + 365 * 86_400_000, self.now_ms)

    def _line(self, at_s: int, words: str, said: str) -> None:
        wallet = self.books.wallets[1]
        micros = (
            *(wallet.balance_micros, wallet.held_micros),
            *(wallet.available_micros(self.now_ms), wallet.debt_micros),
        )
        time = f"{at_s // 3600}:{at_s // 60 % 60:02}:{at_s % 60:02}"
        self.lines.append((time, words, said, *[decimal_text(each) for each in micros]))


def going_back() -> str:
    """A payment of which some was spent and some is held goes back, then comes again."""
    story = Backward()
    lot, payment = story.start("a payment buys 0.10")
    story.do(10, "authorize a call", authorize("C1"))
    story.do(130, "settle it, 120 s talked", settle(120, 1))
    story.do(140, "authorize another", authorize("C2"))
    refund = story.chargeback(100_000)
    story.back(150, "the bank takes the payment back", lot, payment, refund)
    story.do(200, "settle the call, 60 s talked", settle(60, 1, "C2"))
    story.do(3_600, "somebody buys 0.02", story.fund(20_000, "second"))
    story.again(7_200, "the dispute is won", lot, payment, refund)
    return story.told(debt=True)


TABLES: dict[str, Callable[[], str]] = {"going_back": going_back}

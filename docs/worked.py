"""The worked tables of the documentation: small stories, decided by the code itself.

Each function makes one Markdown table. A page holds it between `<!-- worked: NAME -->` and
`<!-- end -->`.
"""

from collections.abc import Callable, Sequence
from itertools import count

from talktime.core.books import Books
from talktime.core.commands import Answer, Authorize, Command, ExpireHold, ExpireLots, Extend, Fund
from talktime.core.commands import Settle as SettleCommand
from talktime.core.decide import decide
from talktime.core.ledger import SYSTEM_ACCOUNTS, Wallet
from talktime.core.money import decimal_text
from talktime.core.outcomes import (
    Funded,
    Granted,
    HoldExpired,
    LotsExpired,
    Noted,
    Outcome,
    Refused,
    Settled,
)
from talktime.core.rating import Rate, billed_seconds, price_micros

DAY_S = 86_400
YEAR_MS = 365 * DAY_S * 1000
GERMANY = Rate("49", "Germany", 15_000, 0, 60, 60)
WITH_FEE = Rate("882", "Satellite", 6_000_000, 500_000, 60, 60)
THIRTY_SIX = Rate("34", "Spain", 74_000, 0, 30, 6)
SECONDS = Rate("39", "Italy", 10_001, 0, 1, 1)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a row's cells are text."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def price() -> str:
    """What calls cost at rates of several kinds."""
    rows = []
    for rate, talked in (
        (GERMANY, (0, 1, 60, 61, 421)),
        (THIRTY_SIX, (1, 30, 31, 37)),
        (WITH_FEE, (0, 1, 61)),
        (SECONDS, (1, 59, 60)),
    ):
        for used_s in talked:
            billed_s = billed_seconds(used_s, rate)
            exact = rate.per_minute_micros * billed_s
            minutes = f"{exact // 60}" + (f" {exact % 60}/60" if exact % 60 else "")
            rows.append(
                (
                    decimal_text(rate.per_minute_micros),
                    decimal_text(rate.fee_micros),
                    f"{rate.first_increment_s}/{rate.next_increment_s}",
                    f"{used_s} s",
                    f"{billed_s} s",
                    minutes,
                    decimal_text(price_micros(billed_s, rate)),
                )
            )
    columns = ("per minute", "fee", "increments", "talked", "billed", "minutes in micros", "price")
    return table(columns, rows)


class Story:
    """One organisation's books in memory, and what was done to them, line by line."""

    def __init__(self) -> None:
        ids: Callable[[], int] = count(1001).__next__
        self.books = Books(ids)
        self.books.wallets[1] = Wallet(1, "USD", 0, 0, 0)
        self.now_ms = 0
        self.lines: list[tuple[str, ...]] = []

    def fund(self, micros: int, name: str, *, days: int = 365, promotional: bool = False) -> Fund:
        """Money that expires after so many days."""
        expires_ms = self.now_ms + days * DAY_S * 1000
        source = "grant" if promotional else "purchase"
        return Fund(1, name, 0, source, micros, expires_ms, "", "", 0, promotional)

    def do(self, at_s: int, words: str, command: Command) -> Outcome:
        """Decide a command `at_s` seconds after the start, and write the line."""
        self.now_ms = at_s * 1000
        outcome = decide(self.books, command, self.now_ms)
        wallet = self.books.wallets[1]
        wallet.lots = [lot for lot in wallet.lots if lot.remaining_micros]
        self.lines.append(
            (
                _time(at_s),
                words,
                _said(outcome),
                decimal_text(wallet.balance_micros),
                decimal_text(wallet.held_micros),
                decimal_text(wallet.available_micros(self.now_ms)),
                decimal_text(wallet.debt_micros),
            )
        )
        return outcome

    def told(self, *, debt: bool = False) -> str:
        """The story as a table."""
        columns = ("time", "what is asked", "what is answered", "balance", "held", "available")
        if debt:
            return table((*columns, "debt"), self.lines)
        return table(columns, [line[:-1] for line in self.lines])


def authorize(call: str = "C1", rate: Rate = GERMANY) -> Authorize:
    """Call Germany at 0.015 a minute, or whom else."""
    return Authorize(1, call, 0, 0, 1, 7, "user_out", "14255550100", "4930123456", 0, rate, 0)


def extend(used_s: int, sequence: int = 1, call: str = "C1") -> Extend:
    """Ask for more."""
    return Extend(1, call, sequence, 0, used_s, 0, 1)


def settle(used_s: int, sequence: int = 2, call: str = "C1") -> SettleCommand:
    """The call is over."""
    return SettleCommand(1, call, sequence, 0, used_s, "normal", 1)


def hold() -> str:
    """The life of one hold."""
    story = Story()
    story.do(0, "fund 1.00", story.fund(1_000_000, "F1"))
    story.do(0, "authorize", authorize())
    story.do(8, "answer", Answer(1, "C1", 1, 0, None, 1))
    story.do(290, "extend, 282 s talked", extend(282, 2))
    story.do(429, "settle, 421 s talked", settle(421, 3))
    return story.told()


def last_money() -> str:
    """A call at the end of the money."""
    rate = Rate("44", "United Kingdom", 600_000, 0, 60, 6)
    story = Story()
    story.do(0, "fund 1.00", story.fund(1_000_000, "F1"))
    story.do(0, "authorize C1 at 0.60 a minute, 60/6", authorize(rate=rate))
    story.do(1, "authorize C2", authorize("C2", rate))
    story.do(96, "extend C1, 96 s talked", extend(96, 1))
    story.do(100, "extend C1, 100 s talked", extend(100, 2))
    story.do(101, "settle C1, 101 s talked", settle(101, 3))
    story.do(200, "fund 5.00", story.fund(5_000_000, "F2"))
    return story.told(debt=True)


def lost_settle() -> str:
    """A switch that went silent, and its late report."""
    story = Story()
    story.do(0, "fund 1.00", story.fund(1_000_000, "F1"))
    story.do(0, "authorize", authorize())
    story.do(200, "extend, 200 s talked", extend(200))
    deadline_s = story.books.calls[1, "C1"].deadline_ms // 1000
    story.do(deadline_s - 1, "supervision looks", ExpireHold(1, "C1", 1))
    story.do(deadline_s, "supervision looks again", ExpireHold(1, "C1", 1))
    story.do(3600, "late settle, 421 s talked", settle(421))
    story.do(3601, "the same settle again", settle(421))
    return story.told()


def order() -> str:
    """Which of three lots pays first."""
    story = Story()
    wallet = story.books.wallets[1]
    for name, micros, days, promotional in (
        ("bought in January", 100_000, 365, False),
        ("bought in March", 100_000, 424, False),
        ("gift, expires like the first", 50_000, 365, True),
    ):
        story.do(0, name, story.fund(micros, name, days=days, promotional=promotional))
    rows = []
    left = {lot.id: lot.amount_micros for lot in wallet.lots}
    for number, lot in enumerate(wallet.lots, 1):
        rows.append([str(number), lot.idempotency_key, decimal_text(lot.amount_micros)])
    for used_s in (120, 300):
        call = f"C{used_s}"
        story.do(0, "", authorize(call))
        story.do(0, "", settle(used_s, 1, call))
        lots = {lot.id: lot.remaining_micros for lot in wallet.lots}
        for row, lot_id in zip(rows, left, strict=True):
            paid = left[lot_id] - lots.get(lot_id, 0)
            row.append(decimal_text(paid) if paid else "")
            left[lot_id] -= paid
    for row, remaining in zip(rows, left.values(), strict=True):
        row.append(decimal_text(remaining))
    columns = ("order", "lot", "amount", "a call of 0.03", "a call of 0.075", "left")
    return table(columns, rows)


def expiry() -> str:
    """A lot that expires while a call holds some of it."""
    story = Story()
    story.do(0, "fund 0.10, expires after a day", story.fund(100_000, "F1", days=1))
    story.do(DAY_S - 100, "authorize, a moment before", authorize())
    story.do(DAY_S, "the lot expires: supervision looks", ExpireLots(1))
    story.do(DAY_S + 1, "authorize another call", authorize("C2"))
    story.do(DAY_S + 100, "settle the first, 130 s talked", settle(130))
    story.do(DAY_S + 160, "supervision looks", ExpireLots(1))
    return story.told()


def ledger() -> str:
    """Every transfer of a purchase, a gift, a call over two lots, a debt and its payment."""
    story = Story()
    story.do(0, "", story.fund(20_000, "gift", days=90, promotional=True))
    story.do(0, "", story.fund(100_000, "purchase"))
    story.do(0, "", authorize())
    story.do(300, "", settle(660, 1))
    story.do(400, "", story.fund(1_000_000, "second purchase"))
    story.do(500, "", story.fund(10_000, "second gift", days=90, promotional=True))
    story.do(91 * DAY_S, "", ExpireLots(1))
    names = {lot.id: f"lot {lot.idempotency_key}" for lot in story.books.new_lots}
    accounts = {**{number: f"{number} {name}" for number, name in SYSTEM_ACCOUNTS.items()}, **names}
    rows = [
        (
            transfer.kind,
            accounts[transfer.debit_account],
            accounts[transfer.credit_account],
            decimal_text(transfer.amount_micros),
        )
        for transfer in story.books.transfers
    ]
    sums: dict[int, int] = {}
    for transfer in story.books.transfers:
        debit, credit = transfer.debit_account, transfer.credit_account
        sums[debit] = sums.get(debit, 0) - transfer.amount_micros
        sums[credit] = sums.get(credit, 0) + transfer.amount_micros
    totals = [(accounts[number], decimal_text(sums[number])) for number in sorted(sums)]
    totals.append(("**all**", decimal_text(sum(sums.values()))))
    moved = table(("kind", "from (debit)", "to (credit)", "amount"), rows)
    return f"{moved}\n\n{table(('account', 'sum of its transfers'), totals)}"


def _time(at_s: int) -> str:
    days, rest = divmod(at_s, DAY_S)
    hours, rest = divmod(rest, 3600)
    clock = f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"day {days}, {clock}" if days else clock


def _said(outcome: Outcome) -> str:
    match outcome:
        case Granted():
            return f"granted {outcome.granted_s} s" + (", final" if outcome.final else "")
        case Settled():
            return f"settled: {outcome.billed_s} s billed, {decimal_text(outcome.charge_micros)}"
        case Refused():
            return f"refused: `{outcome.refusal.code}`"
        case Funded():
            return "a new lot"
        case HoldExpired():
            return "closed, at the last seconds reported" if outcome.closed else "not due"
        case LotsExpired():
            micros = sum(part for _, part in outcome.forfeited)
            return f"forfeited {decimal_text(micros)}" if micros else "nothing to forfeit"
        case Noted():
            return "noted"
    return "the same answer again"


TABLES: dict[str, Callable[[], str]] = {
    "price": price,
    "hold": hold,
    "last_money": last_money,
    "lost_settle": lost_settle,
    "order": order,
    "expiry": expiry,
    "ledger": ledger,
}

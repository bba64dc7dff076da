"""The worked tables of who pays: minutes, credits, post-usage. Made as those of worked.py."""

from dataclasses import replace

from docs.worked import GERMANY, WITH_FEE, Story, authorize, extend, settle, table
from talktime.core.commands import Command
from talktime.core.meters import minutes_key, post_usage_key
from talktime.core.money import decimal_text
from talktime.core.outcomes import Granted, Paid, Refused, Settled
from talktime.core.payers import Payers

POOL = minutes_key("1970-01", "MCOPSTN5", "US", "domestic")
AFTER_USE = post_usage_key("1970-01")
BY_POOL = Payers(pool=POOL, free_capability="MCOPSTN5")
NAMES = {"pool": "minutes", "credits": "credits", "post_usage": "after use", "debt": "debt"}


class Shares:
    """A story of which only the shares are told: who pays for how much."""

    def __init__(self, payers: Payers, pool_total_s: int = 0) -> None:
        self.story = Story()
        self.payers = payers
        self.pool_total_s = pool_total_s
        self.rows: list[tuple[str, ...]] = []

    def asks(self, call: str = "C1", fee: bool = False) -> Command:
        """Authorize a call that these payers may pay."""
        rate = GERMANY._replace(fee_micros=WITH_FEE.fee_micros) if fee else GERMANY
        command = authorize(call, rate)
        return replace(command, payers=self.payers, pool_total_s=self.pool_total_s)

    def do(self, words: str, command: Command) -> None:
        """Decide a command and write who pays, and what is left."""
        outcome = self.story.do(0, words, command)
        wallet = self.story.books.wallets[1]
        pool = self.story.books.meter(1, POOL)
        after_use = self.story.books.meter(1, AFTER_USE)
        told = {
            Granted: lambda: f"granted {outcome.granted_s} s" + (", final" * outcome.final),
            Settled: lambda: f"settled: {outcome.billed_s} s billed",
            Refused: lambda: f"refused: `{outcome.refusal.code}`",
        }.get(type(outcome), lambda: "a new lot")
        self.rows.append(
            (
                words,
                told(),
                ", ".join(_share(part) for part in getattr(outcome, "paid_by", ())),
                f"{pool.free} s",
                decimal_text(wallet.available_micros(0)),
                decimal_text(after_use.used + after_use.held),
            )
        )

    def told(self) -> str:
        """The story as a table."""
        columns = ("what is asked", "what is answered", "who pays", "minutes left")
        return table((*columns, "credits left", "after use"), self.rows)


def _share(part: Paid) -> str:
    amount = f" for {decimal_text(part.amount_micros)}" if part.amount_micros else ""
    return f"{NAMES.get(part.source, part.source)} {part.seconds} s{amount}"


def minutes_then_money() -> str:
    """Minutes that end in the middle of a call."""
    shares = Shares(BY_POOL, 120)
    shares.do("fund 1.00", shares.story.fund(1_000_000, "F1"))
    shares.do("authorize", shares.asks(fee=True))
    shares.do("settle, 61 s talked", settle(61, 1))
    shares.do("authorize again", shares.asks("C2"))
    shares.do("settle, 150 s talked", settle(150, 1, "C2"))
    return shares.told()


def minutes_alone() -> str:
    """Minutes without a licence for credits."""
    no_money = BY_POOL._replace(money_code="no_user_credit_capability", money_detail="no licence")
    shares = Shares(no_money, 120)
    shares.do("fund 1.00", shares.story.fund(1_000_000, "F1"))
    shares.do("authorize", shares.asks())
    shares.do("extend, 120 s talked", extend(120))
    shares.do("settle, 120 s talked", settle(120))
    return shares.told()


def after_the_credits() -> str:
    """Credits that are left, and then billing after use."""
    shares = Shares(Payers(post_usage=AFTER_USE, post_usage_cap_micros=100_000))
    shares.do("fund 0.05", shares.story.fund(50_000, "F1"))
    shares.do("authorize", shares.asks())
    shares.do("settle, 300 s talked", settle(300, 1))
    shares.do("authorize again", shares.asks("C2"))
    shares.do("extend, 300 s talked", extend(300, 1, "C2"))
    return shares.told()


TABLES = {
    "minutes_then_money": minutes_then_money,
    "minutes_alone": minutes_alone,
    "after_the_credits": after_the_credits,
}

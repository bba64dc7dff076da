"""A cell with some of everything: money in, calls in every state, debt, forfeiture, corrections.

Played through the real operations, one command a transaction, at times that the player sets.
"""

from dataclasses import replace
from typing import Any

from talktime.core.commands import (
    Answer,
    Authorize,
    Command,
    ExpireHold,
    ExpireLots,
    Extend,
    Fund,
    Settle,
)
from talktime.core.ids import EPOCH_MS, Ids
from talktime.core.meters import DOMESTIC, minutes_key, month_of, post_usage_key, spending_key
from talktime.core.payers import FREE_CALL, Payers
from talktime.core.rating import Rate
from talktime.operations.execute import Done, execute
from talktime.store.database import Connection
from tests.stores import ADD_WALLET

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
START_MS = EPOCH_MS + 10 * DAY_MS
GERMANY = Rate("49", "Germany", 15_000, 0, 60, 60)
FRANCE = Rate("33", "France", 21_000, 5_000, 30, 6)
FREE = Rate("", "Free", 0, 0, 60, 60)


class Player:
    """Gives commands to one cell, and keeps the time. Ids come from the same clock."""

    def __init__(self, connection: Connection, now_ms: int = START_MS, node: int = 0) -> None:
        self.connection = connection
        self.now_ms = now_ms
        self.ids = Ids(node, lambda: self.now_ms)

    def clock_ms(self) -> int:
        """The player's time."""
        return self.now_ms

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now_ms += seconds * 1000

    def do(self, *commands: Command) -> Done:
        """Execute commands in one transaction; what came of the last."""
        with self.connection.transaction():
            return self.execute(*commands)

    def execute(self, *commands: Command) -> Done:
        """Execute commands in the transaction that is open."""
        return execute(self.connection, commands, self.now_ms, self.ids.next)[-1]

    def wallet(self, organisation_id: int, *micros: int, lasts_ms: int = YEAR_MS) -> None:
        """An organisation with a wallet and a purchased lot of each amount."""
        with self.connection.transaction():
            self.connection.run(ADD_WALLET, [organisation_id, "USD"])
        for amount_micros in micros:
            self.fund(organisation_id, amount_micros, lasts_ms=lasts_ms)

    def fund(
        self,
        organisation_id: int,
        micros: int,
        *,
        source: str = "purchase",
        lasts_ms: int = YEAR_MS,
    ) -> None:
        """A new lot that lasts so long."""
        self.do(self.funding(organisation_id, micros, source, lasts_ms))

    def funding(self, organisation_id: int, micros: int, source: str, lasts_ms: int) -> Fund:
        """The command for it."""
        key = f"lot {self.ids.next()}"
        expires_ms = self.now_ms + lasts_ms
        return Fund(organisation_id, key, 1, source, micros, expires_ms, "a test", "operator")

    def authorize(
        self, organisation_id: int, call_key: str, rate: Rate = GERMANY, **payers: Any
    ) -> Done:
        """Ask for a call on switch 1."""
        return self.do(self.authorizing(organisation_id, call_key, rate, **payers))

    def authorizing(
        self, organisation_id: int, call_key: str, rate: Rate = GERMANY, **payers: Any
    ) -> Authorize:
        """The command for it: of user 5, with 600 s of minutes where `payers` has a pool."""
        spending = spending_key(month_of(self.now_ms), 5)
        return Authorize(
            switch_id=1,
            call_key=call_key,
            sequence=0,
            body_hash=7,
            organisation_id=organisation_id,
            user_id=5,
            type="user_out",
            from_digits="14255550100",
            to_digits=rate.prefix + "30123456",
            at_ms=self.now_ms,
            rate=rate,
            requested_s=0,
            payers=Payers(spending=spending, **payers),
            pool_total_s=600,
        )

    def answer(self, call_key: str, sequence: int = 1) -> Done:
        """The call was answered now."""
        return self.do(Answer(1, call_key, sequence, 7, self.now_ms))

    def extend(self, call_key: str, sequence: int, used_s: int) -> Done:
        """Ask for more time."""
        return self.do(Extend(1, call_key, sequence, 7, used_s, 0))

    def settle(self, call_key: str, sequence: int, used_s: int) -> Done:
        """End the call."""
        return self.do(self.settling(call_key, sequence, used_s))

    def settling(self, call_key: str, sequence: int, used_s: int) -> Settle:
        """The command for it."""
        return Settle(1, call_key, sequence, 7, used_s, "normal")

    def expire(self, call_key: str, organisation_id: int = 1) -> Done:
        """The call's deadline may have passed."""
        return self.do(ExpireHold(1, call_key, organisation_id))

    def call(
        self,
        organisation_id: int,
        call_key: str,
        used_s: int,
        rate: Rate = GERMANY,
        **payers: Any,
    ) -> None:
        """A whole call."""
        self.authorize(organisation_id, call_key, rate, **payers)
        self.answer(call_key)
        self.wait(used_s)
        self.settle(call_key, 2, used_s)


def play_everything(player: Player) -> None:
    """Four organisations with something of each kind, among it the open calls o1 to o5."""
    player.wallet(4, 1_000_000)
    player.wallet(1, 500_000, 10_000_000)
    player.wallet(2)
    player.fund(2, 60_000, source="grant", lasts_ms=DAY_MS)
    player.fund(2, 3_000_000, source="adjustment")
    player.wait(5)
    player.call(1, "short", 61)
    player.call(1, "other", 200, FRANCE)
    player.call(1, "unanswered", 0)
    player.call(2, "free", 90, FREE)
    player.authorize(1, "late, longer")
    player.authorize(1, "late, shorter")
    player.extend("late, shorter", 1, 250)
    player.wait(1000)
    for key in ("late, longer", "late, shorter"):
        player.expire(key)
    player.settle("late, longer", 1, 130)
    player.settle("late, shorter", 2, 100)
    player.wait(86_400)
    player.do(ExpireLots(2))
    player.wallet(3, 20_000)
    player.authorize(3, "overdrawn")
    player.settle("overdrawn", 1, 420)
    player.fund(3, 200_000)
    player.call(3, "paid again", 30)
    for key in ("o1", "o2"):
        player.authorize(1, key)
    player.authorize(2, "o3", FRANCE)
    month = month_of(player.now_ms)
    pool, after_use = minutes_key(month, "P", "US", DOMESTIC), post_usage_key(month)
    player.call(4, "minutes", 61, pool=pool)
    player.authorize(4, "minutes and money", pool=pool)
    player.extend("minutes and money", 1, 300)
    player.settle("minutes and money", 2, 550)
    player.authorize(4, "o4", pool=pool, post_usage=after_use, credits=False)
    player.authorize(4, "after use", FRANCE, post_usage=after_use, credits=False)
    player.settle("after use", 1, 45)
    player.authorize(4, "o5", post_usage=after_use, credits=False)
    player.authorize(2, "refused", Rate("88", "Sky", 10**10, 0, 60, 60))


def unpriced_call(connection: Connection, organisation_id: int, now_ms: int) -> None:
    """A call of 90 s, of which minutes pay 60 and no rate prices the rest (D10)."""
    player = Player(connection, now_ms, node=9)
    pool = minutes_key(month_of(now_ms), "MCOPSTN2", "US", DOMESTIC)
    asked = player.authorizing(
        organisation_id,
        f"unpriced {now_ms}",
        GERMANY._replace(per_minute_micros=0),
        pool=pool,
        money_code="no_rate",
        money_detail="no price",
        paid_capability=FREE_CALL,
    )
    player.do(replace(asked, pool_total_s=60))
    player.settle(asked.call_key, 1, 90)

"""Commands in few words, and books in memory to try them on.

Organisation 1 calls Germany at 0.015 a minute by default. `body_hash` is made of all that a command
says, so that the same words are the same request.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TypeVar
from zlib import crc32

from talktime.core.books import Books, Terms
from talktime.core.calls import Call
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
from talktime.core.decide import decide
from talktime.core.ledger import Wallet
from talktime.core.meters import month_of, spending_key
from talktime.core.outcomes import Outcome
from talktime.core.payers import Payers
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal

SWITCH = 11
ORGANISATION = 1
USER = 7
NOW_MS = 1_767_600_000_000  # 2026-01-05T08:00:00Z
AnyCommand = TypeVar("AnyCommand", Authorize, Answer, Extend, Settle, Fund)

YEAR_MS = 365 * 86_400_000
UNIT = 1_000_000

GERMANY = Rate("49", "Germany", 15_000, 0, 60, 60)
GERMANY_WITH_FEE = Rate("49", "Germany", 15_000, 20_000, 60, 60)
SIXTY_SIX = Rate("44", "United Kingdom", 600_000, 0, 60, 6)
FREE = Rate("", "Toll", 0, 0, 60, 60)


def authorize(
    call: str = "C1",
    sequence: int = 0,
    *,
    rate: Rate = GERMANY,
    requested_s: int = 0,
    organisation_id: int = ORGANISATION,
    refusal: Refusal | None = None,
    to_digits: str = "4930123456",
    at_ms: int = NOW_MS,
    switch_id: int = SWITCH,
    payers: Payers | None = None,
    pool_total_s: int = 0,
    guard_total_s: int = 0,
    conference_id: str = "",
) -> Authorize:
    """May this call be set up?"""
    command = Authorize(
        *(
            switch_id,
            call,
            sequence,
            0,
            organisation_id,
            USER,
            "user_out",
            "14255550100",
            to_digits,
        ),
        *(at_ms, rate, requested_s, refusal),
        payers=payers or Payers(spending=spending_key(month_of(at_ms), USER)),
        pool_total_s=pool_total_s,
        guard_total_s=guard_total_s,
        conference_id=conference_id,
    )
    return hashed(command)


def answer(call: str = "C1", sequence: int = 1, answered_ms: int | None = None) -> Answer:
    """The call was answered."""
    return hashed(Answer(SWITCH, call, sequence, 0, answered_ms, ORGANISATION))


def extend(
    call: str = "C1",
    sequence: int = 1,
    used_s: int = 0,
    requested_s: int = 0,
    organisation_id: int | None = ORGANISATION,
) -> Extend:
    """May the call go on?"""
    return hashed(Extend(SWITCH, call, sequence, 0, used_s, requested_s, organisation_id))


def settle(
    call: str = "C1",
    sequence: int = 1,
    used_s: int = 0,
    organisation_id: int | None = ORGANISATION,
    cause: str = "normal",
) -> Settle:
    """The call is over."""
    return hashed(Settle(SWITCH, call, sequence, 0, used_s, cause, organisation_id))


def expire_hold(call: str = "C1", organisation_id: int = ORGANISATION) -> ExpireHold:
    """The deadline of the call may have passed."""
    return ExpireHold(SWITCH, call, organisation_id)


def expire_lots(organisation_id: int = ORGANISATION) -> ExpireLots:
    """Book what has expired."""
    return ExpireLots(organisation_id)


def fund(
    micros: int,
    key: str = "F1",
    *,
    source: str = "purchase",
    expires_ms: int = NOW_MS + YEAR_MS,
    organisation_id: int = ORGANISATION,
    priority: int = 0,
    promotional: bool = False,
) -> Fund:
    """Put a lot into the wallet."""
    command = Fund(
        *(organisation_id, key, 0, source, micros, expires_ms, "a test", "tests"),
        *(priority, promotional),
    )
    return hashed(command)


def hashed(command: AnyCommand) -> AnyCommand:
    """The command with the hash of what it says."""
    return replace(command, body_hash=crc32(repr(command).encode()))


class Desk:
    """Books that stay in memory between commands: decisions alone, without a database."""

    def __init__(self, *funds: Fund, terms: Terms | None = None) -> None:
        self.now_ms = NOW_MS
        ids: Callable[[], int] = count(1001).__next__
        self.books = Books(ids, terms or Terms())
        self.open(ORGANISATION)
        for command in funds:
            self.do(command)

    def open(self, organisation_id: int) -> Wallet:
        """Add an empty wallet."""
        wallet = Wallet(organisation_id, "USD", 0, 0, 0)
        self.books.wallets[organisation_id] = wallet
        return wallet

    @property
    def wallet(self) -> Wallet:
        """The wallet of ORGANISATION."""
        return self.books.wallets[ORGANISATION]

    def do(self, command: Command, at_s: int | None = None) -> Outcome:
        """Decide one command, `at_s` seconds after NOW_MS (or when the last one was)."""
        if at_s is not None:
            self.now_ms = NOW_MS + at_s * 1000
        return decide(self.books, command, self.now_ms)


def funded(micros: int) -> Desk:
    """A wallet with one purchase in it."""
    return Desk(fund(micros))


def call_of(desk: Desk, call: str = "C1") -> Call:
    """The call as the books have it."""
    return desk.books.calls[SWITCH, call]


def money(desk: Desk) -> tuple[int, int, int]:
    """Balance, held, debt."""
    return desk.wallet.balance_micros, desk.wallet.held_micros, desk.wallet.debt_micros

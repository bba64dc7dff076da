"""Plays a story on a real database and writes what stands right of each `->` anew.

A line is: [when] who does what [-> what comes of it]. README.md in this folder lists the sentences.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from talktime.core.commands import CallCommand, Command
from talktime.core.expiry import expires_ms
from talktime.core.ids import Ids
from talktime.core.money import decimal_text, parse_micros
from talktime.core.outcomes import HoldExpired, LotsExpired
from talktime.core.rating import Rate
from talktime.operations.execute import Done, execute
from talktime.store.database import Connection
from tests.books_check import faults
from tests.commands import (
    NOW_MS,
    answer,
    authorize,
    expire_hold,
    expire_lots,
    extend,
    fund,
    settle,
)
from tests.meters_check import meter_faults
from tests.stores import Store

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MOMENT = re.compile(r"(\d+)([smhd])|\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?")
WALLET = "SELECT balance_micros, held_micros, debt_micros FROM wallet WHERE organisation_id = ?"
LOTS = (
    "SELECT idempotency_key, remaining_micros, amount_micros FROM lot "
    "WHERE organisation_id = ? ORDER BY id"
)
USAGE = (
    "SELECT kind, used_s, billed_s, charge_micros, cause, flags FROM usage_record "
    "WHERE organisation_id = ? AND call_key = ? ORDER BY id"
)
TRANSFERS = (
    "SELECT kind, SUM(amount_micros) FROM transfer WHERE organisation_id = ? "
    "GROUP BY kind ORDER BY MIN(id)"
)
BY_ORDER_ALONE = (
    *("sequence_skipped", "sequence_reused", "unknown_call", "call_settled"),
    *("call_already_authorized", "call_not_granted"),
)
SENTENCES: list[tuple[re.Pattern[str], Callable[..., str]]] = []


class StoryCall(NamedTuple):
    """A call of the story: whose, and all that was asked about it."""

    account: str
    asked: list[CallCommand]


def sentence(pattern: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """A method of the player tells what comes of lines like this."""

    def tell(method: Callable[..., str]) -> Callable[..., str]:
        SENTENCES.append((re.compile(pattern), method))
        return method

    return tell


class Player:
    """One story on one store: its accounts, calls and rates by the story's own names."""

    def __init__(self, store: Store, first_organisation_id: int) -> None:
        self.store = store
        self.now_ms = NOW_MS
        self._ids = Ids(first_organisation_id % 1000, lambda: self.now_ms)
        self._next_account = first_organisation_id
        self._suffix = f"@{first_organisation_id}"
        self._accounts: dict[str, int] = {}
        self._calls: dict[str, StoryCall] = {}
        self._rates: dict[str, Rate] = {}
        self._connections: dict[str, Connection] = {}

    def play(self, story: str) -> str:
        """The story with what really came of each line."""
        return "\n".join(self._line(line) for line in story.split("\n"))

    def _line(self, line: str) -> str:
        told, arrow, _ = line.partition("->")
        words = " ".join(told.split())
        if not words or words.startswith("#"):
            return line
        when, _, rest = words.partition(" ")
        if MOMENT.fullmatch(f"{when} {rest[:5]}"):
            when, rest = f"{when} {rest[:5]}", rest[6:]
        if MOMENT.fullmatch(when):
            self.now_ms, words = moment_ms(when), rest
        for pattern, method in SENTENCES:
            if match := pattern.fullmatch(words):
                result = method(self, **match.groupdict())
                return f"{told}-> {result}" if arrow else line
        raise ValueError(f"no such sentence: {words!r}")

    # What is said

    @sentence(
        r"rate (?P<name>\w+) (?P<price>[\d.]+) per minute, (?P<steps>\d+/\d+)"
        r"(, fee (?P<fee>[\d.]+))?"
    )
    def rate(self, name: str, price: str, steps: str, fee: str | None) -> str:
        first_s, _, next_s = steps.partition("/")
        self._rates[name] = Rate(
            *("49", name, parse_micros(price), parse_micros(fee or "0"), int(first_s), int(next_s))
        )
        return ""

    @sentence(
        r"(?P<account>A\d) buys (?P<amount>[\d.]+) as (?P<key>\w+)"
        r"(?P<gift>, a gift)?(?P<first>, spent first)?(, until (?P<until>[-\d :smhd]+))?"
    )
    def buys(
        self, account: str, amount: str, key: str, gift: str, first: str, until: str | None
    ) -> str:
        end_ms = moment_ms(until) if until else expires_ms(self.now_ms, "UTC")
        command = fund(
            parse_micros(amount),
            key,
            source="grant" if gift else "purchase",
            expires_ms=end_ms,
            organisation_id=self._account(account),
            priority=-1 if first else 0,
            promotional=bool(gift),
        )
        self._do(account, command)
        return f"lasts until {date_text(end_ms)}" if not until else "done"

    @sentence(r"(?P<call>C\d) of (?P<account>A\d) asks( (?P<asked>\d+)s)? to (?P<rate>\w+)")
    def asks(self, call: str, account: str, asked: str | None, rate: str) -> str:
        known = self._calls.setdefault(call, StoryCall(account, []))
        command = authorize(
            self._name(call),
            len(known.asked),
            rate=self._rates[rate],
            requested_s=int(asked or 0),
            organisation_id=self._account(account),
            at_ms=self.now_ms,
        )
        return self._ask(call, command)

    @sentence(
        r"(?P<call>C\d) (as number (?P<number>\d+) )?after (?P<used>\d+)s asks( (?P<asked>\d+)s)?"
    )
    def goes_on(self, call: str, number: str | None, used: str, asked: str | None) -> str:
        sequence = self._number(call, number)
        return self._ask(call, extend(self._name(call), sequence, int(used), int(asked or 0), None))

    @sentence(r"(?P<call>C\d) is answered")
    def is_answered(self, call: str) -> str:
        command = answer(self._name(call), self._number(call, None))
        command.organisation_id = None
        return self._ask(call, command)

    @sentence(r"(?P<call>C\d) (as number (?P<number>\d+) )?ends (after (?P<used>\d+)s|unanswered)")
    def ends(self, call: str, number: str | None, used: str | None) -> str:
        sequence = self._number(call, number)
        return self._ask(call, settle(self._name(call), sequence, int(used or 0), None))

    @sentence(r"(?P<call>C\d) repeats( number (?P<number>\d+))?")
    def repeats(self, call: str, number: str | None) -> str:
        asked = self._calls[call].asked
        wanted = asked[-1].sequence if number is None else int(number)
        command = next(each for each in asked if each.sequence == wanted)
        return self._ask(call, command, again=True)

    @sentence(r"deadlines pass")
    def deadlines_pass(self) -> str:
        closed = []
        for name, call in self._calls.items():
            command = expire_hold(self._name(name), self._account(call.account))
            outcome = self._do(call.account, command).outcome
            if isinstance(outcome, HoldExpired) and outcome.closed:
                closed.append(name)
        return f"{', '.join(closed)} closed" if closed else "nothing"

    @sentence(r"lots expire")
    def lots_expire(self) -> str:
        lost = []
        for account in self._accounts:
            outcome = self._do(account, expire_lots(self._account(account))).outcome
            if isinstance(outcome, LotsExpired):
                lost += [decimal_text(micros) for _, micros in outcome.forfeited]
        return f"{', '.join(lost)} forfeited" if lost else "nothing"

    # What is looked at

    @sentence(r"account (?P<account>A\d)")
    def account(self, account: str) -> str:
        ((balance, held, debt),) = self._rows(account, WALLET)
        owes = f", owes {decimal_text(debt)}" if debt else ""
        return f"has {decimal_text(balance)}, holds {decimal_text(held)}{owes}"

    @sentence(r"lots of (?P<account>A\d)")
    def lots(self, account: str) -> str:
        return ", ".join(
            f"{'refund' if ' ' in key else key} {decimal_text(left)} of {decimal_text(amount)}"
            for key, left, amount in self._rows(account, LOTS)
        )

    @sentence(r"transfers of (?P<account>A\d)")
    def transfers(self, account: str) -> str:
        rows = self._rows(account, TRANSFERS)
        return ", ".join(f"{kind} {decimal_text(int(micros))}" for kind, micros in rows)

    @sentence(r"usage of (?P<call>C\d)")
    def usage(self, call: str) -> str:
        told = []
        for kind, used, billed, micros, cause, flags in self._rows(
            self._calls[call].account, USAGE, self._name(call)
        ):
            marks = " ".join(["", *msgspec.json.decode(flags)])
            shown = "" if cause == "normal" else f", {cause}"
            told.append(f"{kind} {used}s billed as {billed}s: {decimal_text(micros)}{shown}{marks}")
        return "; ".join(told) or "none"

    @sentence(r"the books")
    def books(self) -> str:
        found = []
        for connection in map(self._connection, self.store.cells):
            found += [*faults(connection), *meter_faults(connection)]
        return "; ".join(found) or "are right"

    # How it is done

    def _ask(self, call: str, command: Any, *, again: bool = False) -> str:
        known = self._calls.setdefault(call, StoryCall("A1", []))
        before = self._held(known.account)
        done = self._do(known.account, command)
        if not again and kept(done):
            known.asked.append(command)
        if done.replayed:
            return f"again: {shown(done)}"
        held = self._held(known.account) - before
        return shown(done) + (f", holds {decimal_text(held)}" if held > 0 else "")

    def _do(self, account: str, command: Command) -> Done:
        connection = self._connection(self.store.cell_of(self._account(account)))
        with connection.transaction():
            return execute(connection, [command], self.now_ms, self._ids.next)[0]

    def _number(self, call: str, number: str | None) -> int:
        known = self._calls.setdefault(call, StoryCall("A1", []))
        return len(known.asked) if number is None else int(number)

    def _name(self, call: str) -> str:
        return call + self._suffix

    def _account(self, account: str) -> int:
        if account not in self._accounts:
            self._accounts[account] = self._next_account
            self.store.add_wallet(self._next_account)
            self._next_account += 1
        return self._accounts[account]

    def _held(self, account: str) -> int:
        ((_, held, _),) = self._rows(account, WALLET)
        return int(held)

    def _rows(self, account: str, statement: str, *more: object) -> list[tuple[Any, ...]]:
        number = self._account(account)
        connection = self._connection(self.store.cell_of(number))
        with connection.reading():
            return connection.rows(statement, [number, *more])

    def _connection(self, cell: str) -> Connection:
        if cell not in self._connections:
            self._connections[cell] = self.store.cell(cell)
        return self._connections[cell]


def kept(done: Done) -> bool:
    """Whether the request took its number: refusals by order alone do not."""
    return not any(f'"code":"{code}"' in done.body for code in BY_ORDER_ALONE)


def shown(done: Done) -> str:
    """An answer as the switch reads it."""
    body = msgspec.json.decode(done.body)
    if done.status != 200:
        return str(body["code"])
    match body["decision"]:
        case "granted":
            return f"granted {body['granted_seconds']}s" + (", final" if body["final"] else "")
        case "settled":
            return f"charged {body['charge']} for {body['billed_seconds']}s"
    return str(body["decision"])


def moment_ms(text: str) -> int:
    """`90s` after the story's beginning, or a day and a time of it (UTC)."""
    match = MOMENT.fullmatch(text.strip())
    assert match, f"{text!r} is no moment"
    if match[1]:
        return NOW_MS + int(match[1]) * SECONDS[match[2]] * 1000
    moment = datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000


def date_text(at_ms: int) -> str:
    """The day of a moment, and its time where that is not midnight."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return moment.strftime("%Y-%m-%d" if moment.time().isoformat() == "00:00:00" else "%F %H:%M")

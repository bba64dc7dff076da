"""Organisations with one telephone, one price list and just as much credit as a test wants."""

import secrets
from itertools import count
from typing import Any, NamedTuple, TypeVar

from talktime.core.ids import NODES, Ids
from talktime.core.rates import RateRow
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import assign_number
from talktime.operations.csv_rows import BadFile
from talktime.operations.fund import fund
from talktime.operations.import_rates import import_rates
from talktime.operations.number_quotas import read_allowance
from talktime.operations.organisations import change_organisation, create_organisation
from talktime.operations.rate_file import read_rate_file
from talktime.operations.user_changes import UserChange
from talktime.operations.users import create_user
from talktime.store.catalogue import load_catalogues
from talktime.store.rates import versions_of
from tests.served import clock_ms
from tests.stores import Store

CARD, CARD_FROM_MS = "telephones", 1_577_836_800_000
RATES = b"""direction,prefix,destination,price_per_minute,first_increment_s,next_increment_s
outbound,44,By the minute,0.6,60,60
outbound,49,By the second,0.6,1,1
"""
BY_THE_MINUTE, BY_THE_SECOND = "+442079460958", "+4915112345678"
MICROS_A_SECOND = 10_000
LICENCES = frozenset({"MCOPSTNC", "MCOPSTN1", "MCOEV"})

WALLET = "SELECT balance_micros, held_micros, debt_micros FROM wallet WHERE organisation_id = ?"
CALLS = (
    "SELECT call_key, state, reported_s, charged_micros, held_micros FROM call "
    "WHERE organisation_id = ?"
)

_numbers = count(14255550120)
_new_id = Ids(secrets.randbelow(NODES), clock_ms).next
Value = TypeVar("Value")


class Wallet(NamedTuple):
    """What a wallet holds, in micros."""

    balance: int
    held: int
    debt: int


class Call(NamedTuple):
    """A call as the books have it; money in micros."""

    call_id: str
    state: str
    used_s: int
    charged: int
    held: int


class Office:
    """An organisation on a store, and what the books say of it."""

    def __init__(self, store: Store, seconds: int = 0) -> None:
        """With credit for so many seconds, of which sixty are a minute."""
        control, cell = store.control(), store.cell()
        made: dict[str, Any] = {"now_ms": clock_ms(), "next_id": _new_id}
        if not versions_of(control, CARD):
            with control.transaction():
                named = {"name": CARD, "currency": "USD", "source": "tests"}
                _made(import_rates(control, _rows(), valid_from_ms=CARD_FROM_MS, **named, **made))
        number = next(_numbers)
        self.caller = f"+{number}"
        self.name = f"Telephone {number}"
        self._control, self._cell = control, cell
        self._organisation = organisation = _made(
            create_organisation(
                *(control, {"main": cell}),
                name=self.name,
                cell="main",
                currency="USD",
                time_zone="UTC",
                country="US",
                rate_card=CARD,
                **made,
            )
        )
        with control.reading():
            catalogue = load_catalogues(control).in_force(clock_ms())
        change = UserChange(
            f"phone-{number}@example.com",
            display_name="Phone",
            usage_location="US",
            licences=LICENCES,
        )
        with cell.transaction():
            user = _made(
                create_user(cell, organisation, change, catalogue=catalogue, next_id=_new_id)
            )
        with cell.reading():
            allowance = read_allowance(cell, organisation, catalogue)
        with control.transaction():
            _made(
                assign_number(
                    *(control, organisation, self.caller),
                    user=user,
                    allowance=allowance,
                    now_ms=clock_ms(),
                )
            )
        if seconds:
            self.fund(seconds)

    def fund(self, seconds: int) -> None:
        """Put in credit for so many seconds."""
        _made(
            fund(
                *(self._cell, self._organisation),
                amount_micros=seconds * MICROS_A_SECOND,
                reason="to talk",
                actor="tests",
                idempotency_key=secrets.token_hex(8),
                now_ms=clock_ms(),
                next_id=_new_id,
            )
        )

    def switch_off(self) -> None:
        """Let it call no more."""
        with self._control.reading():
            catalogue = load_catalogues(self._control).in_force(clock_ms())
        with self._control.transaction():
            _made(change_organisation(self._control, self.name, active=False, catalogue=catalogue))

    def wallet(self) -> Wallet:
        """Its wallet as it is now."""
        with self._cell.reading():
            return Wallet(*self._cell.rows(WALLET, [self._organisation.id])[0])

    def calls(self) -> list[Call]:
        """All its calls."""
        with self._cell.reading():
            return [Call(*row) for row in self._cell.rows(CALLS, [self._organisation.id])]

    def call(self) -> Call:
        """Its only call."""
        [call] = self.calls()
        return call


def _rows() -> list[RateRow]:
    rows = read_rate_file(RATES, valid_from_ms=CARD_FROM_MS)
    assert not isinstance(rows, BadFile), rows.errors
    return rows


def _made(value: Value | Refusal) -> Value:
    assert not isinstance(value, Refusal), value
    return value

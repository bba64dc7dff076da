"""A second opinion on a cell's books, apart from operations/check_books: sums over all rows."""

from collections import defaultdict

import msgspec

from talktime.core.ledger import DEBT, SYSTEM_ACCOUNTS
from talktime.operations.check_books import check_books
from talktime.store.database import Connection, Row

WALLETS = "SELECT organisation_id, balance_micros, held_micros, debt_micros FROM wallet"
LOTS = "SELECT id, organisation_id, amount_micros, remaining_micros, held_micros FROM lot"
CALLS = "SELECT id, organisation_id, state, held_micros, charged_micros, parts, usage_id FROM call"
TRANSFERS = (
    "SELECT organisation_id, debit_account, credit_account, amount_micros, usage_id FROM transfer"
)
USAGE = "SELECT id, organisation_id, call_id, kind, charge_micros FROM usage_record"


def faults(connection: Connection, first_organisation_id: int = 0) -> list[str]:
    """What is wrong in this cell's books, in words; empty when nothing is.

    Nobody may write meanwhile. Organisations below `first_organisation_id` are left out.
    """
    everything = (WALLETS, LOTS, CALLS, TRANSFERS, USAGE)
    with connection.reading():
        wallets, lots, calls, transfers, usage = [
            connection.rows(f"{select} WHERE organisation_id >= ?", [first_organisation_id])
            for select in everything
        ]
    found: list[str] = []
    accounts: dict[tuple[int, int], int] = defaultdict(int)
    paid: dict[int, int] = defaultdict(int)
    for organisation_id, debit, credit, micros, usage_id in transfers:
        accounts[organisation_id, debit] -= micros
        accounts[organisation_id, credit] += micros
        if usage_id is not None:
            paid[usage_id] += micros if credit == 2 else -micros if debit == 2 else 0
    found += _wallet_faults(wallets, lots, calls, accounts)
    found += _lot_faults(lots, calls, accounts)
    found += _usage_faults(usage, calls, paid)
    return found


def _wallet_faults(
    wallets: list[Row],
    lots: list[Row],
    calls: list[Row],
    accounts: dict[tuple[int, int], int],
) -> list[str]:
    remaining: dict[int, int] = defaultdict(int)
    held: dict[int, int] = defaultdict(int)
    held_by_calls: dict[int, int] = defaultdict(int)
    for _, organisation_id, _, remaining_micros, held_micros in lots:
        remaining[organisation_id] += remaining_micros
        held[organisation_id] += held_micros
    for row in calls:
        held_by_calls[row[1]] += row[3]
    found = []
    for organisation_id, balance, held_micros, debt in wallets:
        lots_micros = sum(
            micros
            for (owner, account), micros in accounts.items()
            if owner == organisation_id and account not in SYSTEM_ACCOUNTS
        )
        owed = -accounts[organisation_id, DEBT]
        facts = {
            "balance = lots - debt": (balance, remaining[organisation_id] - debt),
            "balance = transfers": (balance, lots_micros - owed),
            "debt = transfers": (debt, owed),
            "held = lots": (held_micros, held[organisation_id]),
            "held = calls": (held_micros, held_by_calls[organisation_id]),
        }
        found += [
            f"wallet {organisation_id}: {name}: {one} is not {other}"
            for name, (one, other) in facts.items()
            if one != other
        ]
    known = {row[0] for row in wallets}
    found += [f"lot {lot[0]} has no wallet" for lot in lots if lot[1] not in known]
    return found


def _lot_faults(
    lots: list[Row],
    calls: list[Row],
    accounts: dict[tuple[int, int], int],
) -> list[str]:
    shares: dict[int, int] = defaultdict(int)
    found = []
    for call_id, _, state, held_micros, charged_micros, parts_text, _ in calls:
        parts = msgspec.json.decode(parts_text, type=list[tuple[int, int]])
        total = sum(micros for _, micros in parts)
        if state == "open":
            for lot_id, micros in parts:
                shares[lot_id] += micros
            if total != held_micros:
                found.append(f"call {call_id} holds {held_micros}, its parts {total}")
        elif held_micros:
            found.append(f"call {call_id} is {state} and holds {held_micros}")
        elif total > charged_micros:
            found.append(f"call {call_id} was charged {charged_micros}, its parts {total}")
    for lot_id, organisation_id, amount, remaining, held in lots:
        if not 0 <= held <= remaining <= amount:
            found.append(f"lot {lot_id}: 0 <= {held} <= {remaining} <= {amount} does not hold")
        if accounts[organisation_id, lot_id] != remaining:
            found.append(
                f"lot {lot_id} has {remaining}, its transfers {accounts[organisation_id, lot_id]}"
            )
        if shares[lot_id] != held:
            found.append(f"lot {lot_id} holds {held}, its calls {shares[lot_id]}")
    return found


def _usage_faults(usage: list[Row], calls: list[Row], paid: dict[int, int]) -> list[str]:
    found = []
    charged: dict[int, int] = defaultdict(int)
    firsts: dict[int, int] = defaultdict(int)
    for usage_id, _, call_id, kind, charge_micros in usage:
        charged[call_id] += charge_micros
        firsts[call_id] += kind == "call"
        if paid.pop(usage_id, 0) != charge_micros:
            found.append(f"usage {usage_id} charges {charge_micros}, its transfers differ")
    found += [f"transfers of no usage record: {usage_id}" for usage_id in paid]
    for call_id, _, state, _, charged_micros, _, usage_id in calls:
        if charged[call_id] != charged_micros:
            found.append(
                f"call {call_id} was charged {charged_micros}, its records {charged[call_id]}"
            )
        if firsts[call_id] != (usage_id is not None):
            found.append(f"call {call_id} ({state}) has {firsts[call_id]} usage records")
    return found


def proven(connection: Connection) -> None:
    """The books are right, by this file and by the operation that an operator runs."""
    assert faults(connection) == []
    checked = check_books(connection, lambda: 0)
    assert [finding for check in checked.checks for finding in check.findings] == []
    assert checked.clean

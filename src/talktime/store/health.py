"""How organisations do: what of their wallets needs somebody, by the set, from their cell; and how
they are found among all. The caller opens the reading.
"""

from collections.abc import Iterable
from typing import NamedTuple

from talktime.core.directory import Organisation
from talktime.core.limits import ATTENTION_COUNTED_MAX
from talktime.store.database import Both, Connection
from talktime.store.organisations import ORGANISATION_COLUMNS, organisation_row
from talktime.store.usage_days import ALL_USERS

BURN_DAYS = 7

_LOW = (
    "EXISTS (SELECT 1 FROM alert_level a WHERE a.organisation_id = w.organisation_id "
    "AND a.fired_ms IS NOT NULL AND a.below_micros > 0)"
)
_OVERDUE = (
    "EXISTS (SELECT 1 FROM post_statement s WHERE s.organisation_id = w.organisation_id "
    "AND s.state IN ('overdue', 'blocked'))"
)
_TOLD = "EXISTS (SELECT 1 FROM recipient p WHERE p.organisation_id = w.organisation_id)"
_BURN = (
    "(SELECT COALESCE(SUM(u.charge_micros - u.post_micros), 0) FROM usage_day u "
    f"WHERE u.organisation_id = w.organisation_id AND u.day >= ? AND u.user_id = {ALL_USERS})"
)
# Of few: who was billed after use, and is prepaid again. What statements, and credit notes of
# these, say was used, against what the meters have.
CREDIT = """COALESCE(w.no_buying, '') NOT IN ('moving', 'draining', 'post_usage')
    AND EXISTS (SELECT 1 FROM post_statement s WHERE s.organisation_id = w.organisation_id)
    AND (SELECT SUM(s.amount_micros) FROM post_statement s
            WHERE s.organisation_id = w.organisation_id)
        + (SELECT COALESCE(SUM(d.amount_micros), 0) FROM document d
            WHERE d.organisation_id = w.organisation_id AND d.kind = 'credit_note'
                AND EXISTS (SELECT 1 FROM post_statement_usage p WHERE p.statement_id = d.id))
        > (SELECT COALESCE(SUM(m.used), 0) FROM meter m
            WHERE m.organisation_id = w.organisation_id AND m.key LIKE '_______/post_usage')"""
WALLETS_OF = f"""
    SELECT w.organisation_id, w.currency, w.balance_micros, w.held_micros, w.debt_micros,
        w.first_funded_ms IS NOT NULL, {_LOW}, COALESCE(r.enabled, FALSE),
        COALESCE(r.paused_code, ''), {_OVERDUE}, {_TOLD}, CAST({_BURN} AS BIGINT),
        {CREDIT}
    FROM wallet w LEFT JOIN recharge r ON r.organisation_id = w.organisation_id
    WHERE w.organisation_id = ANY(?)"""


def _both(text: str) -> Both:
    return Both(text.replace("instr(", "strpos("), text)


_FROM_WALLETS = (
    "SELECT w.organisation_id FROM wallet w WHERE w.organisation_id > ? AND {} "
    "ORDER BY w.organisation_id LIMIT ?"
)
FLAGGED = {
    "zero": _FROM_WALLETS.format(
        "w.balance_micros <= 0 AND w.first_funded_ms IS NOT NULL "
        "AND COALESCE(w.no_buying, '') <> 'post_usage'"
    ),
    "low": (
        "SELECT DISTINCT a.organisation_id FROM alert_level a JOIN wallet w "
        "ON w.organisation_id = a.organisation_id WHERE a.organisation_id > ? "
        "AND a.fired_ms IS NOT NULL AND a.below_micros > 0 AND w.balance_micros > 0 "
        "ORDER BY a.organisation_id LIMIT ?"
    ),
    "burning": (
        "SELECT b.organisation_id FROM burn b JOIN wallet w "
        "ON w.organisation_id = b.organisation_id WHERE b.organisation_id > ? "
        "AND w.balance_micros > 0 AND b.week_micros > w.balance_micros "
        "ORDER BY b.organisation_id LIMIT ?"
    ),
    "debt": _FROM_WALLETS.format("w.debt_micros > 0"),
    "paused": (
        "SELECT organisation_id FROM recharge WHERE organisation_id > ? "
        "AND enabled AND paused_code <> '' ORDER BY organisation_id LIMIT ?"
    ),
    "overdue": (
        "SELECT DISTINCT organisation_id FROM post_statement WHERE organisation_id > ? "
        "AND state IN ('overdue', 'blocked') ORDER BY organisation_id LIMIT ?"
    ),
    "credit": _FROM_WALLETS.format(CREDIT),
    "silent": _FROM_WALLETS.format(f"NOT {_TOLD}"),
}
"""By flag: the organisations of a cell that have it, by their ids."""
CREDITS_COUNTED = f"SELECT COUNT(*) FROM (SELECT 1 FROM wallet w WHERE {CREDIT} LIMIT ?) c"
WALLETS_AFTER = (
    "SELECT MAX(organisation_id) FROM (SELECT organisation_id FROM wallet "
    "WHERE organisation_id > ? ORDER BY organisation_id LIMIT ?) p"
)
FORGET_BURN = "DELETE FROM burn WHERE organisation_id > ? AND organisation_id <= ?"
KEEP_BURN = f"""
    INSERT INTO burn (organisation_id, week_micros)
    SELECT organisation_id, CAST(SUM(charge_micros - post_micros) AS BIGINT) FROM usage_day
    WHERE organisation_id > ? AND organisation_id <= ? AND day >= ? AND user_id = {ALL_USERS}
    GROUP BY organisation_id HAVING SUM(charge_micros - post_micros) > 0"""
RECHARGING_AMONG = "SELECT organisation_id FROM recharge WHERE organisation_id = ANY(?) AND enabled"
OWNERS_OF_USERS = "SELECT DISTINCT organisation_id FROM person WHERE name = ? LIMIT ?"

_OF_ACCOUNT = (
    "SELECT m.organisation_id FROM membership m JOIN account a ON a.id = m.account_id "
    "WHERE a.email = ?"
)
_OF_NUMBER = "SELECT organisation_id FROM number WHERE digits = ?"
_MATCHING = "(instr(LOWER(name), ?) > 0 OR instr(name, ?) > 0 OR id = ANY(?))"
BY_NAME = f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE name > ? ORDER BY name LIMIT ?"
MATCHING_BY_NAME = _both(
    f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE name > ? AND {_MATCHING} "
    "ORDER BY name LIMIT ?"
)
NEWEST = f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE id < ? ORDER BY id DESC LIMIT ?"
MATCHING_NEWEST = _both(
    f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE id < ? AND {_MATCHING} "
    "ORDER BY id DESC LIMIT ?"
)
CLOSED_AFTER = "SELECT id FROM organisation WHERE id > ? AND NOT active ORDER BY id LIMIT ?"
MOVED = (
    "SELECT id, cell FROM organisation WHERE commerce_model = 'prepaid' AND calling_rules LIKE ? "
    "ORDER BY id"
)
_IS_MOVED = '%"moved":true%'
OF_IDS = f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE id = ANY(?)"
COUNT = "SELECT COUNT(*) FROM organisation"


class WalletHealth(NamedTuple):
    """What of one wallet matters to who looks after all; `burn_micros` is what was spent of it in
    the last BURN_DAYS days, `credit` that more was billed after use than was used."""

    organisation_id: int
    currency: str
    balance_micros: int
    held_micros: int
    debt_micros: int
    funded: bool
    low: bool
    recharge_on: bool
    paused_code: str
    overdue: bool
    has_recipients: bool
    burn_micros: int
    credit: bool


def credits_after_use(cell: Connection) -> int:
    """How many were billed more after use than they used, no more than ATTENTION_COUNTED_MAX. It
    looks at every wallet of the cell."""
    counted: int = cell.rows(CREDITS_COUNTED, [ATTENTION_COUNTED_MAX])[0][0]
    return counted


def wallets_of(
    cell: Connection, organisation_ids: Iterable[int], since_day: int
) -> list[WalletHealth]:
    """The wallets of these organisations that are in this cell."""
    found = cell.rows(WALLETS_OF, [since_day, sorted(organisation_ids)])
    return [
        WalletHealth(*row)._replace(
            funded=bool(row[5]),
            low=bool(row[6]),
            recharge_on=bool(row[7]),
            overdue=bool(row[9]),
            has_recipients=bool(row[10]),
            credit=bool(row[12]),
        )
        for row in found
    ]


def flagged_after(cell: Connection, flag: str, after_id: int, rows_max: int) -> list[int]:
    """Organisations of a cell that have a flag (a key of FLAGGED), by id."""
    return [row[0] for row in cell.rows(FLAGGED[flag], [after_id, rows_max])]


def keep_burn(cell: Connection, after_id: int, since_day: int, rows_max: int) -> int | None:
    """Note anew what was spent since a day of the next wallets after an id; the last of these, None
    where there are none. The caller opens and commits the transaction."""
    last: int | None = cell.rows(WALLETS_AFTER, [after_id, rows_max])[0][0]
    if last is not None:
        cell.run(FORGET_BURN, [after_id, last])
        cell.run(KEEP_BURN, [after_id, last, since_day])
    return last


def recharging_among(cell: Connection, organisation_ids: Iterable[int]) -> set[int]:
    """Which of these organisations have auto-recharge turned on."""
    return {row[0] for row in cell.rows(RECHARGING_AMONG, [sorted(organisation_ids)])}


def owners_of_users(cell: Connection, name: str, rows_max: int) -> list[int]:
    """Organisations of a cell that have a user of exactly this sign-in name."""
    return [row[0] for row in cell.rows(OWNERS_OF_USERS, [name, rows_max])]


def owners_by_account_or_number(control: Connection, email: str, digits: str) -> set[int]:
    """Organisations that an account looks after, or that a number belongs to."""
    found = control.rows(_OF_ACCOUNT, [email]) if email else []
    found += control.rows(_OF_NUMBER, [digits]) if digits else []
    return {row[0] for row in found}


def organisations_matching(
    control: Connection, text: str, ids: Iterable[int], after: str, rows_max: int
) -> list[Organisation]:
    """Organisations after a name, by name: all, or those whose name holds a text and those of
    `ids`."""
    if not text:
        rows = control.rows(BY_NAME, [after, rows_max])
    else:
        rows = control.rows(MATCHING_BY_NAME, [after, *_match(text, ids), rows_max])
    return [organisation_row(row) for row in rows]


def newest_matching(
    control: Connection, text: str, ids: Iterable[int], before_id: int, rows_max: int
) -> list[Organisation]:
    """The same before an id, the newest first."""
    if not text:
        rows = control.rows(NEWEST, [before_id, rows_max])
    else:
        rows = control.rows(MATCHING_NEWEST, [before_id, *_match(text, ids), rows_max])
    return [organisation_row(row) for row in rows]


def closed_after(control: Connection, after_id: int, rows_max: int) -> list[int]:
    """Organisations that are switched off, by id."""
    return [row[0] for row in control.rows(CLOSED_AFTER, [after_id, rows_max])]


def moved_by_cell(control: Connection) -> dict[str, list[int]]:
    """Prepaid organisations that their reseller has moved to post-usage billing, by cell."""
    found: dict[str, list[int]] = {}
    for organisation_id, cell in control.rows(MOVED, [_IS_MOVED]):
        found.setdefault(cell, []).append(organisation_id)
    return found


def organisations_of_ids(control: Connection, ids: Iterable[int]) -> dict[int, Organisation]:
    """These organisations by id."""
    wanted = sorted(set(ids))
    rows = control.rows(OF_IDS, [wanted]) if wanted else []
    return {row[0]: organisation_row(row) for row in rows}


def organisations_counted(control: Connection) -> int:
    """How many organisations there are."""
    return int(control.rows(COUNT)[0][0])


def _match(text: str, ids: Iterable[int]) -> tuple[str, str, list[int]]:
    return text.lower(), text, sorted(ids) or [0]

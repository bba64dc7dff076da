"""The tables that the engine writes, column by column, and the bulk statements made of them.

The schema itself is owned by the migrations (console/cell); a test holds these columns against it
on both databases.
"""

from dataclasses import dataclass

from talktime.store.database import Both


@dataclass(frozen=True)
class Table:
    """A table's name and its columns with their PostgreSQL types, in the order in which rows are
    bound."""

    name: str
    columns: dict[str, str]

    def insert(self) -> Both:
        """The statement that adds many rows."""
        names = ", ".join(self.columns)
        arrays = ", ".join(f"?::{kind}[]" for kind in self.columns.values())
        marks = ", ".join("?" for _ in self.columns)
        return Both(
            f'INSERT INTO "{self.name}" ({names}) SELECT * FROM unnest({arrays})',
            f'INSERT INTO "{self.name}" ({names}) VALUES ({marks})',
        )

    def insert_new(self, *key: str) -> Both:
        """The statement that adds many rows, but those whose `key` is there already."""
        insert = self.insert()
        conflict = f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
        return Both(insert.postgres + conflict, insert.sqlite + conflict)

    def put(self, *key: str) -> Both:
        """The statement that adds many rows, or sets all but the `key` of those that are there."""
        insert = self.insert()
        changes = ", ".join(f"{c} = excluded.{c}" for c in self.columns if c not in key)
        conflict = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        return Both(insert.postgres + conflict, insert.sqlite + conflict)

    def update(self, *columns: str) -> Both:
        """The statement that sets `columns` of many rows. A bound row is: the columns,
        organisation_id, then id (the wallet has organisation_id alone)."""
        key = ["organisation_id", "id"] if "id" in self.columns else ["organisation_id"]
        bound = [*columns, *key]
        arrays = ", ".join(f"?::{self.columns[column]}[]" for column in bound)
        match_ = " AND ".join(f"t.{column} = n.{column}" for column in key)
        return Both(
            f'UPDATE "{self.name}" t SET {", ".join(f"{c} = n.{c}" for c in columns)} '
            f"FROM unnest({arrays}) AS n({', '.join(bound)}) WHERE {match_}",
            f'UPDATE "{self.name}" SET {", ".join(f"{c} = ?" for c in columns)} '
            f"WHERE {' AND '.join(f'{c} = ?' for c in key)}",
        )


WALLET = Table(
    "wallet",
    {
        "organisation_id": "bigint",
        "currency": "text",
        "balance_micros": "bigint",
        "held_micros": "bigint",
        "debt_micros": "bigint",
        "first_funded_ms": "bigint",
        "recharge_below_micros": "bigint",
        "alert_below_micros": "bigint",
        "alert_from_micros": "bigint",
        "attention_ms": "bigint",
        "lowest_micros": "bigint",
        "no_buying": "text",
        "version": "bigint",
    },
)
LOT = Table(
    "lot",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "source": "text",
        "priority": "smallint",
        "promotional": "boolean",
        "amount_micros": "bigint",
        "remaining_micros": "bigint",
        "held_micros": "bigint",
        "purchased_ms": "bigint",
        "expires_ms": "bigint",
        "idempotency_key": "text",
        "body_hash": "bigint",
        "reason": "text",
        "actor": "text",
        "spent": "boolean",
    },
)
CALL = Table(
    "call",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "switch_id": "bigint",
        "call_key": "text",
        "type": "text",
        "user_id": "bigint",
        "from_digits": "text",
        "to_digits": "text",
        "rate": "text",
        "started_ms": "bigint",
        "deadline_ms": "bigint",
        "state": "text",
        "last_sequence": "integer",
        "settle_sequence": "integer",
        "answered_ms": "bigint",
        "granted_s": "integer",
        "reported_s": "integer",
        "held_micros": "bigint",
        "charged_micros": "bigint",
        "parts": "text",
        "closed_ms": "bigint",
        "usage_id": "bigint",
        "payers": "text",
        "pool_s": "integer",
        "post_micros": "bigint",
        "ending": "text",
        "conference_id": "text",
        "sweep_ms": "bigint",
    },
)
ANSWER = Table(
    "answer",
    {
        "call_id": "bigint",
        "sequence": "integer",
        "organisation_id": "bigint",
        "body_hash": "bigint",
        "status": "smallint",
        "body": "text",
        "at_ms": "bigint",
    },
)
TRANSFER = Table(
    "transfer",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "debit_account": "bigint",
        "credit_account": "bigint",
        "amount_micros": "bigint",
        "kind": "text",
        "usage_id": "bigint",
        "at_ms": "bigint",
    },
)
USAGE_RECORD = Table(
    "usage_record",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "call_id": "bigint",
        "switch_id": "bigint",
        "call_key": "text",
        "kind": "text",
        "type": "text",
        "user_id": "bigint",
        "from_digits": "text",
        "to_digits": "text",
        "destination": "text",
        "prefix": "text",
        "rate": "text",
        "currency": "text",
        "started_ms": "bigint",
        "ended_ms": "bigint",
        "used_s": "integer",
        "billed_s": "integer",
        "fee_micros": "bigint",
        "charge_micros": "bigint",
        "cause": "text",
        "capability": "text",
        "month": "text",
        "pool": "text",
        "pool_s": "integer",
        "post_micros": "bigint",
        "conference_id": "text",
        "flags": "text",
        "because": "text",
    },
)
METER = Table(
    "meter",
    {
        "organisation_id": "bigint",
        "key": "text",
        "used": "bigint",
        "held": "bigint",
        "total": "bigint",
        "warned_ms": "bigint",
        "full_ms": "bigint",
    },
)
CELL_TABLES = (WALLET, LOT, CALL, ANSWER, TRANSFER, USAGE_RECORD, METER)

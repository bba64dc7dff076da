"""One good row for each table of the operator's own."""

from typing import Any

from talktime.console.cell import models as cell
from talktime.console.control_plane import models as control_plane
from tests.console.payment_rows import START_MS

OPERATING: dict[Any, dict[str, Any]] = {
    cell.LedgerDay: {
        "day": 20_000,
        "currency": "EUR",
        "kind": "usage",
        "debit_account": 101,
        "credit_account": 2,
        "amount_micros": 15_000,
        "transfers": 1,
    },
    cell.Burn: {"organisation_id": 1, "week_micros": 15_000},
    cell.BookCheck: {
        "name": "wallet_lots",
        "rows": 1,
        "broken": 0,
        "took_ms": 2,
        "proved_ms": START_MS,
        "findings": "[]",
    },
    cell.WorkMark: {"name": "ledger", "value": 42, "at_ms": START_MS},
    cell.Unsummed: {"name": "ledger", "id": 42},
    control_plane.RateDraft: {
        "id": 1,
        "name": "standard",
        "currency": "EUR",
        "source": "rates.csv",
        "row_count": 1,
        "content": "",
        "made_ms": START_MS,
        "made_by": "operator@example.com",
    },
}

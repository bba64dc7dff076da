"""Everything that is known of one call: its usage record with its corrections, the money that each
moved, and, while the call is kept, what the switch was told."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from talktime.core.calls import Call, UsageRecord
from talktime.core.ids import COUNTER_BITS, NODE_BITS
from talktime.core.refusal import Refusal
from talktime.store.database import Connection
from talktime.store.usage import Told, answers_of_call, read_call, read_usage_of_call
from talktime.store.usage_rows import Movement, records_of_ids, transfers_of

MOVED_WITHIN_MS = 10_000
"""A record's transfers are made in its batch, right after it."""


class Part(NamedTuple):
    """A usage record, and the transfers that it made."""

    record: UsageRecord
    movements: Sequence[Movement]


class CallStory(NamedTuple):
    """`parts` are the record of the call and its corrections, in their order; `asked` is the one
    whose id was named. `call` and `told` are kept for seven days after the end."""

    asked: UsageRecord
    parts: Sequence[Part]
    call: Call | None
    told: Sequence[Told]

    @property
    def gates(self) -> list[str]:
        """What was found before the call was let through, line by line; empty when forgotten."""
        for told in self.told:
            lines = _because(told.body)
            if lines:
                return lines
        return []


def call_story(cell: Connection, organisation_id: int, usage_id: int) -> CallStory | Refusal:
    """The whole story of the call of a usage record. Refuses: unknown_call where the organisation
    has no such record. Reads one snapshot. Raises Outage."""
    with cell.snapshot():
        found = records_of_ids(cell, organisation_id, [usage_id])
        if not found:
            return Refusal("unknown_call", f"there is no usage record {usage_id}")
        [record] = found
        records = read_usage_of_call(cell, organisation_id, record.call_id)
        parts = [Part(each, _movements(cell, each)) for each in records]
        call = read_call(cell, record.switch_id, record.call_key)
        if call is not None and call.organisation_id != organisation_id:
            call = None
        told = answers_of_call(cell, organisation_id, record.call_id)
    return CallStory(record, parts, call, told)


def _movements(cell: Connection, record: UsageRecord) -> list[Movement]:
    end_id = record.id + (MOVED_WITHIN_MS << (NODE_BITS + COUNTER_BITS))
    return transfers_of(cell, record.organisation_id, record.id, end_id)


def _because(body: str) -> list[str]:
    try:
        told: Any = json.loads(body)
    except ValueError:
        return []
    lines = told.get("because") if isinstance(told, dict) else None
    return [str(line) for line in lines] if isinstance(lines, list) else []

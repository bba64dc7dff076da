"""Read meters, for people and reports. The engine reads and writes its own (load.py, save.py)."""

from talktime.core.meters import Meter
from talktime.store.database import Connection
from talktime.store.tables import METER

_COLUMNS = ", ".join(METER.columns)
# A prefix and what follows its last character: the keys that begin with it, by the primary key.
METERS_BETWEEN = (
    f"SELECT {_COLUMNS} FROM meter WHERE organisation_id = ? AND key >= ? AND key < ? ORDER BY key"
)


def meters_with_prefix(connection: Connection, organisation_id: int, prefix: str) -> list[Meter]:
    """An organisation's meters whose keys begin with this text, by key."""
    after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return [
        Meter(*row) for row in connection.rows(METERS_BETWEEN, (organisation_id, prefix, after))
    ]

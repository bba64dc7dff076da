"""Payment providers' settings in the control plane, sealed. The caller opens and commits the
transaction."""

from typing import NamedTuple

from talktime.store.database import Connection

_SETTING = "name, active, sealed, changed_ms, changed_by"
SETTINGS = f"SELECT {_SETTING} FROM provider_setting ORDER BY name FOR UPDATE"
READ_SETTINGS = f"SELECT {_SETTING} FROM provider_setting ORDER BY name"
PUT_SETTING = (
    f"INSERT INTO provider_setting ({_SETTING}) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET active = excluded.active, sealed = excluded.sealed, "
    "changed_ms = excluded.changed_ms, changed_by = excluded.changed_by"
)
NONE_ACTIVE = "UPDATE provider_setting SET active = ? WHERE active"
DELETE_SETTING = "DELETE FROM provider_setting WHERE name = ?"


class ProviderSetting(NamedTuple):
    """One provider's settings; `sealed` is of use to who has the seal's key alone."""

    name: str
    active: bool
    sealed: str
    changed_ms: int
    changed_by: str


def provider_settings(connection: Connection, *, locked: bool = False) -> list[ProviderSetting]:
    """All settings, by name; `locked` until the transaction ends."""
    rows = connection.rows(SETTINGS if locked else READ_SETTINGS)
    return [ProviderSetting(name, bool(active), *rest) for name, active, *rest in rows]


def put_active_setting(connection: Connection, setting: ProviderSetting) -> None:
    """Write settings as those of the active provider; no other is active then."""
    connection.run(NONE_ACTIVE, (False,))
    connection.run(PUT_SETTING, setting._replace(active=True))


def delete_setting(connection: Connection, name: str) -> int:
    """Take settings away; how many."""
    return connection.run(DELETE_SETTING, (name,))

"""Triggers that refuse to change rows once written. A step of their own in the migrations.

Their names: `<table>_no_update`, `<table>_no_delete` and, on PostgreSQL alone,
`<table>_no_truncate`.
"""

from collections.abc import Callable

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps

Step = Callable[[Apps | StateApps, BaseDatabaseSchemaEditor], None]

# Made unqualified: it stands in the schema of the search path, beside its tables.
REFUSING_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$
"""
POSTGRES_TRIGGER = """
CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
FOR EACH {each} EXECUTE FUNCTION refuse_change()
"""
SQLITE_TRIGGER = """
CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: {VERB} refused'); END
"""


def refuse_changes(
    table: str, verbs: tuple[str, ...] = ("update", "delete", "truncate")
) -> RunPython:
    """The migration step that makes this table refuse these verbs."""
    return RunPython(*_install_and_remove(table, verbs))


def allow_changes(
    table: str, verbs: tuple[str, ...] = ("update", "delete", "truncate")
) -> RunPython:
    """The step that takes the triggers of `refuse_changes` away, for a migration that makes the
    table anew and puts them back."""
    install, remove = _install_and_remove(table, verbs)
    return RunPython(remove, install)


def _install_and_remove(table: str, verbs: tuple[str, ...]) -> tuple[Step, Step]:
    def install(apps: Apps | StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for statement in statements(schema_editor.connection.vendor, table, verbs):
            schema_editor.execute(statement, params=None)

    def remove(apps: Apps | StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        vendor = schema_editor.connection.vendor
        on_table = f" ON {table}" if vendor == "postgresql" else ""
        for verb in of_vendor(vendor, verbs):
            schema_editor.execute(f"DROP TRIGGER {table}_no_{verb}{on_table}", params=None)

    return install, remove


def statements(vendor: str, table: str, verbs: tuple[str, ...]) -> list[str]:
    if vendor == "sqlite":
        return [
            SQLITE_TRIGGER.format(table=table, verb=verb, VERB=verb.upper())
            for verb in of_vendor(vendor, verbs)
        ]
    triggers = [
        POSTGRES_TRIGGER.format(
            table=table,
            verb=verb,
            VERB=verb.upper(),
            each="STATEMENT" if verb == "truncate" else "ROW",
        )
        for verb in verbs
    ]
    return [REFUSING_FUNCTION, *triggers]


def of_vendor(vendor: str, verbs: tuple[str, ...]) -> tuple[str, ...]:
    """The verbs that this database has: SQLite has no TRUNCATE."""
    return tuple(verb for verb in verbs if vendor != "sqlite" or verb != "truncate")

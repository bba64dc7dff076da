"""Bring the databases of an installation to the version of this code. Safe at every start."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zlib import crc32

import psycopg
from django.db import DatabaseError, connections, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from psycopg import sql

from talktime.config import CONTROL_PLANE_ALIAS, Address, Settings, cell_alias
from talktime.console.databases import CONNECT_TIMEOUT_S, addresses, set_up
from talktime.console.migrations_expected import Kind, expected_migrations

CELL_REVISIONS = ["users", "documents"]
CONTROL_PLANE_REVISIONS = ["directory", "keys", "rates", "catalogue"]


class MigrationError(Exception):
    """A database could not be brought to this version; the message names it and says why."""


def silent(line: str) -> None:
    """Say nothing."""


def migrate(settings: Settings, say: Callable[[str], None] = silent) -> None:
    """Make what is missing: the data folder, the schemas, the tables, the revision counters.

    Each database is migrated alone, the control plane first. Raises MigrationError with the name
    of the one that could not be; those before it are then done, the next run goes on from there.
    A cell that the control plane has organisations in is never made anew: its books are lost.
    """
    set_up(settings)
    cells = {cell_alias(name): name for name in settings.cells}
    for alias, address in addresses(settings).items():
        if alias in cells:
            refuse_lost_cell(cells[alias], address)
        steps = migrate_one(alias, address)
        say(f"{address.shown}: {f'{steps} migrations applied' if steps else 'up to date'}")


def pending(settings: Settings) -> dict[str, list[str]]:
    """The migrations that each database (by its alias) still lacks; empty where all is there.
    MigrationError where one is of a newer version."""
    set_up(settings)
    for alias, address in addresses(settings).items():
        refuse_newer(alias, address)
    return {alias: missing for alias in addresses(settings) if (missing := missing_in(alias))}


def refuse_lost_cell(cell: str, address: Address) -> None:
    """Raise MigrationError where a cell has no tables, and organisations that had wallets in it."""
    from talktime.console.control_plane.models import Organisation

    alias = cell_alias(cell)
    try:
        if not is_new(alias, address):
            return
        lost = Organisation.objects.filter(cell=cell).count()
    except (OSError, DatabaseError) as error:
        raise MigrationError(f"{address.shown} cannot be migrated: {error}") from error
    finally:
        connections[CONTROL_PLANE_ALIAS].close()
    if lost:
        raise MigrationError(
            f"the books of cell {cell} are not in {address.shown}, and organisations have wallets "
            f"there ({lost}): restore it from the backup (docs/howto/back-up-and-restore.md), "
            "or say where it is now (TALKTIME_DATA, DATABASE_URL, TALKTIME_CELLS). "
            "To begin anew, move the control plane away too."
        )


def is_new(alias: str, address: Address) -> bool:
    """Whether no migration was ever applied here; the database need not be there."""
    if address.path is not None and not address.path.exists():
        return True
    app = apps_in(alias)[0]
    return any(name.startswith(f"{app}.0001_") for name in missing_in(alias))


def migrate_one(alias: str, address: Address) -> int:
    """Migrate one database and return how many migrations that took."""
    try:
        with alone(address):
            missing = missing_in(alias)
            refuse_newer(alias, address)
            if missing:
                executor = WholeMigrations(connections[alias])
                executor.migrate(leaves_in(executor, alias))
            insert_revisions(alias)
    except (OSError, psycopg.Error, DatabaseError) as error:
        raise MigrationError(f"{address.shown} cannot be migrated: {error}") from error
    finally:
        connections[alias].close()
    return len(missing)


def refuse_newer(alias: str, address: Address) -> None:
    """Raise MigrationError where a database has migrations that this code does not know of: it has
    been at work with a newer version, which alone knows what stands in its tables."""
    kind: Kind = "control_plane" if alias == CONTROL_PLANE_ALIAS else "cell"
    try:
        applied = MigrationRecorder(connections[alias]).applied_migrations()
    finally:
        connections[alias].close()
    newer = sorted({key for key in applied if key[0] == kind} - expected_migrations(kind))
    if newer:
        raise MigrationError(
            f"{address.shown} is of a newer version than this program (it has {newer[-1][1]}): "
            "use the newer program, or restore the backup that was taken before it"
        )


@contextmanager
def alone(address: Address) -> Iterator[None]:
    """Make room for the tables (file or schema), and keep other processes from migrating it."""
    if address.path is not None:
        address.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        address.path.touch(mode=0o600)
        with address.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with psycopg.connect(address.url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        # Held by an open transaction: it ends with the connection, whatever happens.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [crc32(address.schema.encode())])
        make_schema(address)
        yield


def make_schema(address: Address) -> None:
    with psycopg.connect(address.url, autocommit=True) as connection:
        # Looked for first: a role that may not create schemas can use one made for it.
        there = connection.execute(
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", [address.schema]
        ).fetchone()
        if there is None:
            connection.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(address.schema))
            )


def apps_in(alias: str) -> tuple[str, ...]:
    if alias == CONTROL_PLANE_ALIAS:
        return (
            *("contenttypes", "auth", "control_plane", "sessions"),
            *("account", "mfa", "socialaccount", "usersessions"),  # allauth's
        )
    return ("cell",)


def missing_in(alias: str) -> list[str]:
    try:
        executor = MigrationExecutor(connections[alias])
        plan = executor.migration_plan(leaves_in(executor, alias))
        return [f"{step.app_label}.{step.name}" for step, _ in plan]
    finally:
        connections[alias].close()


def leaves_in(executor: MigrationExecutor, alias: str) -> list[tuple[str, str]]:
    """The last migrations of the apps that have their tables in this database."""
    apps = apps_in(alias)
    return [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] in apps]


class WholeMigrations(MigrationExecutor):
    """Applies a migration and records it in one transaction.

    Django records one that makes indexes only after it was committed: who was stopped in between
    would find its tables there ever after, and could not migrate any more.
    """

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """As Django's."""
        connection = self.connection
        # SQLite can make a table anew only while it checks no keys, and says so only before BEGIN.
        with connection.constraint_checks_disabled(), transaction.atomic(connection.alias):
            return super().apply_migration(state, migration, fake, fake_initial)


def insert_revisions(alias: str) -> None:
    if alias == CONTROL_PLANE_ALIAS:
        from talktime.console.control_plane.models import Revision

        names = CONTROL_PLANE_REVISIONS
    else:
        from talktime.console.cell.models import Revision  # type: ignore[assignment]

        names = CELL_REVISIONS
    Revision.objects.using(alias).bulk_create(
        [Revision(name=name, value=0) for name in names], ignore_conflicts=True
    )

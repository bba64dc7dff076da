"""Databases brought to the version of the code. Mirrors src/talktime/console/migrate.py."""

import io
import threading

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from talktime.console.cell.models import Wallet
from talktime.console.control_plane.models import CatalogueRow, Organisation
from talktime.console.databases import set_up
from talktime.console.migrate import MigrationError, migrate, pending
from talktime.console.migrations_expected import expected_migrations
from talktime.operations.catalogue_seed import seed_entries
from talktime.store.catalogue_bodies import body_text
from tests.console.conftest import migrated_in, settings_in
from tests.console.rows import GOOD, insert

CELL_COUNTERS = {("documents", 0), ("users", 0)}
CELL_TABLES = {
    "alert_level",
    "answer",
    "audit_entry",
    "billing_profile",
    "book_check",
    "burn",
    "call",
    "card_setup",
    "creation",
    "delivery",
    "django_migrations",
    "document",
    "document_gap",
    "grant_request",
    "job_run",
    "ledger_day",
    "licence_group",
    "lot",
    "meter",
    "money_request",
    "outbox",
    "payment",
    "payment_method",
    "payment_try",
    "person",
    "post_statement",
    "post_statement_usage",
    "provider_event",
    "recharge",
    "recipient",
    "refund",
    "revision",
    "saved_view",
    "taken_back",
    "transfer",
    "unsummed",
    "usage_day",
    "usage_record",
    "usage_user",
    "wallet",
    "wallet_hour",
    "webhook_endpoint",
    "work_mark",
}
CONTROL_PLANE_TABLES = {
    "account",
    "account_emailaddress",
    "account_emailconfirmation",
    "account_mail",
    "api_key",
    "peer",
    "audit_entry",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "catalogue_row",
    "creation",
    "django_content_type",
    "django_migrations",
    "django_session",
    "given_alone",
    "invitation",
    "limit_request",
    "membership",
    "mfa_authenticator",
    "number",
    "number_reservation",
    "organisation",
    "payment_event_inbox",
    "provider_setting",
    "rate",
    "rate_card",
    "rate_draft",
    "revision",
    "sandbox_card",
    "sandbox_charge",
    "sandbox_dispute",
    "sandbox_event",
    "sandbox_refund",
    "sandbox_switches",
    "socialaccount_socialaccount",
    "socialaccount_socialapp",
    "socialaccount_socialtoken",
    "switch",
    "usersessions_usersession",
}
BY_SCHEMA = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
"""


def tables_of(alias):
    connection = connections[alias]
    with connection.cursor() as cursor:
        return {one.name for one in connection.introspection.get_table_list(cursor)}


def rows_of(alias, statement):
    with connections[alias].cursor() as cursor:
        return set(cursor.execute(statement).fetchall())


def tables_by_schema(url):
    found = {}
    with psycopg.connect(url) as connection:
        for schema, table in connection.execute(BY_SCHEMA):
            found.setdefault(schema, set()).add(table)
    return found


def test_each_database_holds_its_own_tables_alone(installation):
    assert tables_of("default") == CONTROL_PLANE_TABLES
    assert tables_of("cell_main") == CELL_TABLES


def test_the_revision_counters_are_there_and_start_at_nothing_but_for_the_seed(installation):
    counters = "SELECT name, value FROM revision"
    shared = {("directory", 0), ("keys", 0), ("rates", 0), ("catalogue", 1)}
    assert rows_of("default", counters) == shared
    assert rows_of("cell_main", counters) == CELL_COUNTERS


def seeded_rows():
    return set(CatalogueRow.objects.values_list("kind", "code", "valid_from_ms", "body"))


def test_the_seed_is_in_the_catalogue_with_the_same_ids_everywhere(installation):
    kept = [(*entry[:3], body_text(entry.value)) for entry in seed_entries()]
    assert seeded_rows() == set(kept)
    in_order = CatalogueRow.objects.order_by("id").values_list("id", "kind", "code", "revision")
    assert list(in_order) == [
        (number, entry.kind, entry.code, 1) for number, entry in enumerate(seed_entries(), 1)
    ]


def test_an_installation_from_before_the_catalogue_gets_the_seed(installation):
    call_command("migrate", "control_plane", "0002", verbosity=0)
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM revision WHERE name = 'catalogue'")
        cursor.execute("UPDATE revision SET value = 9 WHERE name = 'directory'")
    migrate(installation)
    assert len(seeded_rows()) == len(seed_entries())
    assert rows_of("default", "SELECT name, value FROM revision") == {
        *(("directory", 9), ("keys", 0), ("rates", 0), ("catalogue", 1))
    }


def test_the_expected_migrations_are_those_that_a_migrated_database_records(installation):
    recorded = "SELECT app, name FROM django_migrations"
    assert rows_of("cell_main", recorded) == expected_migrations("cell")
    ours = {row for row in rows_of("default", recorded) if row[0] == "control_plane"}
    assert ours == expected_migrations("control_plane")


def test_a_second_run_changes_nothing_and_says_so(installation):
    with connections["cell_main"].cursor() as cursor:
        cursor.execute("UPDATE revision SET value = 7 WHERE name = 'users'")
    said = []
    migrate(installation, said.append)
    assert [line.rpartition(": ")[2] for line in said] == ["up to date", "up to date"]
    assert rows_of("cell_main", "SELECT name, value FROM revision") == CELL_COUNTERS - {
        ("users", 0)
    } | {("users", 7)}
    assert pending(installation) == {}


def test_no_migration_is_missing_for_the_models(installation):
    out = io.StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out)
    assert out.getvalue() == "No changes detected\n"


def test_the_models_pass_all_checks_of_django(installation):
    call_command("check", databases=["default", "cell_main"], fail_level="WARNING")


def test_three_cells_share_one_postgresql_and_stay_apart(
    new_database, tmp_path, connections_closed
):
    url = new_database()
    settings = settings_in(tmp_path, url, TALKTIME_CELLS="main north south")
    migrate(settings)
    cells = dict.fromkeys(["cell_main", "cell_north", "cell_south"], CELL_TABLES)
    assert tables_by_schema(url) == {"talktime": CONTROL_PLANE_TABLES, **cells}
    Wallet.objects.using("cell_north").create(**GOOD[Wallet])
    counts = [Wallet.objects.using(alias).count() for alias in cells]
    assert counts == [0, 1, 0]


def test_cells_on_other_servers_hold_only_their_own_schema(
    new_cluster, tmp_path, connections_closed
):
    first, second = new_cluster(), new_cluster()
    home, far = first.create_database("talktime"), second.create_database("elsewhere")
    migrate(settings_in(tmp_path, home, TALKTIME_CELLS=f"main far={far}"))
    assert tables_by_schema(home) == {
        "talktime": CONTROL_PLANE_TABLES,
        "cell_main": CELL_TABLES,
    }
    assert tables_by_schema(far) == {"cell_far": CELL_TABLES}


def test_an_address_by_unix_socket_with_options_of_its_own_is_used_whole(
    postgres_cluster, new_database, tmp_path, connections_closed
):
    name = new_database().rpartition("/")[2]
    url = postgres_cluster.socket_url(name) + "&options=-c%20work_mem%3D7MB&application_name=tt"
    migrate(settings_in(tmp_path, url))
    assert rows_of("cell_main", "SHOW work_mem") == {("7MB",)}
    assert rows_of("cell_main", "SHOW search_path") == {("cell_main",)}
    assert rows_of("default", "SHOW application_name") == {("tt",)}


def test_a_role_that_may_not_create_schemas_uses_those_made_for_it(
    new_database, tmp_path, connections_closed
):
    url = new_database()
    name = f"limited_{url.rpartition('/')[2]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute(f"CREATE SCHEMA talktime AUTHORIZATION {name}")
    limited = url.replace("talktime@", f"{name}@")
    with pytest.raises(MigrationError, match="cell_main cannot be migrated: permission denied"):
        migrate(settings_in(tmp_path, limited))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA cell_main AUTHORIZATION {name}")
    migrate(settings_in(tmp_path, limited))
    assert tables_by_schema(url) == {"talktime": CONTROL_PLANE_TABLES, "cell_main": CELL_TABLES}
    connections.close_all()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


def test_a_cell_that_was_lost_is_not_made_anew(installation):
    insert(Organisation)
    connections.close_all()
    path = installation.cells["main"].path
    if path is None:
        with psycopg.connect(installation.cells["main"].url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA cell_main CASCADE")
    else:
        for file in path.parent.glob("cell_main.sqlite3*"):
            file.unlink()
    for _ in range(2):
        with pytest.raises(MigrationError, match=r"organisations have wallets there \(1\)"):
            migrate(installation)
        if path is None:
            assert "cell_main" not in tables_by_schema(installation.cells["main"].url)
        else:
            assert not path.exists()


def test_an_empty_file_in_place_of_a_cell_is_not_taken_for_it(tmp_path, connections_closed):
    settings = migrated_in(tmp_path)
    insert(Organisation)
    connections.close_all()
    (tmp_path / "cell_main.sqlite3").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(MigrationError, match="restore it from the backup"):
            migrate(settings)
        assert tables_of("cell_main") == set()
        connections.close_all()


def test_a_cell_without_organisations_is_made_beside_others(tmp_path, connections_closed):
    migrated_in(tmp_path)
    insert(Organisation)
    migrate(settings_in(tmp_path, TALKTIME_CELLS="main north"))
    assert tables_of("cell_north") == CELL_TABLES


def test_a_database_that_is_away_is_named_without_its_password(tmp_path, connections_closed):
    url = "postgresql://talktime:s3cret@127.0.0.1:1/talktime"
    with pytest.raises(MigrationError) as failed:
        migrate(settings_in(tmp_path, url))
    assert "talktime:***@127.0.0.1:1/talktime schema talktime cannot be migrated" in str(
        failed.value
    )
    assert "s3cret" not in str(failed.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, connections_closed):
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(MigrationError, match=r"data/control\.sqlite3 cannot be migrated"):
        migrate(settings_in(tmp_path / "data"))


def test_processes_that_start_together_migrate_one_after_another(
    database_kind, new_database, tmp_path, connections_closed
):
    """Threads stand for processes: Django's connections are each thread's own."""
    url = new_database() if database_kind == "postgres" else ""
    settings = settings_in(tmp_path, url)
    set_up(settings)
    said, failed = [], []

    def start():
        try:
            migrate(settings, said.append)
        except Exception as error:  # noqa: BLE001 (told to the test's own thread)
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(line.rpartition(": ")[2] for line in said) == [
        "18 migrations applied",
        "47 migrations applied",
        *["up to date"] * 6,
    ]


def test_a_lost_sqlite_file_is_not_made_anew_by_reading(tmp_path, connections_closed):
    settings = migrated_in(tmp_path)
    connections.close_all()
    (tmp_path / "cell_main.sqlite3").unlink()
    set_up(settings)
    from django.db import OperationalError

    with pytest.raises(OperationalError, match="unable to open database file"):
        Wallet.objects.using("cell_main").count()
    assert not (tmp_path / "cell_main.sqlite3").exists()


def test_sqlite_is_durable_and_lets_readers_go_on(tmp_path, connections_closed):
    migrated_in(tmp_path)
    for alias in ("default", "cell_main"):
        assert rows_of(alias, "PRAGMA journal_mode") == {("wal",)}
        assert rows_of(alias, "PRAGMA synchronous") == {(2,)}  # FULL
        assert rows_of(alias, "PRAGMA busy_timeout") == {(5_000,)}
        assert connections[alias].transaction_mode == "IMMEDIATE"


STOPPED = "0015_creations"
FAILING_RECORD = {
    "sqlite": [
        f"""CREATE TRIGGER no_record BEFORE INSERT ON django_migrations WHEN NEW.name = '{STOPPED}'
        BEGIN SELECT RAISE(ABORT, 'stopped here'); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION no_record() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'stopped here'; END $$""",
        f"""CREATE TRIGGER no_record BEFORE INSERT ON django_migrations FOR EACH ROW
        WHEN (NEW.name = '{STOPPED}') EXECUTE FUNCTION no_record()""",
    ],
}


def test_a_migration_that_is_stopped_before_it_is_recorded_is_undone_and_made_by_the_next_run(
    installation,
):
    call_command("migrate", "cell", "0014", database="cell_main", verbosity=0)
    vendor = connections["cell_main"].vendor
    with connections["cell_main"].cursor() as cursor:
        for statement in FAILING_RECORD[vendor]:
            cursor.execute(statement)
    with pytest.raises(MigrationError, match="stopped here"):
        migrate(installation)
    assert tables_of("cell_main") == CELL_TABLES - {"creation", "document_gap"}
    with connections["cell_main"].cursor() as cursor:
        on_table = " ON django_migrations" if vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER no_record{on_table}")
    said = []
    migrate(installation, said.append)
    assert [line.rpartition(": ")[2] for line in said] == ["up to date", "4 migrations applied"]
    assert tables_of("cell_main") == CELL_TABLES

"""A database that is away, read-only, full or of another version: 503, one clear line, recovery."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import structlog

from tests.databases import Cluster
from tests.served import Service, rows_of_books, seeded, serving
from tests.stores import Store, Stores

FULL = (
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; "
    "END $$"
)
FULL_WALLET = (
    "CREATE TRIGGER full_disk BEFORE UPDATE ON wallet FOR EACH ROW EXECUTE FUNCTION full_disk()"
)

END_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s "
    "AND query NOT LIKE '%%person%%'"
)
LATER_MIGRATION = (
    "INSERT INTO django_migrations (app, name, applied) "
    "VALUES ('cell', '9999_later', '2026-11-22 10:00:00')"
)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What the engine's log was told."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def own_server(
    new_cluster: Callable[..., Cluster], tmp_path: Path
) -> Iterator[tuple[Cluster, Store]]:
    """A PostgreSQL server for one test alone, and an installation on it."""
    cluster = new_cluster()
    store = Stores(tmp_path, lambda number: cluster).make("postgres")
    yield cluster, store
    store.close()


def is_unavailable(answer: httpx.Response) -> bool:
    """Whether this is the documented 503."""
    if answer.status_code != 503:
        return False
    assert answer.json()["code"] == "unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert "Traceback" not in answer.text
    return True


def first_answered(service: Service) -> httpx.Response:
    """Send one authorize until it is taken, as a switch does."""
    call = service.call()
    for _ in range(1_000):
        answer = call.authorize()
        if not is_unavailable(answer):
            return answer
        with service.engine.refreshed:
            service.engine.refreshed.wait(0.05)
    raise AssertionError("the service did not recover")


def lines(logged: list[Any], event: str, database: str) -> list[str]:
    """The reasons told of one database."""
    return [
        line.get("reason", "")
        for line in logged
        if line["event"] == event and line["database"] == database
    ]


def test_a_file_that_is_away_is_unavailable_until_it_is_back(
    stores: Stores, logged: list[Any]
) -> None:
    store = stores.make("sqlite")
    cell = store.settings.cells["main"].path
    assert cell is not None
    with serving(store) as service:
        running = service.call()
        assert running.authorize().status_code == 200
        aside = cell.rename(cell.with_suffix(".aside"))
        assert is_unavailable(running.next("extend", used_seconds=10))
        assert is_unavailable(service.get(running.path))
        assert service.until(lambda: bool(service.engine.not_ready()))
        assert is_unavailable(service.get("/readyz"))
        assert service.get("/healthz").status_code == 200
        aside.rename(cell)
        assert running.next("extend", used_seconds=10).status_code == 200
        assert service.until(lambda: not service.engine.not_ready())
        assert service.get("/readyz").status_code == 200
        assert running.show()["state"] == "open"
    away = lines(logged, "database away", "cell main")
    assert len(away) == len(set(away)) > 0
    assert "removed" in away[0]
    assert len(lines(logged, "database back", "cell main")) == 1
    stores.drop(store)


def test_a_server_that_stops_is_unavailable_until_it_runs_again(
    own_server: tuple[Cluster, Store], logged: list[Any]
) -> None:
    cluster, store = own_server
    with serving(store) as service:
        running = service.call()
        granted = running.authorize()
        cluster.kill()
        assert is_unavailable(running.next("extend", used_seconds=10))
        assert is_unavailable(running.next("extend", used_seconds=10))
        assert service.until(lambda: "control plane" in service.engine.not_ready())
        assert is_unavailable(service.get("/readyz"))
        cluster.start()
        assert first_answered(service).status_code == 200
        assert service.until(lambda: not service.engine.not_ready())
        assert running.next("extend", used_seconds=10).status_code == 200
        again = running.send("authorize", {"sequence": 0, **_parties(service)})
        assert again.content == granted.content
    away = lines(logged, "database away", "cell main")
    assert len(away) == len(set(away)) > 0
    assert lines(logged, "database back", "cell main")


@pytest.mark.layouts("postgres")
def test_no_call_is_refused_because_a_server_ended_what_was_idle(store: Store) -> None:
    ((cluster, name),) = store.databases
    with serving(store) as service:
        running = service.call()
        assert running.authorize().status_code == 200
        with psycopg.connect(cluster.url(), autocommit=True) as administrator:
            administrator.execute(END_CONNECTIONS, [name])
        assert running.next("extend", used_seconds=10).status_code == 200
        store.close()


def _parties(service: Service) -> dict[str, str]:
    return {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}


def test_a_service_started_before_its_databases_works_when_they_are_there(
    own_server: tuple[Cluster, Store],
) -> None:
    cluster, store = own_server
    demo = seeded(store)
    store.close()
    cluster.stop()
    with serving(store, demo) as service:
        assert is_unavailable(service.call().authorize())
        assert is_unavailable(service.get("/readyz"))
        cluster.start()
        assert first_answered(service).status_code == 200
        assert service.until(lambda: not service.engine.not_ready())


@pytest.mark.layouts("sqlite", "postgres")
def test_a_database_that_only_reads_is_unavailable_for_calls_alone(
    store: Store, logged: list[Any]
) -> None:
    with serving(store) as service:
        running = service.call()
        running.authorize()
        before = rows_of_books(store)
        with read_only(store, service):
            assert is_unavailable(running.next("extend", used_seconds=10))
            assert rows_of_books(store) == before
            assert running.show()["state"] == "open"
        assert first_answered(service).status_code == 200
        assert running.next("extend", used_seconds=10).status_code == 200
    away = lines(logged, "database away", "cell main")
    assert len(away) == len(set(away)) > 0


class read_only:  # noqa: N801 - read like a function
    """While this lasts the engine's writer cannot write."""

    def __init__(self, store: Store, service: Service) -> None:
        self._store = store
        self._service = service

    def __enter__(self) -> None:
        if self._store.kind == "sqlite":
            _run_on_lane(self._service, "PRAGMA query_only = ON")
        else:
            self._alter("ALTER DATABASE {} SET default_transaction_read_only = on")

    def __exit__(self, *raised: object) -> None:
        if self._store.kind == "postgres":
            self._alter("ALTER DATABASE {} RESET default_transaction_read_only")

    def _alter(self, statement: str) -> None:
        ((cluster, name),) = self._store.databases
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute(statement.format(name))
            connection.execute(END_CONNECTIONS, [name])
        self._store.close()


def _run_on_lane(service: Service, pragma: str) -> None:
    """Say something to the writer's own connection, which is idle now."""
    connection = service.engine.lanes["main"][0].writer.own.connector.connection()
    connection.rows(pragma)


@pytest.mark.layouts("sqlite", "postgres")
def test_a_database_that_is_full_is_unavailable_until_there_is_room(
    store: Store, logged: list[Any]
) -> None:
    with serving(store) as service:
        running = service.call()
        running.authorize()
        before = rows_of_books(store)
        cell = store.cell()
        if store.kind == "sqlite":
            _run_on_lane(service, "PRAGMA max_page_count = 1")
            items = [_authorize(service, number) for number in range(500)]
            answers = service.post("/v1/calls:batch", {"requests": items}).json()["answers"]
            assert {answer["status"] for answer in answers} == {503}
        else:
            cell.run(FULL)
            cell.run(FULL_WALLET)
            assert is_unavailable(running.next("extend", used_seconds=290))
        assert list(service.engine.not_ready()) == ["cell main"]
        assert 'talktime_not_ready{part="cell main"} 1.0' in service.get("/metrics").text
        assert rows_of_books(store) == before
        if store.kind == "postgres":
            cell.run("DROP TRIGGER full_disk ON wallet")
        assert first_answered(service).status_code == 200
        assert service.get("/readyz").status_code == 200
        assert running.next("extend", used_seconds=290).status_code == 200
    (reason,) = lines(logged, "database away", "cell main")
    assert "full" in reason or "No space left" in reason


def _authorize(service: Service, number: int) -> dict[str, object]:
    item = {"request": "authorize", "call_id": f"full-{number}", "sequence": 0}
    return {**item, **_parties(service)}


@pytest.mark.layouts("sqlite", "postgres")
@pytest.mark.parametrize(
    ("change", "undo", "told"),
    [
        (
            LATER_MIGRATION,
            "DELETE FROM django_migrations WHERE name = '9999_later'",
            "newer version",
        ),
        (
            "UPDATE django_migrations SET name = 'x' || name WHERE app = 'cell' AND name < '0002'",
            "UPDATE django_migrations SET name = substr(name, 2) WHERE name > 'x'",
            "newer version",
        ),
        (
            "UPDATE django_migrations SET app = 'x' WHERE app = 'cell' AND name < '0002'",
            "UPDATE django_migrations SET app = 'cell' WHERE app = 'x'",
            "talktime migrate",
        ),
        (
            "ALTER TABLE django_migrations RENAME TO other",
            "ALTER TABLE other RENAME TO django_migrations",
            "django_migrations",
        ),
    ],
    ids=["newer", "other", "older", "none"],
)
def test_a_database_of_another_version_is_unavailable_until_it_is_migrated(
    store: Store, logged: list[Any], change: str, undo: str, told: str
) -> None:
    demo = seeded(store)
    cell = store.cell()
    cell.run(change)
    with serving(store, demo) as service:
        assert is_unavailable(service.call().authorize())
        assert "cell main" in service.engine.not_ready()
        reasons = lines(logged, "database away", "cell main")
        assert len(reasons) == 1
        assert told in reasons[0]
        cell.run(undo)
        assert first_answered(service).status_code == 200
        assert service.until(lambda: not service.engine.not_ready())


@pytest.mark.layouts("postgres")
def test_a_table_that_is_missing_is_an_outage_and_no_crash(store: Store, logged: list[Any]) -> None:
    with serving(store) as service:
        cell = store.cell()
        cell.run("ALTER TABLE wallet RENAME TO wallet_aside")
        assert is_unavailable(service.call().authorize())
        cell.run("ALTER TABLE wallet_aside RENAME TO wallet")
        assert first_answered(service).status_code == 200
    assert len(lines(logged, "database away", "cell main")) == 1


def test_one_cell_that_is_away_leaves_the_others_working(stores: Stores) -> None:
    store = stores.make("sqlite-cells")
    with serving(store) as service:
        south = store.settings.cells["south"].path
        assert south is not None
        south.rename(south.with_suffix(".aside"))
        call = service.call()
        assert call.authorize().status_code == 200
        assert call.next("settle", used_seconds=10).json()["charge"] == "0.011"
        # A call that no reachable cell knows may be in the one that is away.
        assert is_unavailable(service.call().next("settle", used_seconds=10))
        assert service.until(lambda: "cell south" in service.engine.not_ready())
    stores.drop(store)

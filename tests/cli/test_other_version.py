"""The shell where a database is of another version than the program."""

import pytest

from tests.serving import Serving

pytestmark = pytest.mark.layouts("sqlite", "postgres")

LATER = (
    "INSERT INTO django_migrations (app, name, applied) "
    "VALUES (?, '9999_later', '2026-11-22 10:00:00')"
)
FUNDING = ("--reason", "another", "--actor", "operator", "--idempotency-key", "order 2")


def test_the_shell_writes_nothing_to_a_database_of_a_newer_version(shell, store, contoso):
    cell = store.cell()
    before = cell.rows("SELECT id, remaining_micros FROM lot")
    cell.run(LATER, ["cell"])
    for arguments in (("fund", "Contoso", "5", *FUNDING), ("wallet", "Contoso"), ("check-books",)):
        assert shell.error(*arguments).startswith(
            "the database is of a newer version than this program (it has 9999_later): "
            "start the newer program"
        )
    assert cell.rows("SELECT id, remaining_micros FROM lot") == before


def test_the_shell_says_that_a_database_of_an_older_version_must_be_migrated(shell, store, contoso):
    cell = store.cell()
    cell.run("DELETE FROM django_migrations WHERE name = '0009_calls_to_end'")
    line = shell.error("wallet", "Contoso")
    assert line.startswith("the database lacks migration 0009")
    assert line.endswith(": run `talktime migrate`")


@pytest.mark.parametrize("kind", ["control_plane", "cell"])
def test_a_database_of_a_newer_version_is_neither_migrated_nor_served(shell, store, kind):
    database = store.cell() if kind == "cell" else store.control()
    database.run(LATER, [kind])
    store.close()
    line = shell.run("migrate", code=1)[1]
    assert " is of a newer version than this program (it has 9999_later): " in line
    process = Serving(store.environ)
    try:
        assert process.wait() == 1, process.words()
        (line,) = process.logged
    finally:
        process.end()
    assert " is of a newer version than this program (it has 9999_later): " in line

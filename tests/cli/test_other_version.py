"""The shell where a database is of another version than the program."""

import pytest

from tests.serving import Serving

pytestmark = pytest.mark.layouts("sqlite", "postgres")

LATER = (
    "INSERT INTO django_migrations (app, name, applied) "
    "VALUES (?, '9999_later', '2026-11-22 10:00:00')"
)
WHY = ("--reason", "another")
MONEY = (
    ("fund", "Contoso", "5", *WHY),
    ("grant", "give", "Contoso", "5", *WHY),
    ("purchase", "start", "Contoso", "5", "--method", "1"),
    ("refund", "start", "Contoso", "1", "5", *WHY),
    ("take-back", "Contoso", "1", "5", *WHY),
    ("post-statement", "pay", "Contoso", "2026-11", "5", "--note", "bank 9"),
)
"""What moves money under an idempotency key."""
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


@pytest.mark.parametrize("kind", ["control_plane", "cell"])
def test_money_that_cannot_have_moved_is_not_said_to_have_perhaps(shell, store, contoso, kind):
    control = store.control()
    counted = "SELECT id, amount_micros FROM given_alone ORDER BY id"
    before = control.rows(counted)
    (store.cell() if kind == "cell" else control).run(LATER, [kind])
    for arguments in MONEY:
        assert shell.error(*arguments, "--actor", "operator") == (
            "the database is of a newer version than this program (it has 9999_later): "
            "start the newer program"
        )
    assert control.rows(counted) == before


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

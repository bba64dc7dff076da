"""The directory against the wallets. Mirrors src/talktime/operations/check_directory.py."""

from itertools import count

import pytest

from talktime.operations.check_directory import check_directory
from talktime.operations.fund import fund
from talktime.operations.organisations import create_organisation

NOW_MS = 1_795_428_000_000


@pytest.fixture
def control(store):
    return store.control()


@pytest.fixture
def cells(store):
    return {name: store.cell(name) for name in store.cells}


@pytest.fixture
def funded(control, cells):
    """Two organisations in the first cell and one in the last, with money."""
    next_id = count(100).__next__
    made = []
    for name, cell in (("Contoso", 0), ("Fabrikam", 0), ("Northwind", -1)):
        made.append(
            create_organisation(
                *(control, cells),
                name=name,
                cell=[*cells][cell],
                currency="USD",
                time_zone="UTC",
                country="US",
                rate_card="standard",
                now_ms=NOW_MS,
                next_id=next_id,
            )
        )
        fund(
            *(cells[made[-1].cell], made[-1]),
            amount_micros=5_000_000,
            reason="a test",
            actor="test",
            idempotency_key="first",
            now_ms=NOW_MS,
            next_id=next_id,
        )
    return made


def found_in(control, cells):
    """What does not hold: the organisation and the words, over all cells."""
    found = []
    for name, cell in cells.items():
        checked = check_directory(control, cell, name, lambda: NOW_MS)
        assert checked.broken == len(checked.findings)
        found += [
            (each.organisation_id, each.words.partition(": ")[2]) for each in checked.findings
        ]
    return found


def run(connection, statement, *values):
    with connection.transaction():
        assert connection.run(statement, values) == 1


def test_a_directory_and_its_wallets_belong_together(control, cells, funded):
    assert found_in(control, cells) == []


def test_a_wallet_that_was_lost_is_named(control, cells, funded):
    contoso, *_ = funded
    run(cells[contoso.cell], "DELETE FROM wallet WHERE organisation_id = ?", contoso.id)
    words = "the directory has it in this cell, which has no wallet of it"
    assert found_in(control, cells) == [(contoso.id, words)]


def test_a_wallet_with_money_that_nobody_knows_is_named(control, cells, funded):
    _, fabrikam, _ = funded
    run(control, "DELETE FROM organisation WHERE id = ?", fabrikam.id)
    words = "it has a wallet with money, and the directory does not know it"
    assert found_in(control, cells) == [(fabrikam.id, words)]


def test_a_wallet_in_another_currency_is_named(control, cells, funded):
    contoso, *_ = funded
    run(control, "UPDATE organisation SET currency = 'EUR' WHERE id = ?", contoso.id)
    words = "the wallet is in USD, the directory says EUR"
    assert found_in(control, cells) == [(contoso.id, words)]


@pytest.mark.layouts("sqlite-cells", "postgres-cells", "postgres-servers")
def test_a_wallet_in_another_cell_than_the_directory_says_is_named_in_both(control, cells, funded):
    contoso, *_ = funded
    run(control, "UPDATE organisation SET cell = 'north' WHERE id = ?", contoso.id)
    assert found_in(control, cells) == [
        (contoso.id, "it has a wallet with money here, and the directory has it in north"),
        (contoso.id, "the directory has it in this cell, which has no wallet of it"),
    ]


def test_an_empty_wallet_of_an_organisation_that_was_not_made_is_no_finding(store, control, cells):
    store.add_wallet(42)
    assert found_in(control, cells) == []


def test_an_organisation_made_while_the_check_reads_is_no_finding(store, control, cells, funded):
    """It is not in the directory's list that was read, and in the cell that is read afterwards."""
    contoso, *_ = funded

    class ReadEarly:
        """The directory, whose list was read before the organisation was there."""

        def reading(self):
            return control.reading()

        def rows(self, statement, values=()):
            rows = control.rows(statement, values)
            if "WHERE cell = ?" in statement:
                return [each for each in rows if each[0] != contoso.id]
            return rows

    assert found_in(ReadEarly(), cells) == []

"""What is kept of the books from one batch to the next: current, or not used; never of a batch that
failed."""

from collections.abc import Iterator
from itertools import count

import pytest

from talktime.core.calls import OPEN
from talktime.core.commands import Command
from talktime.core.outcomes import Granted, Refused, Settled
from talktime.operations.execute import Done, execute
from talktime.store.database import Both, Connection, Outage
from talktime.store.kept import Kept
from tests.commands import NOW_MS, SWITCH, authorize, extend, fund, settle
from tests.kept_check import differences
from tests.stores import Store

BOTH = pytest.mark.layouts("sqlite", "postgres")


class Stop(Exception):
    """What ends a transaction."""


class Counting:
    """A connection that notes which tables are read."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.read: list[str] = []

    def rows_of_all(self, queries):
        self.read += [_table(statement) for statement, _ in queries]
        return self.connection.rows_of_all(queries)

    def rows(self, statement, params=()):
        self.read.append(_table(statement))
        return self.connection.rows(statement, params)

    def __getattr__(self, name: str):
        return getattr(self.connection, name)


def _table(statement) -> str:
    text = statement.sqlite if isinstance(statement, Both) else statement
    for name in ("wallet", "lot", "call", "meter", "answer"):
        if f" {name} " in f"{text} ":
            return name
    return text


class Writer:
    """One connection with what it keeps."""

    ids: Iterator[int] = count(1_000)

    def __init__(self, store: Store) -> None:
        self.connection = Counting(store.cell())
        self.kept = Kept()

    def write(self, *commands: Command, fails: bool = False) -> list[Done]:
        """One batch, committed; or taken back."""
        self.connection.read.clear()
        with self.connection.transaction():
            done = execute(self.connection, commands, NOW_MS, Writer.ids.__next__, kept=self.kept)
            if fails:
                raise Stop
        self.kept.committed()
        return done

    def faults(self) -> list[tuple[object, object]]:
        """Whatever is kept and not so."""
        return differences(self.kept, self.connection.connection)


@pytest.fixture
def writer(store: Store) -> Writer:
    store.add_wallet(1)
    store.add_wallet(2)
    writer = Writer(store)
    writer.write(fund(1_000_000), fund(1_000_000, organisation_id=2))
    return writer


@BOTH
def test_what_is_kept_is_not_read_again(writer: Writer):
    locks = ["wallet"] if writer.connection.dialect == "postgres" else []
    writer.write(authorize("C1", 0))
    assert writer.connection.read == [*locks, "call", "meter"]
    writer.write(authorize("C2", 0))
    assert writer.connection.read == [*locks, "call"]
    [done] = writer.write(extend("C1", 1, 60, organisation_id=1))
    assert isinstance(done.outcome, Granted)
    assert writer.connection.read == locks
    [done] = writer.write(settle("C1", 2, 61, organisation_id=1))
    assert isinstance(done.outcome, Settled)
    assert writer.connection.read == locks
    assert writer.faults() == []
    assert list(writer.kept.books[1].calls) == [(SWITCH, "C2")]


@pytest.mark.layouts("sqlite")
def test_once_somebody_else_has_written_anything_each_version_is_read_once(
    store: Store, writer: Writer
):
    other = Writer(store)
    other.write(fund(1_000_000, key="other", organisation_id=2))
    for organisation_id in (1, 2):
        for number in range(2):
            call = f"C{organisation_id}{number}"
            [done] = writer.write(authorize(call, 0, organisation_id=organisation_id))
            assert isinstance(done.outcome, Granted)
            read = [table for table in writer.connection.read if table not in ("call", "meter")]
            changed = ["wallet", "wallet", "lot"] if organisation_id == 2 else ["wallet"]
            assert read == ([] if number else changed)
    assert done.outcome.available_micros == 2_000_000 - 2 * 75_000
    assert writer.faults() == []


@BOTH
def test_what_somebody_else_has_changed_is_read_again(store: Store, writer: Writer):
    """Another process may have closed the call, and taken the money."""
    writer.write(authorize("C1", 0), authorize("C2", 0))
    other = Writer(store)
    [closed] = other.write(settle("C1", 1, 61, organisation_id=1))
    assert isinstance(closed.outcome, Settled)
    [refused] = writer.write(extend("C1", 1, 60, organisation_id=1))
    assert isinstance(refused.outcome, Refused)
    assert refused.outcome.refusal.code in ("call_settled", "sequence_reused")
    assert writer.connection.read[:4] == ["wallet", "wallet", "lot", "call"]
    [done] = writer.write(settle("C2", 1, 61, organisation_id=1))
    assert isinstance(done.outcome, Settled)
    assert done.outcome.charge_micros == closed.outcome.charge_micros
    assert done.outcome.available_micros == 1_000_000 - 2 * closed.outcome.charge_micros
    assert writer.faults() == []


@BOTH
def test_each_change_by_somebody_else_counts_the_version_up(store: Store, writer: Writer):
    """Of a call alone, too, where no money moves."""
    writer.write(authorize("C1", 0))
    before = writer.kept.books[1].wallet.version
    other = Writer(store)
    other.write(extend("C1", 1, 0, organisation_id=1))
    other.write(extend("C1", 2, 0, organisation_id=1))
    writer.write(extend("C1", 3, 0, organisation_id=1))
    assert writer.kept.books[1].wallet.version == before + 3
    assert writer.faults() == []


@BOTH
def test_of_a_batch_that_failed_nothing_is_kept(writer: Writer):
    writer.write(authorize("C1", 0))
    with pytest.raises(Stop):
        writer.write(settle("C1", 1, 61, organisation_id=1), fails=True)
    assert 1 not in writer.kept.books
    [done] = writer.write(extend("C1", 1, 60, organisation_id=1))
    assert isinstance(done.outcome, Granted)
    assert writer.faults() == []


@BOTH
def test_nothing_is_kept_before_the_commit(writer: Writer):
    writer.write(authorize("C1", 0))
    with writer.connection.transaction():
        command = extend("C1", 1, 60, organisation_id=1)
        execute(writer.connection, [command], NOW_MS, Writer.ids.__next__, kept=writer.kept)
        assert 1 not in writer.kept.books
    writer.kept.committed()
    assert writer.kept.books[1].calls[SWITCH, "C1"].last_sequence == 1


@BOTH
def test_a_call_id_of_somebody_else_is_refused_and_the_call_not_kept(writer: Writer):
    writer.write(authorize("C1", 0, organisation_id=2))
    [refused] = writer.write(authorize("C1", 1))
    assert isinstance(refused.outcome, Refused)
    assert writer.kept.books[1].calls == {}
    assert writer.kept.books[2].calls[SWITCH, "C1"].organisation_id == 2
    assert writer.faults() == []


@BOTH
def test_a_lot_that_is_spent_is_not_kept(store: Store, writer: Writer):
    store.add_wallet(3)
    writer.write(fund(15_000, organisation_id=3), fund(15_000, "F2", organisation_id=3))
    for number, left in enumerate((["F2"], [])):
        call = f"C{number}"
        writer.write(authorize(call, 0, organisation_id=3, requested_s=60))
        assert len(writer.kept.books[3].wallet.lots) == len(left) + 1
        writer.write(settle(call, 1, 60, organisation_id=3))
        assert [lot.idempotency_key for lot in writer.kept.books[3].wallet.lots] == left
        assert writer.faults() == []


@pytest.mark.layouts("sqlite")
def test_what_is_kept_is_bounded(store: Store):
    """Organisations by who was asked about last; one that has more rows than may be keeps its
    wallet alone."""
    writer = Writer(store)
    writer.kept = Kept(organisations_max=3, rows_max=10)
    for number in range(1, 6):
        store.add_wallet(number)
        writer.write(fund(10**9, organisation_id=number))
    assert list(writer.kept.books) == [3, 4, 5]
    writer.write(authorize("A", 0, organisation_id=3))
    writer.write(fund(10**6, "F2", organisation_id=1))
    assert list(writer.kept.books) == [5, 3, 1]
    writer.write(*(authorize(f"B{n}", 0, organisation_id=5) for n in range(4)))
    assert len(writer.kept.books[5].calls) == 4
    writer.write(authorize("B5", 0, organisation_id=5))
    assert writer.kept.books[5].rows == 0
    [done] = writer.write(extend("B1", 1, 60, organisation_id=5))
    assert isinstance(done.outcome, Granted)
    for number in (1, 3):
        writer.write(*(authorize(f"D{number}{n}", 0, organisation_id=number) for n in range(4)))
    assert sum(books.rows for books in writer.kept.books.values()) <= 10
    assert all(c.state == OPEN for b in writer.kept.books.values() for c in b.calls.values())
    assert writer.faults() == []


@BOTH
def test_a_process_of_an_earlier_version_finds_a_database_of_another_one(store: Store):
    """It would change books without counting their version up."""
    before = (
        "SELECT organisation_id, low_micros FROM wallet "
        "WHERE organisation_id = ANY(?) ORDER BY organisation_id FOR UPDATE"
    )
    connection = store.cell()
    with pytest.raises(Outage), connection.transaction():
        connection.rows(before, [[1]])

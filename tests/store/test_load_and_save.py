"""What is saved is what is loaded again. Mirrors src/talktime/store/load.py and save.py."""

from dataclasses import fields, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talktime.core.books import Books, Terms
from talktime.core.commands import Command
from talktime.core.decide import decide
from talktime.operations.execute import execute
from talktime.store.database import Connection
from talktime.store.load import load
from talktime.store.save import RowsMissing, save
from tests.books_check import proven
from tests.commands import (
    GERMANY_WITH_FEE,
    NOW_MS,
    UNIT,
    authorize,
    expire_hold,
    expire_lots,
    extend,
    fund,
    settle,
)
from tests.served import rows_of_books
from tests.stores import Store

BOTH = pytest.mark.layouts("sqlite", "postgres")
FLAGS = {"changed", "new", "restarted", "lots"}
# Whatever a switch or a person may write: all but what a database cannot hold.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
)
NASTY = 'a "quoted" \\back\\slash {brace} NULL, comma\ttab\nline é 日本 \u00a0 \x7f \U0001f4de'


class Cell:
    """One cell with wallet 1, and ids that count up."""

    def __init__(self, store: Store) -> None:
        self.connection: Connection = store.cell()
        self.next_id = count(1001).__next__
        store.add_wallet(1, cell="main")

    def do(self, *commands: Command, at_s: int = 0) -> Any:
        """Execute a batch in its transaction; what came of the last command."""
        now_ms = NOW_MS + at_s * 1000
        with self.connection.transaction():
            return execute(self.connection, list(commands), now_ms, self.next_id)[-1]

    def load(self, *commands: Command) -> Books:
        """The books as they stand."""
        return load(self.connection, list(commands), self.next_id, Terms(), lock=False)


def facts(thing: Any) -> dict[str, Any]:
    """Everything about a row but what tells the save what to do."""
    return {f.name: getattr(thing, f.name) for f in fields(thing) if f.name not in FLAGS}


@BOTH
def test_books_are_loaded_as_they_were_saved(store: Store):
    """Every figure of wallet, lots, calls; what was decided in memory is what the rows say."""
    books = Cell(store)
    books.do(fund(90_000, "F1"), fund(UNIT, "F2", promotional=True, priority=3))
    batch: list[Command] = [
        authorize("C1", rate=GERMANY_WITH_FEE),
        authorize("C2"),
        extend("C1", 1, 290),
        settle("C2", 1, 61),
        authorize("C3"),
        expire_hold("C3"),
    ]
    connection = books.connection
    with connection.transaction():
        decided = load(connection, batch, books.next_id, Terms())
        for command in batch:
            decide(decided, command, NOW_MS)
        for answer in decided.new_answers:
            answer.status, answer.body = 200, "{}"
        save(connection, decided, NOW_MS)
    loaded = books.load(*batch)
    assert facts(loaded.wallets[1]) == facts(decided.wallets[1])
    assert [facts(lot) for lot in loaded.wallets[1].lots] == [
        facts(lot) for lot in decided.wallets[1].lots
    ]
    assert {key: facts(call) for key, call in loaded.calls.items()} == {
        key: facts(call) for key, call in decided.calls.items()
    }
    assert {key: replace(answer, outcome=None) for key, answer in decided.answers.items()} == (
        loaded.answers
    )


@BOTH
def test_a_batch_loads_nothing_of_others(store: Store):
    books = Cell(store)
    store.add_wallet(2, cell="main")
    books.do(fund(UNIT), fund(UNIT, organisation_id=2), authorize("C1"))
    books.do(authorize("C2", organisation_id=2))
    loaded = books.load(extend("C1"))
    assert list(loaded.wallets) == [1]
    assert [key for _, key in loaded.calls] == ["C1"]
    assert [lot.organisation_id for lot in loaded.wallets[1].lots] == [1]


@BOTH
def test_a_command_that_does_not_say_whose_call_it_is_is_told(store: Store):
    books = Cell(store)
    books.do(fund(UNIT), authorize("C1"))
    unknown, known = settle("C9", organisation_id=None), settle("C1", organisation_id=None)
    books.load(unknown, known)
    assert (unknown.organisation_id, known.organisation_id) == (None, 1)


@BOTH
def test_a_call_set_up_and_ended_in_one_batch_is_found_without_its_owner(store: Store):
    books = Cell(store)
    done = books.do(fund(UNIT), authorize("C1"), settle("C1", 1, 61, None))
    assert done.outcome.charge_micros == 30_000


@BOTH
def test_spent_lots_are_loaded_for_a_late_report_that_gives_back(store: Store):
    books = Cell(store)
    books.do(fund(75_000), authorize(), extend(used_s=300))
    books.do(expire_hold(), at_s=10_000)
    assert books.load(expire_lots()).wallets[1].lots == []
    books.do(settle(sequence=2, used_s=60), at_s=10_001)
    (lot,) = books.load(expire_lots()).wallets[1].lots
    assert (lot.amount_micros, lot.remaining_micros) == (75_000, 60_000)
    proven(books.connection)


@BOTH
def test_a_call_id_of_another_organisation_is_refused_and_not_taken_twice(store: Store):
    """In a batch of its own, where the first organisation's wallet is not loaded."""
    books = Cell(store)
    store.add_wallet(2, cell="main")
    books.do(fund(UNIT), fund(UNIT, organisation_id=2), authorize("C1"))
    before = rows_of_books(store)
    other = authorize("C1", 1, organisation_id=2)
    assert books.do(other).outcome.refusal.code == "call_id_taken"
    other = authorize("C1", 0, organisation_id=2)
    assert books.do(other).outcome.refusal.code == "sequence_reused"
    assert rows_of_books(store) == before


@BOTH
def test_a_corrected_authorize_is_stored_as_corrected(store: Store):
    books = Cell(store)
    books.do(authorize("C1"))
    books.do(fund(UNIT))
    corrected = authorize("C1", 1, rate=GERMANY_WITH_FEE, to_digits="4930999999")
    books.do(corrected)
    (call,) = books.load(corrected).calls.values()
    assert (call.to_digits, call.rate) == ("4930999999", GERMANY_WITH_FEE)
    books.do(settle("C1", 2, 1))
    proven(books.connection)


def settle_while_rows_vanish(books: Cell, deletion: str) -> None:
    """Settle C1, with a deletion after the books were loaded."""
    connection, command = books.connection, settle("C1", 1, 61)
    with connection.transaction():
        decided = load(connection, [command], books.next_id, Terms())
        decide(decided, command, NOW_MS)
        for answer in decided.new_answers:
            answer.status, answer.body = 200, "{}"
        connection.run(deletion)
        save(connection, decided, NOW_MS)


@BOTH
@pytest.mark.parametrize("table", ["wallet", "lot", "call"])
def test_a_row_that_is_not_there_to_change_stops_the_transaction(store: Store, table: str):
    books = Cell(store)
    books.do(fund(UNIT), authorize("C1"))
    before = rows_of_books(store)
    with pytest.raises(RowsMissing, match="rows bound, 0 touched"):
        settle_while_rows_vanish(books, f'DELETE FROM "{table}"')
    assert rows_of_books(store) == before


@BOTH
def test_any_text_comes_back_as_it_was_written(store: Store):
    books = Cell(store)
    books.do(fund(UNIT, "first"))
    numbers = count(1)

    @settings(max_examples=40)
    @given(st.lists(TEXTS, min_size=2, max_size=2, unique=True), TEXTS)
    def check(texts: list[str], cause: str) -> None:
        number = next(numbers)
        keys = [f"{number} {text}" for text in texts]
        fundings = [replace(fund(5, key), reason=cause, actor=key) for key in keys]
        books.do(*fundings, *[authorize(key) for key in keys])
        books.do(*[replace(settle(key, 1, 1), cause=cause) for key in keys])
        loaded = books.load(*fundings, *[authorize(key) for key in keys])
        written = {
            (lot.idempotency_key, lot.reason, lot.actor) for lot in loaded.lots_by_key.values()
        }
        assert written == {(key, cause, key) for key in keys}
        assert {key for _, key in loaded.calls} == set(keys)
        assert len(loaded.answers) == 4

    check()
    books.do(fund(UNIT, NASTY), authorize(NASTY), replace(settle(NASTY, 1, 1), cause=NASTY))
    causes = books.connection.rows("SELECT cause FROM usage_record WHERE call_key = ?", [NASTY])
    assert causes == [(NASTY,)]
    proven(books.connection)

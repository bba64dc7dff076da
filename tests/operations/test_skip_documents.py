"""Numbers that no document gets. Mirrors src/talktime/operations/skip_documents.py."""

import pytest

from talktime.core.limits import DOCUMENTS_SKIPPED_MAX
from talktime.core.refusal import Refusal
from talktime.operations.check_books import check_books
from talktime.operations.skip_documents import Skipped, skip_documents
from tests.contents import cell_contents
from tests.operations.test_documents import issued

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_795_000_000_000
GAPS = "SELECT first_number, last_number, reason, actor, at_ms FROM document_gap"


@pytest.fixture
def cell(store):
    """A cell with two documents."""
    cell = store.cell()
    for document_id in (100, 101):
        issued(cell, 7, document_id)
    return cell


def skip(cell, number, **said):
    with cell.transaction():
        asked = {"reason": "restored", "actor": "operator", "now_ms": NOW_MS} | said
        return skip_documents(cell, "main", number, **asked)


def gaps_found(cell):
    """What `document_numbers` finds."""
    found = check_books(cell, lambda: NOW_MS).findings
    return [each.ids for each in found if each.check == "document_numbers"]


def test_the_next_document_has_the_number_that_was_said_and_the_gap_is_written_down(cell):
    assert skip(cell, 1000) == Skipped(3, 997, "restored")
    assert cell.rows(GAPS) == [(3, 999, "restored", "operator", NOW_MS)]
    assert gaps_found(cell) == []
    assert [issued(cell, 7, each).number for each in (102, 103)] == [1000, 1001]
    assert skip(cell, 1003) == Skipped(1002, 1, "restored")
    assert issued(cell, 7, 104).number == 1003
    assert gaps_found(cell) == []


def test_asking_again_changes_nothing(cell):
    skip(cell, 1000)
    before = cell_contents(cell)
    assert skip(cell, 1000) == Skipped(1000, 0, "restored")
    assert cell_contents(cell) == before


@pytest.mark.parametrize("number", [0, 1, 2, 4 + DOCUMENTS_SKIPPED_MAX])
def test_a_number_that_was_given_or_is_far_ahead_is_refused(cell, number):
    before = cell_contents(cell)
    detail = "the next document can have a number from MAIN-000003 to MAIN-1000003"
    assert skip(cell, number) == Refusal("invalid_value", detail)
    assert cell_contents(cell) == before


def test_a_gap_needs_its_reason(cell):
    refused = skip(cell, 1000, reason="")
    assert isinstance(refused, Refusal)
    assert cell.rows(GAPS) == []


def test_a_document_that_is_lost_beside_a_gap_is_found(cell):
    skip(cell, 1000)
    issued(cell, 7, 102)
    issued(cell, 7, 103)
    with cell.transaction():
        trigger = "DROP TRIGGER document_no_delete"
        cell.run(trigger if cell.dialect == "sqlite" else f"{trigger} ON document")
        cell.run("DELETE FROM document WHERE number = 1000")
    assert gaps_found(cell) == [(0,), (103,)]

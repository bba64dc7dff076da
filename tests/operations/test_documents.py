"""Documents are issued without gaps and never change. Mirrors operations/documents.py."""

import pytest

from talktime.core.directory import Organisation
from talktime.core.documents import Buyer, Line, Seller, statement_of_month
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import buyer_of, set_billing_profile
from talktime.operations.documents import (
    find_any_document,
    find_document,
    issue,
    list_documents,
)

pytestmark = pytest.mark.layouts("sqlite", "postgres")

SELLER, BUYER = Seller("Fabrikam"), Buyer("contoso.example", "Contoso")
FACTS = statement_of_month(
    "2026-11", "USD", [Line("Germany", 1, 15_000, 60)], SELLER, BUYER, "UTC", 9
)
NOW_MS = 1_795_000_000_000


def organisation(number=7):
    return Organisation(
        number, "contoso.example", "main", "USD", "UTC", "US", "prepaid", True, "standard"
    )


@pytest.fixture
def cell(store):
    return store.cell()


def issued(cell, organisation_id, document_id):
    with cell.transaction():
        return issue(cell, organisation_id, FACTS, now_ms=NOW_MS, next_id=lambda: document_id)


def test_numbers_count_up_over_all_organisations(cell):
    numbers = [issued(cell, 7 + each % 2, 100 + each).number for each in range(5)]
    assert numbers == [1, 2, 3, 4, 5]
    assert [each.number for each in list_documents(cell, organisation())] == [5, 3, 1]
    assert [each.number for each in list_documents(cell, organisation(), before=5)] == [3, 1]
    assert [each.number for each in list_documents(cell, organisation(), limit=2)] == [5, 3]


def test_a_document_that_fails_leaves_no_gap(cell):
    issued(cell, 7, 100)
    with pytest.raises(Exception, match=r"(?i)unique"):
        issued(cell, 7, 100)
    assert issued(cell, 7, 101).number == 2


def test_a_document_is_read_back_as_it_was_issued(cell):
    made = issued(cell, 7, 100)
    assert find_document(cell, 7, 1) == made
    assert find_any_document(cell, 1) == made
    assert made.facts == FACTS


def test_another_organisations_document_is_not_found(cell):
    issued(cell, 7, 100)
    refusal = Refusal("unknown_document", "no document has the number 1")
    assert find_document(cell, 8, 1) == refusal
    assert find_any_document(cell, 2) == refusal._replace(detail="no document has the number 2")


def test_lines_that_do_not_add_up_are_not_issued(cell):
    with pytest.raises(ValueError, match="15000 micros in the lines"), cell.transaction():
        issue(cell, 7, FACTS._replace(amount_micros=1), now_ms=NOW_MS, next_id=lambda: 100)
    assert list_documents(cell, organisation()) == []


def test_a_buyer_is_the_organisation_until_a_profile_is_set(cell):
    assert buyer_of(cell, organisation()) == Buyer("contoso.example", "contoso.example")
    with cell.transaction():
        made = set_billing_profile(
            cell,
            organisation(),
            legal_name="Contoso Ltd",
            address=" 1 Main Street\r\n\n London ",
            tax_id="",
        )
    assert made == Buyer("contoso.example", "Contoso Ltd", "1 Main Street\nLondon", "")
    assert buyer_of(cell, organisation()) == made


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"legal_name": ""}, "the legal name must be 1 to 200 printable characters"),
        ({"address": "a\x07"}, "each line of the address must be 1 to 500 printable characters"),
        ({"address": "a\n" * 400}, "the address must be at most 500 characters"),
        ({"tax_id": "x" * 65}, "the tax id must be 1 to 64 printable characters"),
    ],
)
def test_a_profile_that_cannot_be_printed_is_refused(cell, given, detail):
    asked = {"legal_name": "Contoso", "address": "", "tax_id": "", **given}
    with cell.transaction():
        refusal = set_billing_profile(cell, organisation(), **asked)
    assert refusal.code == "invalid_value"
    assert refusal.detail.startswith(detail)
    assert buyer_of(cell, organisation()).legal_name == "contoso.example"

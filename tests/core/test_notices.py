"""Notices are made with the facts of their kind. Mirrors src/talktime/core/notices.py."""

import pytest

from talktime.core.notices import KINDS, Notice, WrongFacts, notice

ZERO = {"currency": "EUR", "balance_micros": -5}


def test_a_notice_holds_what_it_was_made_of():
    made = notice(7, "balance.zero", "balance.zero:1", 12, **ZERO)
    assert made == Notice(7, "balance.zero", "balance.zero:1", 12, ZERO)


@pytest.mark.parametrize(
    ("kind", "key", "facts", "words"),
    [
        ("balance.nil", "k", ZERO, "there is no kind of notice 'balance.nil'"),
        ("balance.zero", "", ZERO, "balance.zero: a key has 1 to 200 characters, this 0"),
        ("balance.zero", "k" * 201, ZERO, "balance.zero: a key has 1 to 200 characters, this 201"),
        ("balance.zero", "k", {**ZERO, "more": 1}, "balance.zero: more is no fact of it"),
        ("balance.zero", "k", {"currency": "EUR"}, "balance.zero: balance_micros is missing"),
        (
            "balance.zero",
            "k",
            {**ZERO, "balance_micros": None},
            "balance.zero: balance_micros may not be None",
        ),
        (
            "balance.zero",
            "k",
            {**ZERO, "balance_micros": "5"},
            "balance.zero: balance_micros is '5', which is no int",
        ),
        (
            "balance.zero",
            "k",
            {**ZERO, "balance_micros": True},
            "balance.zero: balance_micros is True, which is no int",
        ),
        (
            "balance.zero",
            "k",
            {**ZERO, "currency": 5},
            "balance.zero: currency is 5, which is no str",
        ),
    ],
)
def test_a_notice_with_other_facts_than_its_kind_has_is_a_bug(kind, key, facts, words):
    with pytest.raises(WrongFacts) as raised:
        notice(7, kind, key, 12, **facts)
    assert str(raised.value) == words


def test_a_fact_that_may_lack_may_be_none_and_must_still_be_named():
    facts = {
        "payment_id": 1,
        "amount_micros": 5,
        "currency": "EUR",
        "po_number": None,
        "reference": "1",
        "bank": None,
        "given_up_ms": 5,
        "document_number": None,
    }
    assert notice(7, "purchase.invoiced", "k", 12, **facts).facts["po_number"] is None
    del facts["po_number"]
    with pytest.raises(WrongFacts):
        notice(7, "purchase.invoiced", "k", 12, **facts)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_each_kind_goes_to_the_admin_and_names_each_fact_once(kind):
    assert "admin" in kind.roles
    assert len(set(kind.facts)) == len(kind.facts)
    assert set(kind.may_lack) <= set(kind.facts)
    assert len(kind.name) <= 64

"""Every mail's button leads to a page of the console. Mirrors operations/notice_said.py."""

import pytest
from django.urls import resolve

from talktime.core.notices import KINDS
from talktime.operations.notice_said import PLACES
from talktime.operations.notice_words import page_of
from tests.operations.test_notice_words import example, variants

NAMES = {
    "recharge.succeeded": {"payment"},
    "recharge.failed": {"methods", "add-funds"},
    "recharge.paused": {"recharge"},
    "recharge.no_card": {"methods"},
    "purchase.succeeded": {"payment", "lots"},
    "purchase.failed": {"add-funds"},
    "purchase.invoiced": {"payment"},
    "purchase.reminded": {"payment"},
    "balance.zero": {"add-funds"},
    "balance.low": {"add-funds"},
    "lot.expiring": {"lots"},
    "lot.expired": {"lots"},
    "card.expiring": {"methods"},
    "pool.warning": {"credits"},
    "spend_limit.reached": {"organisation"},
    "model.changed": {"organisation"},
    "grant.added": {"lots"},
    "refund.done": {"credits", "add-funds"},
    "credits.taken_back": {"lots", "add-funds"},
    "dispute.opened": {"credits"},
    "dispute.won": {"credits"},
    "dispute.lost": {"add-funds"},
    "webhook.disabled": {"webhook"},
    "notice.test": {"notices"},
    "notices.digest": {"notices"},
}
STATEMENT = {"invoices"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mails_button_leads_to_the_page_it_is_about(kind):
    pages = [page_of(example(kind, **facts)) for facts in ({}, *variants(kind))]
    found = {resolve(f"/organisations/7/{page}").url_name for page in pages}
    assert found == NAMES.get(kind, STATEMENT if kind.startswith("statement.") else None)


def test_every_place_is_of_a_kind_that_there_is():
    assert {place.partition("/")[0] for place in PLACES} | {"model.changed"} == set(KINDS)

"""Publishing rates in steps. Mirrors src/talktime/operations/rate_drafts.py."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from talktime.operations.import_rates import ImportReport
from talktime.operations.rate_drafts import Upload, keep_draft, publish_again, publish_draft
from talktime.store.rate_drafts import draft_of_id
from talktime.store.rates import versions_of

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_700_000_000_000
next_id = count(1).__next__


def draft_of(control, price):
    """A draft for card gold, at once."""
    file = f"prefix,destination,price_per_minute\n49,Germany,{price}\n".encode()
    upload = Upload("gold", "USD", "rates.csv", None, file, "first@operator.example")
    return keep_draft(control, upload, now_ms=NOW_MS, next_id=next_id)


def publish(control, draft, versions, after_ms=0):
    """Publish a draft that was compared when the card had so many versions."""
    at_ms = NOW_MS + after_ms
    return publish_draft(control, draft.id, versions=versions, now_ms=at_ms, next_id=next_id)


def versions(control):
    with control.reading():
        return versions_of(control, "gold")


def test_a_draft_is_not_published_over_a_version_that_it_was_not_compared_with(store):
    control = store.control()
    one, two = draft_of(control, "0.01"), draft_of(control, "0.02")
    assert isinstance(publish(control, one, 0), ImportReport)
    assert publish(control, two, 0, 1) is None
    assert len(versions(control)) == 1
    with control.reading():
        assert draft_of_id(control, two.id) == two
    assert isinstance(publish(control, two, 1, 1), ImportReport)
    assert len(versions(control)) == 2


def test_an_earlier_version_is_not_published_over_one_that_it_was_not_compared_with(store):
    control = store.control()
    for number, price in enumerate(("0.01", "0.02")):
        publish(control, draft_of(control, price), number, number)
    first, _second = versions(control)
    when = {"valid_from_ms": NOW_MS + 2, "now_ms": NOW_MS + 2, "next_id": next_id}
    assert publish_again(control, first.id, versions=1, **when) is None
    assert len(versions(control)) == 2
    assert isinstance(publish_again(control, first.id, versions=2, **when), ImportReport)
    assert len(versions(control)) == 3


def test_of_two_drafts_that_are_published_at_once_one_is(store):
    control = store.control()
    for turn in range(5):
        drafts = [draft_of(control, f"0.0{turn}{each}1") for each in range(2)]
        with ThreadPoolExecutor(2) as threads:
            done = [
                threads.submit(publish, store.control(), draft, turn, turn * 2 + each)
                for each, draft in enumerate(drafts)
            ]
        assert sorted(each.result() is None for each in done) == [False, True]
        assert len(versions(control)) == turn + 1

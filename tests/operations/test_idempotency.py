"""What stands for a request. Mirrors src/talktime/operations/idempotency.py."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.operations.idempotency import OWN_KEYS, check_key, request_hash

THINGS = st.one_of(st.text(), st.integers(), st.none(), st.booleans())


@given(st.lists(THINGS))
def test_a_hash_fits_a_column_and_is_the_same_again(asked):
    """R69."""
    assert -(2**63) <= request_hash(*asked) < 2**63
    assert request_hash(*asked) == request_hash(*asked)


def test_other_requests_have_other_hashes():
    """R69: where one thing ends and the next begins matters, and so do kinds."""
    asked = [("ab", "c"), ("a", "bc"), ("abc",), ("1",), (1,), (None,), ("",), (), (True,)]
    assert len({request_hash(*each) for each in asked}) == len(asked)


def test_a_hash_is_the_same_in_another_process():
    """R69: it is kept, and compared by a program that was started since."""
    code = "from talktime.operations.idempotency import request_hash as h; print(h('a', 5, None))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == request_hash("a", 5, None)


def test_text_that_cannot_be_encoded_has_a_hash_too():
    assert request_hash("\ud800") == request_hash("\ud800")


@pytest.mark.parametrize("key", ["", " a", "a" * 201, *(f"{own}7" for own in OWN_KEYS)])
def test_a_key_is_a_text_of_the_callers_own(key: str) -> None:
    """A key of the service's own would let nothing be credited that it is meant for."""
    refusal = check_key(key)
    assert refusal is not None
    assert refusal.code == "invalid_value"

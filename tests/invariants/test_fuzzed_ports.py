"""Damaged messages at every port of a running service for a minute: no crash, no growth, nothing
left open, no charge, and the next good call is granted. As fast as it goes, and with other messages
each time: `python -m tests.fuzz_ports`."""

import pytest

from tests.fuzz_ports import PORTS, fuzzed

pytestmark = pytest.mark.layouts("sqlite")

SECONDS, A_SECOND, SEED = 60, 30, 2865
MESSAGES_MIN = 600  # of some 1,400; a busy machine throws fewer


def test_whatever_is_thrown_at_its_ports_the_service_stands_and_charges_nothing(store):
    with fuzzed(store) as service:
        thrown = service.throw(PORTS, SEED, SECONDS, A_SECOND)
        assert min(thrown.messages.values()) > MESSAGES_MIN

"""Damaged messages at every port of a running service: no crash, no growth, no charge, and the next
good call is granted. For a minute each: `python -m tests.fuzz_ports`."""

import pytest

from tests.fuzz_ports import PORTS, fuzzed

pytestmark = pytest.mark.layouts("sqlite")

SECONDS, SEED = 4, 2865


def test_whatever_is_thrown_at_a_port_the_service_stands_and_charges_nothing(store):
    with fuzzed(store) as service:
        for port in PORTS:
            assert service.throw(port, SEED, SECONDS).messages > 0

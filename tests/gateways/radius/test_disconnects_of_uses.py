"""Of the calls that a session id has named, the client is asked to end the one that it means."""

from dataclasses import replace

import pytest

from talktime.gateways.radius.attributes import Attribute, Status
from tests.gateways.radius.nas import (
    SILENCE_S,
    Nas,
    calls,
    radius_service,
)
from tests.gateways.radius.test_disconnects import BY_THE_SECOND, end
from tests.gateways.radius.test_disconnects import demo as demo
from tests.gateways.radius.test_disconnects import listener as listener
from tests.gateways.radius.test_uses import ask, away, forget, talk
from tests.neighbours import NEIGHBOUR, add_organisation

AFTER_S = 4
"""How long nothing comes where nobody is asked: the alarm of a call of a second is over."""


def is_asked_to_end(listener, within_s=AFTER_S):
    """Whether the client is asked to end the call that it calls c1."""
    request = listener.receive(within_s)
    return request is not None and request[Attribute.ACCT_SESSION_ID] == [b"c1"]


@pytest.mark.layouts("sqlite", "postgres")
def test_the_deadline_of_a_call_that_another_engine_saw_the_end_of_ends_no_other(
    store, demo, listener
):
    store.settings = replace(store.settings, slice_s=1, grace_s=1)
    with radius_service(store, demo) as one, radius_service(store, demo) as other:
        ask(Nas(one), CALLED_STATION_ID=BY_THE_SECOND)
        assert Nas(one).account(Status.START).code == 5
        talk(Nas(other), 1)
        running = ask(Nas(other), CALLED_STATION_ID=BY_THE_SECOND)
        assert not is_asked_to_end(listener)
        assert [each[1] for each in calls(store) if each[0] == running] == ["open"]
        assert Nas(other).account(Status.START).code == 5
        assert is_asked_to_end(listener)  # the running call has its own


@pytest.mark.layouts("sqlite", "postgres")
def test_the_end_of_a_call_that_its_client_has_left_ends_no_other_after_a_restart_of_the_service(
    store, demo, listener
):
    with radius_service(store, demo) as service:
        ask(Nas(service))
        assert Nas(service).account(Status.ACCOUNTING_ON, None).code == 5
        running = ask(Nas(service))
    end(store, "nas-1/c1")
    with radius_service(store, demo):
        assert not is_asked_to_end(listener, 5 * SILENCE_S)
        end(store, running)
        assert is_asked_to_end(listener)


@pytest.mark.layouts("sqlite-cells")
def test_a_call_is_ended_though_an_earlier_one_has_its_key_in_another_cell(store, demo, listener):
    south = add_organisation(store, "south", NEIGHBOUR)
    with radius_service(store, demo) as service:
        service.until(lambda: service.engine.directory.directory.number(NEIGHBOUR[1:]))
        first = ask(Nas(service), CALLING_STATION_ID=NEIGHBOUR)
        talk(Nas(service), 30)
    with radius_service(store, demo) as service:
        with away(store, south.cell):
            assert ask(Nas(service)) == first
        assert Nas(service).account(Status.START).code == 5
        end(store, first)
        assert is_asked_to_end(listener)


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_is_ended_that_has_the_key_of_one_that_was_forgotten(store, demo, listener):
    with radius_service(store, demo) as service:
        first = ask(Nas(service))
        talk(Nas(service), 30)
        assert forget(store) == 1
        assert ask(Nas(service)) == first
        end(store, first)
        assert is_asked_to_end(listener)


@pytest.mark.layouts("sqlite-cells")
def test_a_call_that_is_begun_while_a_cell_is_away_is_not_ended_for_one_there(
    store, demo, listener
):
    south = add_organisation(store, "south", NEIGHBOUR)
    store.settings = replace(store.settings, slice_s=1, grace_s=1)
    numbers = {"CALLING_STATION_ID": NEIGHBOUR, "CALLED_STATION_ID": BY_THE_SECOND}
    with radius_service(store, demo) as service:
        service.until(lambda: service.engine.directory.directory.number(NEIGHBOUR[1:]))
        ask(Nas(service), **numbers)
        talk(Nas(service), 1)
        ask(Nas(service), **numbers)
    assert forget(store, south.cell) == 1
    with radius_service(store, demo) as service:
        assert Nas(service).account(Status.START).code == 5
        with away(store, south.cell):
            assert ask(Nas(service)) == "nas-1/c1"
            talk(Nas(service), 1, Status.INTERIM_UPDATE)
            assert not is_asked_to_end(listener)


@pytest.mark.layouts("sqlite-cells")
def test_while_a_cell_is_away_a_call_of_it_is_ended_whatever_others_know(store, demo, listener):
    """A call that may not go on must not talk for nothing."""
    south = add_organisation(store, "south", NEIGHBOUR)
    store.settings = replace(store.settings, slice_s=1, grace_s=1)
    with radius_service(store, demo) as service:
        service.until(lambda: service.engine.directory.directory.number(NEIGHBOUR[1:]))
        ask(Nas(service))
        talk(Nas(service), 1)
        ask(Nas(service), CALLING_STATION_ID=NEIGHBOUR, CALLED_STATION_ID=BY_THE_SECOND)
        assert Nas(service).account(Status.START).code == 5
        with away(store, south.cell):
            assert is_asked_to_end(listener)

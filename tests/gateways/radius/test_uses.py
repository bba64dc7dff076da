"""Session ids that are used again, at several engines and over restarts, by clients that do not
give Class back: a call is found in the books, whoever was asked for it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from talktime.gateways.radius.attributes import Attribute, Status
from talktime.operations.forget_calls import KEPT_MS, forget_calls
from talktime.operations.sweep import Sweep
from tests.gateways.radius.nas import (
    SILENCE_S,
    Nas,
    add_client,
    calls,
    expire,
    leave,
    radius_service,
    usage,
)
from tests.neighbours import NEIGHBOUR, add_organisation
from tests.served import SOURCES, clock_ms, new_id, rows_of_books, seeded


@pytest.fixture
def demo(store):
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.1")
    return demo


def ask(nas, session="c1", **said):
    """The key of the call that is granted."""
    answer = nas.ask(ACCT_SESSION_ID=session, **said)
    assert answer.code == 2
    nas.class_ = None
    return answer[Attribute.CLASS][0].decode().removeprefix("talktime:")


def talk(nas, used_s, status=Status.STOP, **said):
    assert nas.account(status, ACCT_SESSION_TIME=used_s, **said).code == 5


def forget(store, cell="main"):
    """What is over is forgotten, as it is a week after."""
    return forget_calls(Sweep(store.cell(cell), lambda: clock_ms() + KEPT_MS + 1_000, new_id)).rows


@contextmanager
def away(store, cell):
    """A cell does not answer."""
    path = store.settings.cells[cell].path
    aside = path.with_suffix(".aside")
    store.close()
    path.rename(aside)
    yield
    aside.rename(path)


def is_silent(nas, packet):
    """Whether a packet gets no answer, for nothing could be decided."""
    nas.send(packet)
    return nas.receive(SILENCE_S) is None


@pytest.mark.layouts("postgres", "postgres-cells")
def test_two_engines_that_are_asked_at_once_for_an_old_session_id_grant_one_call(store, demo):
    """A client that asks the second server before the first has answered."""
    with (
        radius_service(store, demo) as one,
        radius_service(store, demo) as other,
        ThreadPoolExecutor(2) as lines,
    ):
        servers = Nas(one), Nas(other)
        ask(servers[0])
        talk(servers[0], 30)
        for number in range(1, 6):
            keys = set(lines.map(ask, servers))
            assert len(keys) == 1
            assert len(calls(store)) == 1 + number
            talk(servers[number % 2], number)
            assert {each[1] for each in calls(store)} == {"settled"}
    assert sorted(each[0] for each in usage(store)) == [1, 2, 3, 4, 5, 30]


@pytest.mark.layouts("sqlite", "postgres", "postgres-cells")
def test_a_call_of_an_old_session_id_is_charged_where_the_service_was_started_anew(store, demo):
    with radius_service(store, demo) as service:
        for used_s in (30, 1):
            ask(Nas(service))
            talk(Nas(service), used_s)
        third = ask(Nas(service))
    with radius_service(store, demo) as service:
        nas = Nas(service)
        assert nas.account(Status.START).code == 5
        talk(nas, 1, Status.INTERIM_UPDATE)
        assert [each[2] for each in calls(store) if each[0] == third] == [1]
    with radius_service(store, demo) as service:
        talk(Nas(service), 2)
        assert sorted(each[0] for each in usage(store)) == [1, 2, 30]
        assert ask(Nas(service)) not in ("nas-1/c1", third)


@pytest.mark.layouts("sqlite", "postgres")
def test_what_comes_late_of_an_earlier_call_is_told_apart_where_the_service_was_started_anew(
    store, demo
):
    with radius_service(store, demo) as service:
        ask(Nas(service))
        talk(Nas(service), 100)
        ask(Nas(service))
    with radius_service(store, demo) as service:
        before = rows_of_books(store)
        talk(Nas(service), 100)  # it talked for longer than the running call
        talk(Nas(service), 0, ACCT_DELAY_TIME=110)
        assert rows_of_books(store) == before
        talk(Nas(service), 2)
    assert sorted(each[0] for each in usage(store)) == [2, 100]


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_is_charged_by_an_engine_whose_clock_is_not_that_of_the_one_that_granted_it(
    store, demo
):
    """By its own clock it was asked for twenty seconds ago, and talks for thirty."""
    behind = SOURCES._replace(clock_ms=lambda: clock_ms() - 20_000)
    with radius_service(store, demo, sources=behind) as one, radius_service(store, demo) as other:
        ask(Nas(one))
        talk(Nas(one), 1)
        running = ask(Nas(one))
        talk(Nas(other), 30)
    assert [each[0] for each in usage(store)] == [1, 30]
    assert (running, "settled") in {each[:2] for each in calls(store)}


@pytest.mark.layouts("sqlite", "postgres")
def test_a_stop_after_the_deadline_is_the_calls_own_where_none_has_its_session_id_since(
    store, demo
):
    with radius_service(store, demo) as service:
        ask(Nas(service))
        expire(store, "nas-1/c1")
    with radius_service(store, demo) as service:
        talk(Nas(service), 30)
    assert [each[0] for each in usage(store)][-1] == 30
    assert len(calls(store)) == 1


@pytest.mark.layouts("sqlite-cells", "postgres-cells")
def test_a_session_id_that_named_a_call_in_another_cell_names_another_call(store, demo):
    """Customers of one client may be in any cell; whoever is asked has to look in all."""
    elsewhere = next(cell for cell in store.cells if cell != "main")
    add_organisation(store, elsewhere, NEIGHBOUR)
    with radius_service(store, demo) as service:
        first = ask(Nas(service))
        talk(Nas(service), 30)
    with radius_service(store, demo) as service:
        other = ask(Nas(service), CALLING_STATION_ID=NEIGHBOUR)
        assert other != first
    with radius_service(store, demo) as service:
        talk(Nas(service), 2)
    assert [each[0] for each in usage(store)] == [30, 2]
    assert {each[:2] for each in calls(store)} == {(first, "settled"), (other, "settled")}


@pytest.mark.layouts("postgres", "postgres-cells")
def test_a_call_is_found_by_an_engine_that_knows_an_earlier_one_as_running(store, demo):
    """It was asked for that one, and another was told that it is over."""
    with radius_service(store, demo) as one, radius_service(store, demo) as other:
        ask(Nas(one))
        assert Nas(one).account(Status.START).code == 5
        talk(Nas(other), 1)
        running = ask(Nas(other))
        talk(Nas(one), 2, Status.INTERIM_UPDATE)
        assert [each[:3] for each in calls(store) if each[0] == running] == [(running, "open", 2)]
        assert not len(one.gateway.disconnects)
        talk(Nas(one), 3)
    assert [each[0] for each in usage(store)] == [1, 3]


@pytest.mark.layouts("sqlite-cells")
def test_one_cell_that_is_away_keeps_nobody_elses_calls_from_being_granted_and_charged(store, demo):
    south = add_organisation(store, "south", NEIGHBOUR)
    with radius_service(store, demo) as service:
        nas, neighbour = Nas(service), Nas(service)
        service.until(lambda: service.engine.directory.directory.number(NEIGHBOUR[1:]))
        ask(nas)
        own = ask(neighbour, "c2", CALLING_STATION_ID=NEIGHBOUR)
        talk(nas, 30)
        with away(store, south.cell):
            for used_s in (3, 2):
                again = ask(nas)
                assert ask(nas) == again  # the same call
                assert nas.account(Status.START).code == 5
                talk(nas, used_s, Status.INTERIM_UPDATE)
                talk(nas, used_s)
            assert ask(nas, "c3") == "nas-1/c3"
            # The cell that is away may have the call, and nobody says that it has none.
            interim = {"ACCT_SESSION_TIME": 4}
            assert is_silent(nas, nas.accounting(Status.INTERIM_UPDATE, "c2", **interim))
            asked = {"CALLING_STATION_ID": NEIGHBOUR, "CALLED_STATION_ID": demo.callee}
            for session in ("c2", "c4"):
                assert is_silent(nas, nas.access(ACCT_SESSION_ID=session, **asked))
        assert ask(neighbour, "c2", CALLING_STATION_ID=NEIGHBOUR) == own
    assert [each[0] for each in usage(store)] == [30, 3, 2]
    assert [each[:2] for each in calls(store) if each[0] == own] == [(own, "open")]


@pytest.mark.layouts("sqlite-cells")
def test_a_call_that_has_the_key_of_one_in_a_cell_that_was_away_is_not_taken_for_that(store, demo):
    south = add_organisation(store, "south", NEIGHBOUR)
    with radius_service(store, demo) as service:
        service.until(lambda: service.engine.directory.directory.number(NEIGHBOUR[1:]))
        key = ask(Nas(service), CALLING_STATION_ID=NEIGHBOUR)
        talk(Nas(service), 30)
    with radius_service(store, demo) as service:
        nas = Nas(service)
        numbers = {"CALLING_STATION_ID": demo.caller, "CALLED_STATION_ID": demo.callee}
        asking = nas.access(ACCT_SESSION_ID="c1", **numbers)
        with away(store, south.cell):
            assert nas.exchange(asking).code == 2
        answer = Nas(service).exchange(asking)
        assert (answer.code, answer[Attribute.CLASS]) == (2, [f"talktime:{key}".encode()])
        assert nas.account(Status.START).code == 5
        [switch] = {peer.switch_id for peer in service.engine.peers.radius_clients()}
        assert not service.gateway.sessions.find(switch, key).over
        talk(nas, 2)
        assert ask(nas) != key
    assert sorted(each[0] for each in usage(store)) == [2, 30]


@pytest.mark.layouts("sqlite-cells")
def test_nobody_is_charged_for_the_call_of_another_whose_cell_is_away(store, demo):
    south = add_organisation(store, "south", NEIGHBOUR)
    with radius_service(store, demo) as service:
        nas, neighbour = Nas(service), Nas(service)
        service.until(lambda: service.engine.directory.directory.number(NEIGHBOUR[1:]))
        ask(nas)
        assert nas.account(Status.ACCOUNTING_ON, None).code == 5
        own = ask(neighbour, CALLING_STATION_ID=NEIGHBOUR)
        stop = neighbour.accounting(Status.STOP, ACCT_SESSION_TIME=1)
        with away(store, south.cell):
            assert is_silent(neighbour, stop)
        assert usage(store) == []
        assert neighbour.exchange(stop).code == 5
    assert {each[:2] for each in calls(store)} == {("nas-1/c1", "open"), (own, "settled")}


@pytest.mark.layouts("sqlite-cells")
def test_a_call_of_before_a_restart_of_its_client_is_not_charged_for_one_that_may_be_elsewhere(
    store, demo
):
    """Another engine was told of the restart; this one has heard of both calls."""
    south = add_organisation(store, "south", NEIGHBOUR)
    with radius_service(store, demo) as one, radius_service(store, demo) as other:
        for service in (one, other):
            service.until(lambda of=service: of.engine.directory.directory.number(NEIGHBOUR[1:]))
        ask(Nas(one))
        assert Nas(one).account(Status.ACCOUNTING_ON, None).code == 5
        own = ask(Nas(one), CALLING_STATION_ID=NEIGHBOUR)
        nas = Nas(other)
        talk(nas, 1, Status.INTERIM_UPDATE)
        with away(store, south.cell):
            assert is_silent(nas, nas.accounting(Status.STOP, ACCT_SESSION_TIME=2))
        talk(nas, 2)
    assert {each[:2] for each in calls(store)} == {("nas-1/c1", "open"), (own, "settled")}


@pytest.mark.layouts("sqlite", "postgres")
def test_a_client_that_names_a_call_by_class_when_it_asks_for_a_new_one_gets_one(store, demo):
    with radius_service(store, demo) as service:
        nas = Nas(service)
        for used_s in (3, 2):
            last = ask(nas)
            talk(nas, used_s)
        new = ask(nas, CLASS=f"talktime:{last}".encode())
        assert len(new) == len(last)
        assert ask(nas) == new
        talk(nas, 1)
    assert [each[0] for each in usage(store)] == [3, 2, 1]


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_is_found_whose_first_of_the_session_id_was_forgotten(store, demo):
    with radius_service(store, demo) as service:
        ask(Nas(service))
        talk(Nas(service), 30)
        running = ask(Nas(service))
        assert forget(store) == 1
        assert ask(Nas(service)) == running
    with radius_service(store, demo) as service:
        assert Nas(service).account(Status.START).code == 5
        talk(Nas(service), 2, Status.INTERIM_UPDATE)
        assert ask(Nas(service)) == running
        talk(Nas(service), 3)
        assert [each[0] for each in usage(store)] == [30, 3]
        assert ask(Nas(service)) not in ("nas-1/c1", running)


@pytest.mark.layouts("sqlite", "postgres")
def test_a_session_id_that_comes_again_after_a_week_is_found_by_whoever_is_told(store, demo):
    with radius_service(store, demo) as service, radius_service(store, demo) as other:
        for used_s in (30, 2):
            ask(Nas(service))
            talk(Nas(service), used_s)
        assert forget(store) == 2
        assert ask(Nas(service)) == "nas-1/c1"
        talk(Nas(other), 1, Status.INTERIM_UPDATE)
        talk(Nas(other), 3)
    assert [each[0] for each in usage(store)] == [30, 2, 3]


@pytest.mark.layouts("sqlite", "postgres")
def test_a_session_id_may_have_been_refused_and_used_however_often(store, demo):
    """Somebody without credits tries again and again."""
    with radius_service(store, demo) as service:
        nas = Nas(service)
        ask(nas)
        talk(nas, 30)
        leave(store, 2)
        for _ in range(300):
            assert nas.ask(ACCT_SESSION_ID="c1").code == 3
        leave(store, 10_000_000)
        for used_s in range(4):
            running = ask(nas)
            talk(nas, used_s)
        assert ask(nas) != running
    with radius_service(store, demo) as service:
        talk(Nas(service), 1, Status.INTERIM_UPDATE)
        talk(Nas(service), 4)
    assert [each[0] for each in usage(store)] == [30, 0, 1, 2, 3, 4]

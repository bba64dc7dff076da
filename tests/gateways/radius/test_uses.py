"""Session ids that are used again, at several engines and over restarts, by clients that do not
give Class back: a call is found in the books, whoever was asked for it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from talktime.gateways.radius.attributes import Attribute, Status
from tests.gateways.radius.nas import Nas, add_client, calls, expire, radius_service, usage
from tests.neighbours import NEIGHBOUR, add_organisation
from tests.served import rows_of_books, seeded


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
        talk(Nas(service), 30)
        ask(Nas(service))
    with radius_service(store, demo) as service:
        before = rows_of_books(store)
        talk(Nas(service), 30)  # it talked for longer than the running call
        talk(Nas(service), 0, ACCT_DELAY_TIME=40)
        assert rows_of_books(store) == before
        talk(Nas(service), 2)
    assert sorted(each[0] for each in usage(store)) == [2, 30]


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

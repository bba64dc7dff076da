"""Connections and threads that are kept from one request to the next: what they leave behind."""

import asyncio
import shutil
import threading
from contextlib import ExitStack

import httpx
import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.core.signals import request_finished, request_started
from django.db import connection as django_connection
from django.db import connections, transaction

from talktime.console.accounts import create_admin
from talktime.console.asgi import application
from talktime.console.cell.models import Wallet
from talktime.console.control_plane.models import Account, Organisation
from talktime.console.databases import let_go, set_up
from talktime.console.kept_connections import KeptConnections
from talktime.console.kept_threads import KeptThreads
from talktime.core.limits import CONSOLE_CONNECTIONS_IDLE_MAX
from talktime.store.database import Outage
from tests.console.conftest import settings_in
from tests.console.rows import insert
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.stores import template_name

WALLETS = "SELECT organisation_id FROM wallet ORDER BY organisation_id"
FORGET_WALLETS = "DELETE FROM wallet"
PAGE = "/organisations/1/"


@pytest.fixture
def keeping():
    """Connections that are kept, closed at the end."""
    kept = KeptConnections()
    yield kept
    kept.close()


@pytest.fixture
def threads():
    """Threads that are kept, ended at the end."""
    kept = KeptThreads()
    yield kept
    kept.close()


@pytest.fixture
def cell(installation):
    """The address of the cell, with one wallet in it."""
    insert(Wallet)
    return installation.cells["main"]


def lent_together(keeping, address, count):
    """The connections that so many get who ask at once."""
    with ExitStack() as held:
        return [held.enter_context(keeping.lent(address)) for _ in range(count)]


def test_a_connection_is_used_again_and_no_two_have_one(keeping, cell):
    first, second = lent_together(keeping, cell, 2)
    assert first is not second
    for _ in range(3):
        assert set(lent_together(keeping, cell, 2)) == {first, second}
        assert lent_together(keeping, cell, 1)[0] in (first, second)


def test_no_more_are_kept_than_the_limit_says(keeping, cell):
    most = CONSOLE_CONNECTIONS_IDLE_MAX
    before = lent_together(keeping, cell, most + 3)
    after = lent_together(keeping, cell, most + 3)
    assert len(set(before) & set(after)) == most


def test_one_that_was_not_used_for_long_is_not_used_again(cell):
    keeping = KeptConnections(idle_s_max=0)
    first, *_ = lent_together(keeping, cell, 1)
    assert lent_together(keeping, cell, 1) != [first]
    keeping.close()


def test_a_transaction_that_was_left_open_is_rolled_back_and_left_to_nobody(keeping, cell):
    with keeping.lent(cell) as careless:
        careless.run("BEGIN")
        assert careless.run(FORGET_WALLETS) == 1
    with keeping.lent(cell) as connection, connection.transaction():
        assert connection is not careless
        assert connection.rows(WALLETS) == [(1,)]
        assert connection.run(FORGET_WALLETS) == 1


def test_what_a_block_raises_leaves_a_connection_that_can_be_used_again(keeping, cell):
    used = []

    def fail():
        with keeping.lent(cell) as connection, connection.transaction():
            used.append(connection)
            connection.run(FORGET_WALLETS)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with keeping.lent(cell) as again, again.reading():
        assert [again] == used
        assert again.rows(WALLETS) == [(1,)]


@pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)
def test_a_snapshot_leaves_the_next_its_own_plans_and_its_right_to_write(keeping, cell):
    shown = "SELECT current_setting('enable_seqscan'), current_setting('transaction_read_only')"
    with keeping.lent(cell) as first:
        with first.snapshot():
            assert first.rows(shown) == [("on", "on")]
        assert first.rows(shown) == [("off", "off")]
    with keeping.lent(cell) as again, again.transaction():
        assert again is first
        assert again.run(FORGET_WALLETS) == 1


@pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)
def test_one_that_broke_is_closed_and_another_takes_its_place(keeping, cell):
    with keeping.lent(cell) as first, keeping.lent(cell) as second:
        [(pid,)] = first.rows("SELECT pg_backend_pid()")
        second.rows("SELECT pg_terminate_backend(?, 5000)", [pid])
        with pytest.raises(Outage), first.reading():
            first.rows(WALLETS)
    assert set(lent_together(keeping, cell, 2)) & {first, second} == {second}


def test_one_that_met_an_outage_is_not_used_again(keeping, cell):
    """Though it still answers: what it is connected to may be a server that cannot write."""

    with keeping.lent(cell) as first:
        with pytest.raises(Outage), first.reading():
            first.rows("SELECT 1 FROM a_table_of_another_version")
        assert first.answers()
    assert lent_together(keeping, cell, 1) != [first]


def test_a_database_that_was_started_again_is_noticed_before_one_is_lent(
    keeping, new_cluster, tmp_path, connections_closed
):
    cluster = new_cluster()
    settings = settings_in(tmp_path, cluster.create_database("near", template_name("postgres")))
    set_up(settings)
    address = settings.cells["main"]
    before = lent_together(keeping, address, 3)
    cluster.stop()
    with pytest.raises(Outage), keeping.lent(address):
        pass
    cluster.start()
    with keeping.lent(address) as connection, connection.reading():
        assert connection not in before
        assert connection.rows(WALLETS) == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_file_that_was_replaced_is_noticed_before_one_is_lent(keeping, cell):
    other = cell.path.with_name("other.sqlite3")
    with keeping.lent(cell) as first, first.transaction():
        assert first.rows(WALLETS) == [(1,)]
    first.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(cell.path, other)
    with keeping.lent(cell) as again, again.transaction():
        assert again is first
        again.run(FORGET_WALLETS)
    other.replace(cell.path)
    for rest in ("-wal", "-shm"):
        cell.path.with_name(cell.path.name + rest).unlink(missing_ok=True)
    with keeping.lent(cell) as connection, connection.reading():
        assert connection is not first
        assert connection.rows(WALLETS) == [(1,)]


def served_pages(*between):
    """The page of the admin who signs in, from the application as it is served; the steps are done
    between one request for it and the next."""
    client = browser()
    sign_in(client)
    cookies = {name: each.value for name, each in client.cookies.items()}
    connections.close_all()

    async def fetch():
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", cookies=cookies
        ) as reader:
            found = [await reader.get(PAGE)]
            for step in between:
                await asyncio.to_thread(step)
                found.append(await reader.get(PAGE))
            return found

    return asyncio.run(fetch())


def test_a_page_is_served_again_as_soon_as_its_database_is_back(
    new_cluster, tmp_path, connections_closed
):
    cluster = new_cluster()
    set_up(settings_in(tmp_path, cluster.create_database("near", template_name("postgres"))))
    insert(Organisation)
    insert(Wallet)
    create_admin(EMAIL, PASSWORD, 1)

    def restart():
        cluster.stop()
        cluster.start()

    pages = served_pages(restart, cluster.stop, cluster.start)
    assert [page.status_code for page in pages] == [200, 200, 503, 200]
    assert "The service is away" in words_of(pages[2])
    let_go()


@pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)
def test_page_after_page_takes_no_more_connections_than_the_first(installation):
    insert(Organisation)
    insert(Wallet)
    create_admin(EMAIL, PASSWORD, 1)
    let_go()
    backends = []

    def count():
        with psycopg.connect(installation.control_plane.url, autocommit=True) as watcher:
            rows = watcher.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
        backends.append(sorted(rows))

    pages = served_pages(count, count, count, count)
    assert [page.status_code for page in pages] == [200] * 5
    # Django's to the control plane, and the store's to it and to the cell.
    assert len(backends[0]) == 3
    assert backends == [backends[0]] * 4
    let_go()


async def thread_of(threads):
    async with threads.lent():
        return await sync_to_async(threading.current_thread)()


def test_a_thread_serves_one_request_after_the_other_and_never_two_at_once(threads):
    async def serve():
        one_by_one = [await thread_of(threads) for _ in range(3)]
        async with threads.lent():
            held = await sync_to_async(threading.current_thread)()
            beside = await asyncio.create_task(thread_of(threads))
        return one_by_one, held, beside

    one_by_one, held, beside = asyncio.run(serve())
    assert {*one_by_one, held} == {held}
    assert beside != held


def test_a_thread_that_is_still_at_work_for_who_has_gone_is_not_waited_for(threads):
    begun, done = threading.Event(), threading.Event()
    busy = []

    def work():
        busy.append(threading.current_thread())
        begun.set()
        assert done.wait(10)

    async def slow():
        async with threads.lent():
            await sync_to_async(work)()

    async def serve():
        task = asyncio.create_task(slow())
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        meanwhile = {await thread_of(threads)}
        meanwhile.update(await asyncio.gather(*(thread_of(threads) for _ in range(3))))
        done.set()
        await asyncio.wait([task])
        return meanwhile

    assert not asyncio.run(serve()) & {*busy}


def test_what_a_request_left_of_djangos_transaction_is_not_the_nexts(installation, threads):
    insert(Organisation)
    create_admin(EMAIL, PASSWORD, 1)

    def careless():
        request_started.send(sender=None)
        transaction.set_autocommit(False)
        assert Account.objects.update(email="other@contoso.example") == 1
        request_finished.send(sender=None)
        return threading.current_thread()

    def next_one():
        request_started.send(sender=None)
        found = Account.objects.get().email, django_connection.get_autocommit()
        request_finished.send(sender=None)
        return threading.current_thread(), found

    async def serve():
        async with threads.lent():
            first = await sync_to_async(careless)()
        async with threads.lent():
            return first, await sync_to_async(next_one)()

    first, (second, found) = asyncio.run(serve())
    assert first == second
    assert found == (EMAIL, True)

"""The throw-away PostgreSQL servers that other tests stand on."""

import psycopg
import pytest


def test_a_new_database_is_empty_and_its_own(new_database):
    first, second = new_database(), new_database()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE mark (id BIGINT PRIMARY KEY)")
    with psycopg.connect(second) as connection:
        tables = connection.execute("SELECT relname FROM pg_class WHERE relname = 'mark'")
        assert tables.fetchall() == []


def test_a_database_can_be_copied_from_a_template(new_database):
    original = new_database()
    with psycopg.connect(original) as connection:
        connection.execute("CREATE TABLE mark (id BIGINT PRIMARY KEY)")
        connection.execute("INSERT INTO mark VALUES (7)")
    with psycopg.connect(new_database(template=original.rpartition("/")[2])) as connection:
        assert connection.execute("SELECT id FROM mark").fetchall() == [(7,)]


def test_commits_are_synchronous_on_the_shared_server(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)


def test_a_killed_server_comes_back_with_what_was_committed(new_cluster):
    cluster = new_cluster(fsync=True)
    with psycopg.connect(cluster.socket_url()) as connection:
        connection.execute("CREATE TABLE mark (id BIGINT PRIMARY KEY)")
    cluster.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url())
    cluster.start()
    with psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SELECT count(*) FROM mark").fetchone() == (0,)


def test_a_removed_server_leaves_nothing_behind(new_cluster):
    cluster = new_cluster()
    assert cluster.folder.exists()
    cluster.remove()
    assert not cluster.folder.exists()

"""The comparator of the engine: one transaction for each command, as most services are written.

SELECT … FOR UPDATE, update, insert, commit, with psycopg, on PostgreSQL; as many threads as
callers, each with a connection of its own. The row it inserts is about as long as an answer of
ours.
"""

import random
import threading
import time

import psycopg

SCHEMA = """
DROP TABLE IF EXISTS plain_wallet;
DROP TABLE IF EXISTS plain_entry;
CREATE TABLE plain_wallet (id bigint PRIMARY KEY, balance_micros bigint NOT NULL CHECK
(balance_micros >= 0)); CREATE TABLE plain_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY
KEY, wallet_id bigint NOT NULL,
    amount_micros bigint NOT NULL, body text NOT NULL);
INSERT INTO plain_wallet SELECT n, 1000000000000000 FROM generate_series(1, 10000) n;
"""
BODY = "x" * 500


def commands_per_second(url: str, callers: int, wallets: int, seconds: float) -> float:
    """Durable commands a second that `callers` threads reach on this many wallets."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    counts = [0] * callers
    ready = threading.Barrier(callers + 1)
    stop_at = [0.0]

    def call(caller: int) -> None:
        chance = random.Random(caller)
        with psycopg.connect(url) as connection:
            ready.wait()
            while time.perf_counter() < stop_at[0]:
                charge(connection, chance.randrange(wallets) + 1)
                counts[caller] += 1

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    stop_at[0] = time.perf_counter() + seconds
    ready.wait()
    started = time.perf_counter()
    stop_at[0] = started + seconds
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def charge(connection: psycopg.Connection, wallet_id: int) -> None:
    """One command: lock, check, take, write down, commit."""
    row = connection.execute(
        "SELECT balance_micros FROM plain_wallet WHERE id = %s FOR UPDATE", [wallet_id]
    ).fetchone()
    if row is not None and row[0] >= 15_000:
        connection.execute(
            "UPDATE plain_wallet SET balance_micros = balance_micros - 15000 WHERE id = %s",
            [wallet_id],
        )
        connection.execute(
            "INSERT INTO plain_entry (wallet_id, amount_micros, body) VALUES (%s, 15000, %s)",
            [wallet_id, BODY],
        )
    connection.commit()

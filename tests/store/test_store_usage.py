"""Calls of a key that is used again. Mirrors src/talktime/store/usage.py."""

import pytest

from talktime.core.limits import CALLS_NAMED_MAX
from talktime.store.usage import calls_named
from tests.lively_books import Player
from tests.stores import Store

KEYS = [f"~~{number:016x}" for number in range(7, 12 + CALLS_NAMED_MAX)]


@pytest.fixture
def player(store: Store) -> Player:
    """With calls of two clients whose names differ by a letter's case, and others."""
    player = Player(store.cell())
    player.wallet(1, 100_000_000)
    foreign = ("~07", "0", "~~g", f"{KEYS[0]}{KEYS[1]}", f"~~{'7' * 15}", f"~~{'7' * 15}z")
    for key in ("", *KEYS, *foreign, f"~~{'7' * 17}"):
        for client in ("nas/5", "Nas/5"):
            player.authorize(1, client + key)
    return player


def named(player: Player, key: str) -> list[str]:
    """The keys of its calls."""
    return [call.call_key for call in calls_named(player.connection, 1, key, f"{key}~~")]


@pytest.mark.layouts("sqlite", "postgres")
def test_the_first_call_of_a_key_and_the_last_of_those_after_it_are_found(player: Player) -> None:
    for client in ("nas/5", "Nas/5"):
        last = [client + key for key in KEYS[-CALLS_NAMED_MAX:]]
        assert sorted(named(player, client)) == [client, *last]
    assert named(player, "nas/6") == []


@pytest.mark.layouts("postgres")
def test_calls_of_a_key_are_found_where_texts_are_in_the_order_of_a_language(
    player: Player,
) -> None:
    with player.connection.transaction():
        player.connection.run(
            'ALTER TABLE call ALTER call_key TYPE varchar(255) COLLATE "en-x-icu"'
        )
    test_the_first_call_of_a_key_and_the_last_of_those_after_it_are_found(player)

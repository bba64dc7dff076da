"""`talktime calls`. Mirrors src/talktime/cli/running_calls.py."""

import pytest

from talktime.cli.output import moment
from talktime.clock import now_ms
from talktime.core.commands import EndCall
from tests.lively_books import Player

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def player(store, contoso):
    return Player(store.cell(), now_ms())


def organisation_id(player):
    [(found,)] = player.connection.rows("SELECT organisation_id FROM wallet")
    return found


def test_running_calls_are_shown_with_what_they_cost_so_far(shell, player):
    owner = organisation_id(player)
    player.now_ms -= 61_000
    player.authorize(owner, "talking")
    player.answer("talking")
    answered_ms = player.now_ms
    player.now_ms += 61_000
    player.authorize(owner, "ringing")
    player.authorize(owner, "over")
    player.settle("over", 1, 10)
    talking, ringing = shell.json("calls")["calls"]
    told = ("call_id", "organisation", "to", "destination", "cost_so_far", "held", "currency")
    assert [talking[name] for name in told] == [
        *("talking", "Contoso", "+4930123456", "Germany", "0.03", "0.075", "USD")
    ]
    assert talking["granted_until"] == moment(answered_ms + 300_000)
    assert 61 <= talking["talked_seconds"] < 90
    assert (ringing["talked_seconds"], ringing["cost_so_far"]) == (None, "0")
    text = shell("calls", "--organisation", "Contoso")
    assert "not answered yet" in text
    assert "over" not in text


def test_a_call_that_is_to_end_says_why(shell, player):
    player.authorize(organisation_id(player), "a")
    assert shell.json("calls")["calls"][0]["is_to_end"] is None
    player.do(EndCall(1, "a", organisation_id(player), "user_inactive"))
    assert shell.json("calls")["calls"][0]["is_to_end"] == "user_inactive"


def test_the_other_partys_number_is_masked_by_the_organisations_country(shell, player):
    """R78: in every channel."""
    shell("catalogue", "set", "country", "US", "masked_digits=4")
    player.authorize(organisation_id(player), "a")
    [call] = shell.json("calls")["calls"]
    assert (call["from"], call["to"]) == ("+14255550100", "+493012****")
    assert "3456" not in shell("calls")


def test_no_call_is_said_in_words(shell, contoso):
    assert shell("calls").strip() == "Running calls: No call is running."
    assert shell.json("calls") == {"calls": [], "more": False}


def test_calls_that_are_not_shown_are_told_of(shell, player):
    for name in ("a", "b"):
        player.authorize(organisation_id(player), name)
    shown = shell.json("calls", "--limit", "1")
    assert ([call["call_id"] for call in shown["calls"]], shown["more"]) == (["a"], True)
    assert "Running calls, the first 1 of more" in shell("calls", "--limit", "1")
    assert shell.json("calls", "--limit", "2")["more"] is False
    assert "of more" not in shell("calls", "--limit", "2")


def test_calls_of_an_organisation_that_is_not_known_are_refused(shell, contoso):
    assert "Fabrikam" in shell.error("calls", "--organisation", "Fabrikam")

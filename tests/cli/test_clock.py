"""`talktime clock`, and what follows it. Mirrors src/talktime/cli/clock.py."""

import fcntl
import json
import subprocess
import time

import pytest

from talktime.cli.output import moment
from talktime.clock import follow, real_ms
from talktime.config import settings_from
from talktime.core.ids import Ids
from talktime.operations.newest_row import newest_row_ms
from tests.serving import COMMAND, clean_environ, serving

DAY_MS = 86_400_000
BOTH = pytest.mark.layouts("sqlite", "postgres")
PATIENCE_S = 30
OFF = "the test clock is off, as it must be in production"


@pytest.fixture(autouse=True)
def machines_clock():
    """What a command of this process followed is not followed by the next test."""
    yield
    follow(settings_from({}))


@pytest.fixture
def movable(shell, monkeypatch):
    monkeypatch.setenv("TALKTIME_TEST_CLOCK", "1")
    return shell


@BOTH
def test_in_production_time_cannot_be_moved_and_the_command_says_what_to_do(shell, monkeypatch):
    monkeypatch.setenv("TALKTIME_TEST_CLOCK", "")
    for words in (("advance", "30d"), ("reset", "--yes")):
        said = shell.error("clock", *words)
        assert said.startswith(OFF)
        assert "TALKTIME_TEST_CLOCK=1" in said
    shown = shell.json("clock", "show")
    assert (shown["test_clock"], shown["ahead_ms"]) == (False, 0)
    assert shown["now"][:16] == shown["real"][:16] or shown["now"][14:16] != shown["real"][14:16]


@BOTH
def test_what_is_made_after_an_advance_is_of_the_later_time(movable, store):
    assert movable.json("clock", "show")["ahead_ms"] == 0
    before = real_ms()
    shown = movable.json("clock", "advance", "30d")
    assert 30 * DAY_MS <= shown["ahead_ms"] + 1 <= 30 * DAY_MS + 1_000
    assert "30 days ahead" in movable("clock", "show")
    movable("organisation", "create", "Contoso", "--country", "US")
    assert newest_row_ms(store.control(), []) >= before + 30 * DAY_MS


@pytest.mark.layouts("sqlite")
def test_a_command_takes_the_time_of_the_test_clock_from_its_beginning(movable):
    key = movable.json("key", "create", "SBC Oslo", "--operator", "Contoso Voice", "--name", "one")
    peer = movable.json(
        *("peer", "create", "diameter", "North", "sip.north.example"),
        *("--realm", "north.example", "--tls"),
    )
    movable("clock", "advance", "30d")
    tomorrow, later = (moment(real_ms() + days * DAY_MS) for days in (1, 29))
    changes = ("catalogue", "set", "country", "NO", "masked_digits=4", "--valid-from", tomorrow)
    for words in (("key", "revoke", key["id"]), ("peer", "revoke", peer["id"])):
        follow(settings_from({}))  # a process that has just begun
        assert movable.json(*words)["revoked"] > later
    follow(settings_from({}))
    assert "would change what holds since" in movable.error(*changes)


@BOTH
def test_it_goes_back_only_where_nothing_was_made_ahead_of_real_time(movable):
    movable("clock", "advance", "30d")
    assert movable.error("clock", "reset").startswith("nothing was done: say --yes")
    assert movable.json("clock", "reset", "--yes")["ahead_ms"] == 0
    movable("organisation", "create", "Contoso", "--country", "US")
    movable("clock", "advance", "2h")
    assert movable.json("clock", "reset", "--yes")["ahead_ms"] == 0
    movable("clock", "advance", "2h")
    movable("organisation", "create", "Fabrikam", "--country", "US")
    assert "the clock cannot go back behind it" in movable.error("clock", "reset", "--yes")
    assert movable.json("clock", "show")["ahead_ms"] > 0


@pytest.mark.layouts("sqlite")
def test_a_moment_that_is_past_is_refused(movable):
    said = movable.error("clock", "advance", "2020-01-01")
    assert "only moves forward" in said
    assert movable.json("clock", "show")["ahead_ms"] == 0


@pytest.mark.layouts("sqlite")
def test_beside_a_running_demo_the_shell_has_its_time(shell, store):
    with open(store.settings.data / "demo.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shell("clock", "advance", "30d")
        assert shell.json("clock", "show")["ahead_ms"] > 29 * DAY_MS
    assert shell.json("clock", "show")["ahead_ms"] == 0
    assert shell.error("clock", "advance", "1d").startswith(OFF)
    assert json.loads((store.settings.data / "test_clock.json").read_text())["ahead_ms"] > 0


@BOTH
def test_the_newest_row_is_found_in_whichever_database_it_is(store):
    control, cell = store.control(), store.cell()
    at_ms = 1_900_000_000_000
    later = Ids(1, lambda: at_ms).next()
    assert newest_row_ms(control, [cell]) < at_ms
    with cell.transaction():
        cell.run(
            "INSERT INTO licence_group (id, organisation_id, name, licences) "
            "VALUES (?, 1, 'Sales', '[]')",
            (later,),
        )
    assert newest_row_ms(control, [cell]) == at_ms


def advance(environ, words):
    """Move the clock from a process of its own, as a person in another shell does."""
    command = [COMMAND, "clock", "advance", words, "--json"]
    ran = subprocess.run(command, env=clean_environ(environ), capture_output=True, check=True)
    return json.loads(ran.stdout)


def until(condition):
    """Ask again and again."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end


@BOTH
def test_a_day_passes_for_the_engine_the_jobs_and_the_pages_of_a_running_demo(store):
    with serving(store.environ, "--demo") as service:
        assert "Test clock: in step with real time (never in production)\n" in service.said
        demo = json.loads((store.settings.data / "demo.json").read_text(encoding="utf-8"))
        body = {"sequence": 0, "type": "user_out", "from": demo["caller"], "to": demo["callee"]}
        with service.client(demo["switch_key"]) as switch:
            assert switch.post("/v1/calls/c1/authorize", json=body).status_code == 200
            assert switch.get("/v1/calls/c1").json()["state"] == "open"
            shown = switch.get("/metrics").text
            assert 'talktime_job_failures_total{cell="main",job="expire_holds"} 0.0' in shown
            assert 'talktime_job_lag_seconds{cell="main",job="expire_holds"}' in shown
            assert advance(store.environ, "1d")["ahead_ms"] > DAY_MS - 1_000
            until(lambda: switch.get("/v1/calls/c1").json()["state"] == "expired")
            assert "Test clock: 1 day ahead" in switch.get("/").text
            advance(store.environ, "8d")
            until(lambda: switch.get("/v1/calls/c1").status_code == 404)
        assert service.stop() == 0

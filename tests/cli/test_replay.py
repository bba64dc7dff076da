"""Replaying call files against a service. Mirrors src/talktime/cli/replay*.py."""

import csv
import re
import signal
import subprocess

import pytest

from talktime.core.money import parse_micros
from tests.served import serving
from tests.serving import COMMAND, clean_environ

pytestmark = pytest.mark.layouts("sqlite", "postgres-cells")

COLUMNS = "call_id,from,to,used_seconds,repeats,settle,organisation\n"


def write(path, service, count, *, used_s=61, more=""):
    """A file of plain calls of the demo's caller."""
    numbers = f"{service.demo.caller},{service.demo.callee}"
    lines = [f"c{n},{numbers},{used_s},{n % 3},sent,demo\n" for n in range(count)]
    path.write_text(COLUMNS + "".join(lines) + more, encoding="utf-8")
    return str(path)


@pytest.fixture
def start(store, shell, monkeypatch):
    """Call it for a service that `shell` replays against."""
    services = []

    def running(**options):
        context = serving(store, **options)
        service = context.__enter__()
        services.append(context)
        monkeypatch.setenv("TALKTIME_URL", service.url)
        monkeypatch.setenv("TALKTIME_KEY", service.demo.switch_key)
        return service

    yield running
    for context in services:
        context.__exit__(None, None, None)


@pytest.mark.parametrize("batch", ["1", "7", "1000"])
def test_whatever_the_batch_each_call_is_charged_once(start, shell, tmp_path, batch):
    service = start()
    path = write(tmp_path / "calls.csv", service, 20, used_s=700)
    summary = shell.json("replay", path, "--batch", batch, "--connections", "3")
    assert summary["calls"] == 20
    assert summary["requests"] == 20 * 4
    assert (summary["repeated"], summary["repeats_answered_differently"]) == (4 * 19, 0)
    [charged] = summary["charged"]
    assert (charged["organisation"], charged["settled"]) == ("demo", 20)
    [used] = {
        call["charge"] for call in shell.json("statement", service.demo.organisation)["calls"]
    }
    assert used == charged["charge"] == summary["charge_by_currency"]["USD"]
    assert shell.json("check-books")["clean"] is True


def test_a_replay_again_changes_nothing(start, shell, tmp_path):
    path = write(tmp_path / "calls.csv", start(), 5)
    first, again = shell.json("replay", path), shell.json("replay", path)
    assert again["charged"] == first["charged"]
    assert shell.json("check-books")["clean"] is True
    [line] = shell.json("statement", "Contoso Demo")["calls"]
    assert line["calls"] == 5


def test_what_the_service_is_too_busy_for_is_sent_again(start, shell, tmp_path):
    path = write(tmp_path / "calls.csv", start(queue_max=1), 40)
    summary = shell.json("replay", path, "--batch", "10", "--connections", "4")
    assert summary["calls"] == 40
    assert {each["decision"] for each in summary["decisions"]} == {"granted", "settled"}
    [charged] = summary["charged"]
    assert charged["settled"] == 40


def test_refused_and_lost_calls_are_counted_and_written_down(start, shell, tmp_path):
    service = start()
    caller, callee = service.demo.caller, service.demo.callee
    more = f"x1,+14255559999,{callee},9,0,sent,demo\nx2,{caller},{callee},400,0,lost,demo\n"
    path = write(tmp_path / "calls.csv", service, 1, more=more)
    results = tmp_path / "results.csv"
    summary = shell.json("replay", path, "--results", str(results))
    assert summary["left_to_supervision"] == 1
    decisions = {
        (each["request"], each["decision"]): each["count"] for each in summary["decisions"]
    }
    assert decisions == {
        ("authorize", "granted"): 2,
        ("authorize", "unknown_caller"): 1,
        ("extend", "granted"): 1,
        ("settle", "settled"): 1,
    }
    with results.open(encoding="utf-8") as file:
        rows = {row["call_id"]: row for row in csv.DictReader(file)}
    assert rows["x1"]["outcome"] == "unknown_caller"
    assert (rows["x2"]["settle"], rows["x2"]["used_seconds"]) == ("lost", "300")
    assert parse_micros(rows["c0"]["charge"]) > 0


def test_the_summary_for_people_names_decisions_and_sums(start, shell, tmp_path):
    path = write(tmp_path / "calls.csv", start(), 3)
    shown = shell("replay", path)
    for words in ("Requests", "authorize", "granted", "a second", "USD", "0 answered differently"):
        assert words in shown


def test_a_wrong_file_or_a_wrong_key_makes_no_call(start, shell, tmp_path):
    service = start()
    path = write(tmp_path / "calls.csv", service, 1, more="c0,,,five,,,\n")
    _, err = shell.run("replay", path, code=1)
    assert err.splitlines()[0] == "line 3: call_id 'c0' stands in the file already"
    path = write(tmp_path / "calls.csv", service, 1)
    for batch in ("1", "10"):
        error = shell.error("replay", path, "--key", "tt_wrong", "--batch", batch)
        assert error.startswith("the service refused the requests")
    assert shell.json("call", "show", "c0", code=1)["code"] == "unknown_call"


def test_an_interrupted_replay_goes_on_where_it_was(start, shell, tmp_path):
    service = start()
    path = write(tmp_path / "calls.csv", service, 3_000)
    results = tmp_path / "results.csv"
    running = subprocess.Popen(
        [COMMAND, "replay", path, "--batch", "10", "--connections", "1", "--results", results],
        env=clean_environ({"TALKTIME_URL": service.url, "TALKTIME_KEY": service.demo.switch_key}),
        stderr=subprocess.PIPE,
        text=True,
    )
    while service.get("/v1/calls/c20").status_code != 200:
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 1
    assert re.match(r"talktime: stopped after call [\d,]+ of 3,000; replay the file again", err)
    assert shell.json("replay", path)["calls"] == 3_000
    [line] = shell.json("statement", service.demo.organisation)["calls"]
    assert line["calls"] == 3_000
    assert shell.json("check-books")["clean"] is True

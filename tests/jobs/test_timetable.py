"""Which jobs there are. Mirrors src/talktime/jobs/timetable.py."""

import pytest
from structlog.testing import capture_logs

from talktime.jobs.timetable import TIMETABLE
from talktime.operations.book_proofs import ask_for_proof, prove_when_asked
from talktime.operations.sweep import Sweep, Swept
from talktime.store.organisations import insert_organisation
from tests.lively_books import Player
from tests.people import CONTOSO

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def player(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000)
    return player


def test_holds_are_looked_at_every_second():
    periods_s = {job.name: job.period_s for job in TIMETABLE}
    assert periods_s["expire_holds"] == 1
    lanes = {job.lane for job in TIMETABLE}
    assert lanes == {"", "calls", "money", "notices", "upkeep"}


def test_a_recharge_begins_and_is_charged_within_half_a_second_of_the_settle():
    """The issue asks for a second: two jobs, each looking four times in it."""
    periods_s = {job.name: job.period_s for job in TIMETABLE}
    assert periods_s["tend_wallets"] + periods_s["collect_payments"] <= 0.5
    by_lane = {job.name: job.lane for job in TIMETABLE}
    assert by_lane["tend_wallets"] != by_lane["collect_payments"]


def test_every_job_runs_on_books_with_nothing_due(player, store):
    with (control := store.control()).transaction():
        insert_organisation(control, CONTOSO._replace(id=1), player.now_ms)
    sweep = Sweep(
        player.connection,
        player.clock_ms,
        player.ids.next,
        settings=store.settings,
        control=store.control,
    )
    for job in TIMETABLE:
        job.run(sweep)  # what the funding gave occasion to
    for job in TIMETABLE:
        assert (job.name, job.run(sweep)) == (job.name, Swept(0))


def asked_for(player):
    with player.connection.transaction():
        ask_for_proof(player.connection, player.now_ms)


def test_a_proof_logs_what_does_not_hold(player):
    player.connection.run("UPDATE wallet SET balance_micros = 5")
    asked_for(player)
    with capture_logs() as logs:
        swept = prove_when_asked(
            Sweep(player.connection, player.clock_ms, player.ids.next, cell="main")
        )
    assert swept == Swept(1)
    assert logs == [
        {
            "event": "books do not hold",
            "log_level": "error",
            "cell": "main",
            "check": "wallet_lots",
            "finding": ("organisation 1: the wallet says 0.000005; its lots less its debt make 1"),
        }
    ]


def test_a_proof_ends_when_the_service_stops(player):
    player.connection.run("UPDATE wallet SET held_micros = 5")
    asked_for(player)
    stopping = Sweep(player.connection, player.clock_ms, player.ids.next, stopping=lambda: True)
    assert prove_when_asked(stopping) == Swept(0)
    assert prove_when_asked(stopping._replace(stopping=lambda: False)) == Swept(1)

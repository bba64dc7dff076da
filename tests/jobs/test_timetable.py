"""Which jobs there are. Mirrors src/talktime/jobs/timetable.py."""

import pytest
from structlog.testing import capture_logs

from talktime.jobs.timetable import DAILY_PROOF, TIMETABLE
from talktime.operations.sweep import Sweep, Swept
from talktime.store.organisations import insert_organisation
from tests.after_use import organisation
from tests.lively_books import Player

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def player(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000)
    return player


def test_holds_are_looked_at_every_second():
    periods_s = {job.name: job.period_s for job in TIMETABLE}
    assert periods_s == {
        "expire_holds": 1,
        "expire_lots": 60,
        "tend_wallets": 0.25,
        "recheck_recharges": 60,
        "collect_payments": 0.25,
        "warn_of_expiry": 3_600,
        "forget_calls": 3_600,
        "close_months": 3_600,
        "dun_statements": 600,
        "move_wallets": 60,
        "spread_notices": 0.5,
        "send_notices": 0.5,
        "add_cards": 0.25,
        "refund_payments": 0.5,
        "read_payment_events": 0.5,
        "settle_payment_events": 0.5,
        "forget_payment_events": 3_600,
    }


def test_every_job_runs_on_books_with_nothing_due(player, store):
    control = store.control()
    with control.transaction():
        insert_organisation(control, organisation(1, model="prepaid"), 0)
    sweep = Sweep(
        player.connection,
        player.clock_ms,
        player.ids.next,
        settings=store.settings,
        control=store.control,
    )
    for job in (*TIMETABLE, DAILY_PROOF):
        job.run(sweep)  # the new wallet asks to be looked at, once
        assert (job.name, job.run(sweep)) == (job.name, Swept(0))


def test_the_daily_proof_logs_what_does_not_hold(player):
    player.connection.run("UPDATE wallet SET balance_micros = 5")
    with capture_logs() as logs:
        swept = DAILY_PROOF.run(Sweep(player.connection, player.clock_ms, player.ids.next))
    assert swept == Swept(1)
    assert logs == [
        {
            "event": "books do not hold",
            "log_level": "error",
            "check": "wallet_lots",
            "finding": ("organisation 1: the wallet says 0.000005; its lots less its debt make 1"),
        }
    ]


def test_the_daily_proof_ends_when_the_service_stops(player):
    player.connection.run("UPDATE wallet SET held_micros = 5")
    stopping = Sweep(player.connection, player.clock_ms, player.ids.next, stopping=lambda: True)
    assert DAILY_PROOF.run(stopping) == Swept(0)
    assert DAILY_PROOF.run(stopping._replace(stopping=lambda: False)) == Swept(1)

"""What is there when a migration adds to it. Mirrors src/talktime/console/*/migrations."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction

from talktime.console.cell.models import Call, Lot, Meter, Transfer, UsageRecord, User, Wallet
from talktime.console.control_plane.models import Number, Organisation, Rate, RateCard
from talktime.core.payers import Payers
from tests.console.rows import CELL, GOOD, START_MS

BEFORE_CELL, BEFORE_CONTROL_PLANE = "0003", "0002"
SINCE = {
    Wallet: {"first_funded_ms", "version"},
    Call: {"payers", "pool_s", "post_micros", "conference_id"},
    UsageRecord: {"month", "pool", "pool_s", "post_micros", "conference_id"},
    User: {"policy", "spend_limit_micros", "toll_free_dial_in", "own_licences", "groups"},
    Organisation: {"calling_rules"},
    Number: {"attached", "moved_from", "moved_ms"},
}

BEFORE_CONFERENCES = {Call: {"conference_id"}, UsageRecord: {"conference_id"}}
LATER = {Wallet: {"version"}, **BEFORE_CONFERENCES}


def migrated(alias, app, to=None):
    call_command("migrate", app, *([to] if to else []), database=alias, verbosity=0)


def insert_old(alias, model, since=SINCE, **changes):
    """The good row of a table, in the columns that it had before."""
    row = {k: v for k, v in (GOOD[model] | changes).items() if k not in since.get(model, ())}
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("%s" for _ in row)
    with connections[alias].cursor() as cursor:
        table = model._meta.db_table
        cursor.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(row.values()))


def refused_to_change(alias, model):
    with pytest.raises(IntegrityError), transaction.atomic(alias):
        model.objects.using(alias).update(currency="USD")


def test_a_cell_keeps_its_books_and_learns_who_spent_what(installation):
    migrated(CELL, "cell", BEFORE_CELL)
    insert_old(CELL, Wallet)
    insert_old(CELL, Wallet, organisation_id=2)
    insert_old(CELL, Lot)
    insert_old(CELL, Lot, id=12, idempotency_key="second", purchased_ms=START_MS + 5)
    insert_old(CELL, Call, type="user_out")
    settled = {"state": "settled", "held_micros": 0, "charged_micros": 30_000, "usage_id": 51}
    insert_old(CELL, Call, id=22, call_key="C2", settle_sequence=1, **settled)
    expired = {"state": "expired", "held_micros": 0, "charged_micros": 30_000, "usage_id": 53}
    set_up_ms = START_MS + 39 * 86_400_000
    insert_old(CELL, Call, id=23, call_key="C3", type="user_out", started_ms=set_up_ms, **expired)
    insert_old(CELL, User)
    for number, at_ms in ((51, START_MS), (52, START_MS + 1), (53, START_MS + 40 * 86_400_000)):
        call_id = 23 if number == 53 else 22
        insert_old(CELL, UsageRecord, id=number, call_id=call_id, started_ms=at_ms, type="user_out")
    insert_old(CELL, UsageRecord, id=54, type="conf_in", user_id=None)
    migrated(CELL, "cell")
    wallets = Wallet.objects.using(CELL).order_by("organisation_id")
    assert [wallet.first_funded_ms for wallet in wallets] == [START_MS, None]
    user = User.objects.using(CELL).get()
    assert (user.own_licences, user.groups, user.policy) == (user.licences, "[]", "")
    running, over, late = Call.objects.using(CELL).order_by("id")
    assert (over.payers, over.pool_s, over.post_micros) == ("", 0, 0)
    assert Payers.parse(running.payers) == Payers(spending="2027-01/spending/31")
    assert Payers.parse(late.payers) == Payers(spending="2027-02/spending/31")
    records = UsageRecord.objects.using(CELL).order_by("id")
    assert [record.month for record in records] == ["2027-01", "2027-01", "2027-02", "2027-01"]
    meters = Meter.objects.using(CELL).order_by("key").values_list("key", "used", "held", "total")
    assert list(meters) == [
        ("2027-01/spending/31", 60_000, 75_000, None),
        ("2027-02/spending/31", 30_000, 0, None),
    ]
    refused_to_change(CELL, UsageRecord)


def test_a_cell_with_money_is_looked_at_once_when_payments_come(installation):
    """What there is to watch a wallet for is found by the jobs: where there was ever money."""
    migrated(CELL, "cell", "0004")
    insert_old(CELL, Wallet, since=LATER, first_funded_ms=START_MS)
    insert_old(CELL, Wallet, since=LATER, organisation_id=2)
    for model in (Lot, Call, Transfer, UsageRecord, User):
        insert_old(CELL, model, since=LATER)
    migrated(CELL, "cell")
    wallets = Wallet.objects.using(CELL).order_by("organisation_id")
    assert [wallet.version for wallet in wallets] == [0, 0]
    assert [wallet.attention_ms for wallet in wallets] == [0, None]
    for wallet in wallets:
        assert (wallet.recharge_below_micros, wallet.alert_below_micros) == (None, None)
        assert (wallet.alert_from_micros, wallet.lowest_micros, wallet.no_buying) == (
            None,
            None,
            None,
        )
    assert Transfer.objects.using(CELL).get().amount_micros == 30_000
    transfers = Transfer.objects.using(CELL)
    for change in (lambda: transfers.update(kind="grant"), lambda: transfers.all().delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(CELL):
            change()
    transfer = GOOD[Transfer] | {"id": 42, "usage_id": None, "kind": "chargeback"}
    Transfer.objects.using(CELL).create(**transfer)


def test_records_from_before_are_of_no_conference_and_an_old_process_writes_no_more(installation):
    migrated(CELL, "cell", "0016")
    for model in (Call, UsageRecord):
        insert_old(CELL, model, since=BEFORE_CONFERENCES)
    migrated(CELL, "cell")
    for model in (Call, UsageRecord):
        assert model.objects.using(CELL).get().conference_id == ""
        with pytest.raises(IntegrityError, match="conference_id"), transaction.atomic(CELL):
            insert_old(CELL, model, since=BEFORE_CONFERENCES, id=99, call_key="C9")
    refused_to_change(CELL, UsageRecord)


def test_a_control_plane_keeps_its_rates_unchangeable(installation):
    migrated("default", "control_plane", BEFORE_CONTROL_PLANE)
    for model in (Organisation, Number, RateCard, Rate):
        insert_old("default", model)
    migrated("default", "control_plane")
    assert Organisation.objects.get().calling_rules == "{}"
    assert Number.objects.get().attached == ""
    assert Rate.objects.get().prefix == "49"
    with pytest.raises(IntegrityError), transaction.atomic():
        Rate.objects.update(prefix="48")

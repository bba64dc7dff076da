"""What the tables refuse. Mirrors the models of control plane and cell, on both databases."""

import re
from contextlib import contextmanager
from itertools import chain

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connections, models, transaction

from talktime.console.cell.models import (
    Answer,
    Call,
    LicenceGroup,
    Lot,
    Meter,
    Transfer,
    UsageRecord,
    User,
    Wallet,
)
from talktime.console.control_plane.models import (
    Account,
    ApiKey,
    CatalogueRow,
    Membership,
    Number,
    NumberReservation,
    Organisation,
    Rate,
    RateCard,
    Switch,
)
from talktime.core.included import EVERYWHERE
from talktime.core.limits import LICENCE_CODE_TEXT_MAX
from talktime.core.meters import COUNTERS, INTERNATIONAL, minutes_key
from talktime.operations.catalogue_checks import checked_entry
from tests.console.provider_rows import PROVIDER_BREACHES, PROVIDER_DOUBLES, PROVIDER_EMPTY
from tests.console.rows import CELL, GOOD, START_MS, alias_of, count_of, insert

BREACHES = [
    (Wallet, {"held_micros": -1}, "wallet_held_not_negative"),
    (Wallet, {"debt_micros": -1}, "wallet_debt_not_negative"),
    (Lot, {"source": "gift"}, "lot_source_known"),
    (Lot, {"amount_micros": 0, "remaining_micros": 0, "spent": True}, "lot_amount_positive"),
    (Lot, {"held_micros": -1}, "lot_held_not_negative"),
    (Lot, {"remaining_micros": 5, "held_micros": 6}, "lot_held_within_remaining"),
    (Lot, {"remaining_micros": 100_000_001}, "lot_remaining_within_amount"),
    (Lot, {"spent": True}, "lot_spent_when_nothing_remains"),
    (Lot, {"remaining_micros": 0}, "lot_spent_when_nothing_remains"),
    (Call, {"state": "running", "held_micros": 0}, "call_state_known"),
    (Call, {"held_micros": -1}, "call_held_not_negative"),
    (Call, {"charged_micros": -1}, "call_charged_not_negative"),
    (Call, {"granted_s": -1}, "call_granted_not_negative"),
    (Call, {"reported_s": -1}, "call_reported_not_negative"),
    (Call, {"state": "settled", "held_micros": 1}, "call_held_only_while_open"),
    (Call, {"pool_s": -1}, "call_pool_not_negative"),
    (Call, {"post_micros": -1}, "call_post_not_negative"),
    (Meter, {"used": -1}, "meter_used_not_negative"),
    (Meter, {"held": -1}, "meter_held_not_negative"),
    (Meter, {"used": 71_701}, "meter_within_total"),
    (Transfer, {"kind": "gift"}, "transfer_kind_known"),
    (Transfer, {"amount_micros": 0}, "transfer_amount_positive"),
    (Transfer, {"credit_account": 11}, "transfer_between_two_accounts"),
    (UsageRecord, {"kind": "guess"}, "usage_kind_known"),
    (UsageRecord, {"used_s": -1}, "usage_used_not_negative"),
    (UsageRecord, {"billed_s": -1}, "usage_billed_not_negative"),
    (User, {"kind": "robot"}, "person_kind_known"),
    (Organisation, {"commerce_model": "barter"}, "organisation_commerce_model_known"),
    (Number, {"attached": "door"}, "number_attached_to_something_known"),
    (Number, {"kind": "premium"}, "number_kind_known"),
    (NumberReservation, {"kind": "premium"}, "number_reservation_kind_known"),
    (Rate, {"direction": "inbound"}, "rate_direction_known"),
    (Rate, {"per_minute_micros": -1}, "rate_per_minute_not_negative"),
    (Rate, {"fee_micros": -1}, "rate_fee_not_negative"),
    (Rate, {"first_increment_s": 0}, "rate_first_increment_positive"),
    (Rate, {"next_increment_s": 0}, "rate_next_increment_positive"),
    (Membership, {"role": "owner"}, "membership_role_known"),
    *PROVIDER_BREACHES,
]
DOUBLES = [
    (Lot, {"id": 12}, "lot_once_by_key"),
    (Call, {"id": 22}, "call_once_by_key"),
    (User, {"id": 32}, "person_once_by_name"),
    (LicenceGroup, {"id": 62}, "licence_group_once_by_name"),
    (CatalogueRow, {"id": 1_002}, "catalogue_row_once_by_start"),
    (Organisation, {"id": 2}, "organisation_once_by_name"),
    (Switch, {"id": 2}, "switch_once_by_name"),
    (ApiKey, {"id": 2}, "api_key_once_by_secret"),
    (RateCard, {"id": 2}, "rate_card_once_by_start"),
    (Rate, {"id": 2}, "rate_once_by_prefix"),
    (Account, {"id": 2}, "account_once_by_email"),
    (Membership, {"id": 2}, "membership_once_each"),
    *PROVIDER_DOUBLES,
]
KEYS = [Wallet, Lot, Call, Answer, Transfer, UsageRecord, User, Organisation, Number, Switch]
INDEXES = [
    ("lot", "lot_open", "NOT spent"),
    ("call", "call_due", "state = 'open'"),
]


@pytest.fixture
def tables(shared_installation):
    """Empty tables: what the test writes is taken back."""
    with transaction.atomic("default"), transaction.atomic(CELL):
        yield
        transaction.set_rollback(True, "default")
        transaction.set_rollback(True, CELL)


@contextmanager
def refused(model, says="."):
    """The database refuses what is tried, and the transaction goes on."""
    with (
        pytest.raises(IntegrityError, match=says) as refusal,
        transaction.atomic(alias_of(model)),
    ):
        yield refusal


def our_models():
    return [*apps.get_app_config("cell").get_models(), *control_plane_models()]


def control_plane_models():
    return apps.get_app_config("control_plane").get_models()


def columns_of(model, constraint_name):
    (fields,) = [one.fields for one in model._meta.constraints if one.name == constraint_name]
    return [model._meta.get_field(field).column for field in fields]


def prepare(model):
    if model is Membership:
        insert(Account)


def test_every_constraint_of_the_models_has_a_breach_planted_here():
    named = {one.name for model in our_models() for one in model._meta.constraints}
    assert named == {name for _, _, name in chain(BREACHES, DOUBLES)}


@pytest.mark.parametrize(
    ("kind", "entry", "model", "field"),
    [
        ("licence", {"code": "L", "name": "Plan", "capability": ...}, UsageRecord, "capability"),
        ("policy", {"name": ..., "conference": "any", "user": "any"}, User, "policy"),
        ("licence", {"code": ..., "name": "Plan"}, CatalogueRow, "code"),
        ("policy", {"name": ..., "conference": "any", "user": "any"}, CatalogueRow, "code"),
    ],
)
def test_the_catalogue_takes_no_longer_text_than_is_kept_elsewhere(kind, entry, model, field):
    """Where the catalogue allows fewer characters than the column has, all it allows fit."""
    column = model._meta.get_field(field).max_length
    longer = {name: "x" * (column + 1) if each is ... else each for name, each in entry.items()}
    found = checked_entry(kind, longer, START_MS)
    assert isinstance(found, str)
    assert f"must be 1 to {column} printable characters" in found


def test_the_longest_key_of_a_meter_fits_where_it_is_kept():
    """Areas are the codes of countries, or the one word for everywhere."""
    longest_code = {"code": "x" * (LICENCE_CODE_TEXT_MAX + 1), "name": "Plan"}
    assert isinstance(checked_entry("licence", longest_code, START_MS), str)
    assert isinstance(checked_entry("country", {"code": "NO", "domestic_area": "NOR"}, 0), str)
    key = minutes_key("2026-11", "x" * LICENCE_CODE_TEXT_MAX, EVERYWHERE, INTERNATIONAL, 2**63 - 1)
    assert max(len(area) for area in (EVERYWHERE, "NO")) == len(EVERYWHERE)
    assert max(COUNTERS, key=len) == INTERNATIONAL
    for model, field in ((Meter, "key"), (UsageRecord, "pool")):
        assert len(key) <= model._meta.get_field(field).max_length


def test_the_good_row_of_each_table_is_taken(tables):
    before = {model: count_of(model) for model in GOOD}
    for model in GOOD:
        insert(model)
    assert {model: count_of(model) - before[model] for model in GOOD} == dict.fromkeys(GOOD, 1)


@pytest.mark.parametrize(
    ("model", "change", "constraint"), BREACHES, ids=[name for _, _, name in BREACHES]
)
def test_a_row_that_breaks_a_check_is_refused(tables, model, change, constraint):
    prepare(model)
    with refused(model, constraint):
        insert(model, **change)
    assert count_of(model) == 0


@pytest.mark.parametrize(
    ("model", "change", "constraint"), DOUBLES, ids=[name for _, _, name in DOUBLES]
)
def test_a_second_row_of_the_same_key_is_refused(tables, model, change, constraint):
    prepare(model)
    insert(model)
    before = count_of(model)
    with refused(model) as refusal:
        insert(model, **change)
    columns = [f"{model._meta.db_table}.{column}" for column in columns_of(model, constraint)]
    expected = constraint if connections["default"].vendor == "postgresql" else ", ".join(columns)
    assert expected in str(refusal.value)
    assert count_of(model) == before


@pytest.mark.parametrize("model", KEYS, ids=[model.__name__ for model in KEYS])
def test_an_id_is_taken_once_only(tables, model):
    insert(model)
    with refused(model):
        insert(model)
    assert count_of(model) == 1


@pytest.mark.parametrize("model", list(GOOD), ids=[model.__name__ for model in GOOD])
def test_a_column_is_empty_only_where_the_design_allows_it(tables, model):
    allowed = {
        Wallet: {"first_funded_ms"},
        Meter: {"total", "warned_ms", "full_ms"},
        User: {"spend_limit_micros"},
        Call: {"user_id", "settle_sequence", "answered_ms", "closed_ms", "usage_id"},
        Transfer: {"usage_id"},
        UsageRecord: {"user_id"},
        Number: {"user_id"},
        ApiKey: {"expires_ms", "revoked_ms"},
        **PROVIDER_EMPTY,
        Account: {"last_login"},
    }
    with connections[alias_of(model)].cursor() as cursor:
        columns = connections[alias_of(model)].introspection.get_table_description(
            cursor, model._meta.db_table
        )
    assert {one.name for one in columns if one.null_ok} == allowed.get(model, set())


@pytest.mark.parametrize("model", [Transfer, UsageRecord])
def test_a_row_of_the_ledger_is_never_changed(tables, model):
    insert(model)
    rows = model.objects.using(CELL)
    with refused(model, f"{model._meta.db_table} is append-only: UPDATE"):
        rows.update(organisation_id=2)
    assert rows.get().organisation_id == 1


@pytest.mark.parametrize("model", [Transfer, UsageRecord])
def test_a_row_of_the_ledger_is_never_deleted(tables, model):
    insert(model)
    with refused(model, f"{model._meta.db_table} is append-only: DELETE"):
        model.objects.using(CELL).filter(organisation_id=1).delete()
    assert count_of(model) == 1


@pytest.mark.parametrize("model", [Transfer, UsageRecord])
def test_the_ledger_is_never_emptied_at_once(tables, model):
    insert(model)
    empty = {"postgresql": "TRUNCATE {}", "sqlite": "DELETE FROM {}"}[connections[CELL].vendor]
    with refused(model, "is append-only"), connections[CELL].cursor() as cursor:
        cursor.execute(empty.format(model._meta.db_table))
    assert count_of(model) == 1


def test_a_published_rate_is_never_changed_but_old_ones_may_go(tables):
    insert(Rate)
    with refused(Rate, "rate is append-only: UPDATE"):
        Rate.objects.update(per_minute_micros=1)
    assert Rate.objects.get().per_minute_micros == 15_000
    Rate.objects.all().delete()
    assert count_of(Rate) == 0


@pytest.mark.parametrize(("table", "index", "condition"), INDEXES)
def test_an_index_holds_only_the_rows_that_are_looked_for(tables, table, index, condition):
    catalogue = {
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
        "sqlite": "SELECT sql FROM sqlite_master WHERE name = %s",
    }[connections[CELL].vendor]
    with connections[CELL].cursor() as cursor:
        ((definition,),) = cursor.execute(catalogue, [index]).fetchall()
    plain = re.sub(r'::\w+|[()"]', "", definition.partition("WHERE")[2]).strip()
    assert plain == condition


def test_no_column_has_a_default_and_no_id_a_sequence_of_the_database(tables):
    for model in our_models():
        for field in model._meta.concrete_fields:
            assert not field.has_default() or model is Account, field
            assert field.db_default is models.NOT_PROVIDED, field
            assert not isinstance(field, models.AutoField | models.BigAutoField), field


def test_sqlite_keeps_tables_in_the_order_of_their_ids(tables):
    spelled = {"sqlite": "integer", "postgresql": "bigint"}[connections[CELL].vendor]
    assert Transfer._meta.pk.db_type(connections[CELL]) == spelled


def test_a_cells_table_is_not_found_without_naming_the_cell(tables):
    with pytest.raises(DatabaseError):
        Wallet.objects.count()

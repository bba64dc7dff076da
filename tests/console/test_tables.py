"""What the tables refuse. Mirrors the models of control plane and cell, on both databases."""

import re
from contextlib import contextmanager
from itertools import chain

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connections, models, transaction

from talktime.console.cell.models import (
    AlertLevel,
    Answer,
    AuditEntry,
    Call,
    Document,
    DocumentGap,
    JobRun,
    Lot,
    Meter,
    PostStatementUsage,
    TakenBack,
    Transfer,
    UsageRecord,
    User,
    Wallet,
)
from talktime.console.control_plane.models import (
    Account,
    CatalogueRow,
    Membership,
    Number,
    Organisation,
    Rate,
    Switch,
)
from talktime.console.control_plane.models import AuditEntry as SharedAuditEntry
from talktime.core.included import EVERYWHERE
from talktime.core.limits import LICENCE_CODE_TEXT_MAX
from talktime.core.meters import COUNTERS, INTERNATIONAL, minutes_key
from talktime.operations.catalogue_checks import checked_entry
from tests.console.breaches import BREACHES, DOUBLES, EMPTY, FIRST
from tests.console.rows import CELL, GOOD, START_MS, alias_of, count_of, insert

APPEND_ONLY = [Transfer, UsageRecord, Document, PostStatementUsage, AuditEntry, SharedAuditEntry]
APPEND_ONLY += [TakenBack, DocumentGap]
KEYS = [Wallet, Lot, Call, Answer, Transfer, UsageRecord, User, Organisation, Number, Switch]
KEYS += [AlertLevel, JobRun, Document, PostStatementUsage]
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
    planted = chain.from_iterable(name.split("|") for _, _, name in chain(BREACHES, DOUBLES))
    assert named == set(planted)


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
    insert(model, **FIRST.get(constraint, {}))
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
    with connections[alias_of(model)].cursor() as cursor:
        columns = connections[alias_of(model)].introspection.get_table_description(
            cursor, model._meta.db_table
        )
    assert {one.name for one in columns if one.null_ok} == EMPTY.get(model, set())


@pytest.mark.parametrize("model", APPEND_ONLY)
def test_a_row_of_the_ledger_or_a_document_is_never_changed(tables, model):
    insert(model)
    rows, field = model.objects.using(alias_of(model)), model._meta.concrete_fields[-1].name
    before = rows.values().get()
    with refused(model, f"{model._meta.db_table} is append-only: UPDATE"):
        rows.update(**{field: models.F(field)})
    assert rows.values().get() == before


@pytest.mark.parametrize("model", APPEND_ONLY)
def test_a_row_of_the_ledger_or_a_document_is_never_deleted(tables, model):
    insert(model)
    with refused(model, f"{model._meta.db_table} is append-only: DELETE"):
        model.objects.using(alias_of(model)).all().delete()
    assert count_of(model) == 1


@pytest.mark.parametrize("model", APPEND_ONLY)
def test_the_ledger_and_documents_are_never_emptied_at_once(tables, model):
    insert(model)
    empty = {"postgresql": "TRUNCATE {}", "sqlite": "DELETE FROM {}"}[connections[CELL].vendor]
    with refused(model, "is append-only"), connections[alias_of(model)].cursor() as cursor:
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

"""The proof of the books. Mirrors src/talktime/operations/check_books.py.

Corruptions are planted as someone with every right on the database could: triggers and
constraints are removed first.
"""

import pytest

from talktime.core.ledger import POST_USAGE
from talktime.core.limits import FINDINGS_SHOWN_MAX
from talktime.operations.book_checks import CHECKS
from talktime.operations.check_books import check_books
from talktime.operations.ledger_sums import forget_ledger, sum_ledger
from talktime.operations.sum_usage import forget_sums, sum_usage
from talktime.operations.sum_wallets import forget_wallets, sum_wallets
from talktime.operations.sweep import Sweep
from tests.after_use import play_documents
from tests.lively_books import Player, play_everything

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CHECKED_TABLES = (
    "('wallet', 'lot', 'call', 'transfer', 'usage_record', 'meter', 'document', 'payment', "
    "'post_statement', 'taken_back')"
)
POSTGRES_GUARDS = (
    "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' "
    f"AND conrelid IN (SELECT oid FROM pg_class WHERE relname IN {CHECKED_TABLES} "
    "AND relnamespace = current_schema()::regnamespace)"
)
INSERT_TRANSFER = (
    "INSERT INTO transfer (id, organisation_id, debit_account, credit_account, amount_micros, "
    "kind, usage_id, at_ms) SELECT 77 + ?, organisation_id, ?, ?, 5, ?, ?, 0 FROM wallet "
    "WHERE organisation_id = 1"
)
USAGE_COLUMNS = (
    "organisation_id, switch_id, call_key, kind, type, user_id, from_digits, to_digits, "
    "destination, prefix, rate, currency, started_ms, ended_ms, used_s, billed_s, fee_micros, "
    "cause, capability, month, pool, pool_s, post_micros, conference_id, flags, because"
)
COPY_USAGE = (
    f"INSERT INTO usage_record (id, call_id, charge_micros, {USAGE_COLUMNS}) "
    f"SELECT 77, ?, ?, {USAGE_COLUMNS} FROM usage_record WHERE call_key = 'unanswered'"
)

OF_A_USER = "user_id > 0 AND organisation_id = 1"


class Attacker:
    """Changes the books of organisations 1 and 2 behind the program's back."""

    def __init__(self, player):
        self.connection = player.connection
        self.small, self.big = self.lots(1)
        self.remove_guards()

    def remove_guards(self):
        if self.connection.dialect == "sqlite":
            self.run("PRAGMA ignore_check_constraints = ON")
            for (name,) in self.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
                self.run(f"DROP TRIGGER {name}")
            return
        for table in ("transfer", "usage_record", "document", "post_statement_usage", "taken_back"):
            self.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table, name in self.rows(POSTGRES_GUARDS):
            self.run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def rows(self, statement, *values):
        return self.connection.rows(statement, values)

    def run(self, statement, *values):
        return self.connection.run(statement, values)

    def lots(self, organisation_id):
        rows = self.rows(
            "SELECT id FROM lot WHERE organisation_id = ? ORDER BY amount_micros", organisation_id
        )
        return [row[0] for row in rows]

    def wallet(self, organisation_id=1, **more):
        self.add("wallet", "organisation_id", organisation_id, more)

    def lot(self, lot_id, **more):
        self.add("lot", "id", lot_id, more)

    def call(self, call_key, **more):
        self.add("call", "call_key", call_key, more)

    def meter(self, organisation_id, ending, column, more):
        touched = self.run(
            f"UPDATE meter SET {column} = {column} + ? WHERE organisation_id = ? AND key LIKE ?",
            more,
            organisation_id,
            f"%{ending}",
        )
        assert touched == 1

    def add(self, table, key, value, more):
        for column, micros in more.items():
            touched = self.run(
                f"UPDATE {table} SET {column}_micros = {column}_micros + ? WHERE {key} = ?",
                micros,
                value,
            )
            assert touched == 1

    def transfer(self, debit, credit, kind, usage_id=None, number=0):
        assert self.run(INSERT_TRANSFER, number, debit, credit, kind, usage_id) == 1

    def usage_of(self, call_key):
        return self.rows("SELECT id FROM usage_record WHERE call_key = ?", call_key)[0][0]


def hold_more_than_is_left(attacker):
    ((parts, held),) = attacker.rows("SELECT parts, held_micros FROM call WHERE call_key = 'o3'")
    lot_id = int(parts.strip("[]").split(",")[0])
    attacker.wallet(2, held=10**7)
    attacker.lot(lot_id, held=10**7)
    attacker.call("o3", held=10**7)
    attacker.meter(2, "/spending/5", "held", 10**7)
    new_parts = f"[[{lot_id},{held + 10**7}]]"
    attacker.run("UPDATE call SET parts = ? WHERE call_key = 'o3'", new_parts)


def have_more_than_came_in(attacker):
    attacker.transfer(1, attacker.big, "purchase")
    attacker.lot(attacker.big, remaining=5)
    attacker.wallet(balance=5)


def name_a_usage_record_that_is_not_there(attacker):
    attacker.transfer(attacker.big, 2, "usage", 42)
    attacker.lot(attacker.big, remaining=-5)
    attacker.wallet(balance=-5)


def move_money_for_a_call_that_cost_nothing(attacker):
    usage_id = attacker.usage_of("unanswered")
    attacker.transfer(attacker.big, 2, "correction", usage_id, 0)
    attacker.transfer(2, attacker.big, "correction", usage_id, 1)


def charge_without_a_transfer(attacker):
    attacker.run(COPY_USAGE, 42, 5)
    attacker.meter(1, "/spending/5", "used", 5)


def owe_after_use_what_no_transfer_says(attacker):
    attacker.run("UPDATE usage_record SET post_micros = 9 WHERE call_key = 'after use'")
    ((before,),) = attacker.rows(
        "SELECT SUM(amount_micros) FROM transfer WHERE debit_account = ? AND organisation_id = 4",
        POST_USAGE,
    )
    attacker.meter(4, "/post_usage", "used", 9 - before)


def run(statement, *values):
    return lambda attacker: attacker.run(statement, *values)


PLANTED = [
    ("wallet_lots", lambda a: a.wallet(balance=1)),
    ("wallet_lots", run("DELETE FROM wallet WHERE organisation_id = 3")),
    ("lot_transfers", lambda a: (a.lot(a.small, remaining=5), a.lot(a.big, remaining=-5))),
    ("debt_transfers", lambda a: a.wallet(debt=5, balance=-5)),
    ("lot_amounts", lambda a: a.lot(a.big, amount=5)),
    ("lot_remaining", have_more_than_came_in),
    ("lot_held", hold_more_than_is_left),
    ("lot_spent", run("UPDATE lot SET spent = NOT spent WHERE amount_micros = 10000000")),
    ("wallet_holds", lambda a: a.wallet(held=5)),
    ("lot_holds", lambda a: (a.wallet(held=5), a.lot(a.small, held=5))),
    ("holds_without_call", lambda a: (a.wallet(held=5), a.lot(a.big, held=5))),
    ("call_holds", lambda a: (a.call("o1", held=5), a.meter(1, "/spending/5", "held", 5))),
    ("closed_holds", lambda a: a.call("short", held=5)),
    ("call_sweeps", run("UPDATE call SET sweep_ms = deadline_ms + 1 WHERE call_key = 'o1'")),
    ("transfer_accounts", lambda a: a.transfer(1, 999, "purchase")),
    ("transfer_kinds", run("UPDATE transfer SET kind = 'purchase' WHERE kind = 'grant'")),
    (
        "transfer_kinds",
        run("UPDATE transfer SET credit_account = 2 WHERE kind = 'take_back'"),
    ),
    ("taken_back", run("UPDATE taken_back SET voided_micros = voided_micros + 5")),
    ("taken_back", run("UPDATE taken_back SET debt_micros = debt_micros - 5")),
    ("taken_back", run("DELETE FROM taken_back")),
    ("taken_back", run("UPDATE taken_back SET lot_id = 42")),
    ("transfer_usage", name_a_usage_record_that_is_not_there),
    ("usage_transfers", charge_without_a_transfer),
    ("usage_transfers", move_money_for_a_call_that_cost_nothing),
    ("usage_once", run(COPY_USAGE.replace("?", "call_id", 1), 0)),
    ("usage_calls", run("UPDATE usage_record SET call_key = 'x' WHERE call_key = 'short'")),
    ("usage_currency", run("UPDATE usage_record SET currency = 'EUR' WHERE call_key = 'short'")),
    ("call_charges", lambda a: a.call("short", charged=5)),
    ("call_usage", run("UPDATE call SET usage_id = 42 WHERE call_key = 'short'")),
    ("usage_parts", run("UPDATE usage_record SET billed_s = 60 WHERE call_key = 'minutes'")),
    ("usage_after_use", owe_after_use_what_no_transfer_says),
    ("meter_used", lambda a: a.meter(4, "/post_usage", "used", 5)),
    ("meter_used", run("DELETE FROM meter WHERE organisation_id = 3")),
    ("meter_held", lambda a: a.meter(4, "/post_usage", "held", 5)),
    ("meter_total", lambda a: a.meter(4, "/domestic", "total", -5)),
    ("answer_calls", run("INSERT INTO answer VALUES (42, 0, 1, 0, 200, '{}', 0)")),
    ("document_numbers", run("UPDATE revision SET value = value + 1 WHERE name = 'documents'")),
    ("document_numbers", run("DELETE FROM document WHERE kind = 'credit_note'")),
    ("document_numbers", run("INSERT INTO document_gap VALUES (1, 1, 'x', 'x', 0)")),
    ("document_numbers", run("INSERT INTO document_gap VALUES (100, 199, 'x', 'x', 0)")),
    ("payment_invoices", run("UPDATE document SET amount_micros = 5 WHERE kind = 'invoice'")),
    ("payment_invoices", run("UPDATE document SET organisation_id = 2 WHERE kind = 'invoice'")),
    ("statement_usage", run("UPDATE post_statement SET amount_micros = amount_micros + 5")),
    ("statement_usage", run("UPDATE document SET amount_micros = 5 WHERE kind = 'statement'")),
    ("statement_usage", run("DELETE FROM post_statement_usage")),
    ("statement_usage", run("UPDATE post_statement_usage SET organisation_id = 1")),
    ("statement_usage", run("UPDATE transfer SET id = 77 WHERE kind = 'statement'")),
    ("statement_payments", run("UPDATE post_statement SET paid_micros = paid_micros + 5")),
    (
        "statement_payments",
        run("UPDATE transfer SET id = 77 WHERE id = (SELECT MIN(id) FROM payment)"),
    ),
    (
        "statement_payments",
        run("UPDATE transfer SET id = 77 WHERE kind = 'refund' AND debit_account = 8"),
    ),
    (
        "transfer_kinds",
        run("UPDATE transfer SET credit_account = 2 WHERE kind = 'payment'"),
    ),
]
IN_THE_SUMS = [
    ("usage_days", run("UPDATE work_mark SET value = 0 WHERE name = 'usage_day'")),
    ("usage_days", run(f"UPDATE usage_day SET type = 'x' WHERE {OF_A_USER}")),
    ("usage_days", run(COPY_USAGE, 42, 0)),
    ("usage_all_users", run("UPDATE usage_day SET calls = calls + 1 WHERE user_id = -1")),
    ("usage_all_users", run("DELETE FROM usage_day WHERE user_id = -1 AND organisation_id = 2")),
    ("usage_users", run("UPDATE usage_user SET used_s = used_s + 1 WHERE organisation_id = 1")),
    ("usage_months", run("DELETE FROM usage_user WHERE span < 0 AND organisation_id = 1")),
    ("ledger_days", run("UPDATE ledger_day SET transfers = transfers + 1 WHERE kind = 'grant'")),
    ("ledger_days", run("UPDATE ledger_day SET amount_micros = 5 WHERE kind = 'usage'")),
    ("ledger_days", run("UPDATE ledger_day SET day = day + 1000")),
    ("ledger_days", run("DELETE FROM ledger_day WHERE kind = 'purchase'")),
    ("ledger_days", run("UPDATE work_mark SET value = 0 WHERE name = 'ledger'")),
    ("wallet_hours", run("UPDATE wallet_hour SET effect_micros = effect_micros + 1")),
    ("wallet_hours", run("UPDATE wallet_hour SET spent_micros = spent_micros + 1")),
    ("wallet_hours", run("DELETE FROM wallet_hour WHERE organisation_id = 2")),
    ("wallet_hours", run("UPDATE work_mark SET value = 0 WHERE name = 'wallet_hour'")),
]


@pytest.fixture
def player(store):
    player = Player(store.cell())
    play_everything(player)
    play_documents(player)
    return player


def findings(player):
    return check_books(player.connection, player.clock_ms).findings


def named(player):
    return {finding.check for finding in findings(player)}


def test_books_with_everything_in_them_are_clean(player):
    checked = check_books(player.connection, player.clock_ms)
    assert checked.findings == ()
    assert checked.clean
    assert [check.name for check in checked.checks] == [check.name for check in CHECKS]
    rows = {check.name: check.rows for check in checked.checks}
    assert (rows["wallet_lots"], rows["usage_once"], rows["call_holds"]) == (5, 14, 18)


def test_books_with_nothing_in_them_are_clean(store):
    player = Player(store.cell())
    assert check_books(player.connection, player.clock_ms).clean


@pytest.mark.parametrize(("check", "plant"), PLANTED)
def test_a_planted_corruption_is_named_by_its_check_alone(player, check, plant):
    plant(Attacker(player))
    assert named(player) == {check}


@pytest.mark.parametrize(("check", "plant"), IN_THE_SUMS)
def test_a_corruption_of_the_sums_is_named_where_there_are_sums_and_mended_by_new_ones(
    store, player, check, plant
):
    control = store.control()
    sweep = Sweep(player.connection, lambda: player.now_ms + 10 * 60_000, player.ids.next)
    sweep = sweep._replace(control=lambda: control)
    assert sum_usage(sweep).rows == 14
    assert sum_ledger(sweep).rows == sum_wallets(sweep).rows > 0
    assert check_books(player.connection, player.clock_ms).clean
    plant(Attacker(player))
    assert check in named(player)
    for forget, make in (
        (forget_sums, sum_usage),
        (forget_ledger, sum_ledger),
        (forget_wallets, sum_wallets),
    ):
        forget(player.connection, player.now_ms)
        make(sweep)
    assert named(player) <= {"usage_once", "meter_used"}


def test_every_check_has_a_corruption_that_it_names():
    assert {check for check, _ in PLANTED + IN_THE_SUMS} == {check.name for check in CHECKS}


def test_a_finding_says_whose_which_and_how_much(player):
    attacker = Attacker(player)
    attacker.lot(attacker.big, amount=5)
    (finding,) = findings(player)
    assert finding.organisation_id == 1
    assert finding.ids == (attacker.big,)
    assert (finding.expected, finding.found) == (10_000_000, 10_000_005)
    assert finding.words == (
        f"organisation 1: lot {attacker.big} was 10.000005 when new; its largest transfer in is 10"
    )


@pytest.mark.parametrize(
    ("statement", "checks"),
    [
        ("DELETE FROM transfer WHERE kind = 'grant'", {"lot_transfers", "lot_amounts"}),
        ("DELETE FROM transfer WHERE kind = 'overdraft'", {"debt_transfers", "usage_transfers"}),
        ("DELETE FROM transfer WHERE kind = 'forfeiture'", {"lot_transfers"}),
        (
            "DELETE FROM usage_record WHERE call_key = 'short'",
            {"transfer_usage", "call_charges", "call_usage", "meter_used"},
        ),
        (
            "DELETE FROM call WHERE call_key = 'o3'",
            {"holds_without_call", "answer_calls", "meter_held"},
        ),
        ("DELETE FROM call WHERE call_key = 'o1'", {"lot_holds", "answer_calls", "meter_held"}),
        ("UPDATE call SET parts = 'x' WHERE call_key = 'o1'", {"call_holds", "lot_holds"}),
        ("UPDATE call SET parts = '[7]' WHERE call_key = 'o1'", {"call_holds", "lot_holds"}),
        ("UPDATE lot SET organisation_id = 2 WHERE amount_micros = 500000", None),
        ("UPDATE transfer SET amount_micros = amount_micros * 2 WHERE usage_id IS NOT NULL", None),
    ],
)
def test_a_clumsy_corruption_is_named_by_every_check_it_breaks(player, statement, checks):
    assert Attacker(player).run(statement) > 0
    if checks is None:
        assert not check_books(player.connection, player.clock_ms).clean
    else:
        assert named(player) == checks


def test_many_findings_are_counted_and_the_first_are_shown(player):
    attacker = Attacker(player)
    for number in range(FINDINGS_SHOWN_MAX + 5):
        attacker.transfer(1, 999, "purchase", number=number)
    checked = check_books(player.connection, player.clock_ms)
    (check,) = [check for check in checked.checks if check.broken]
    assert (check.broken, len(check.findings)) == (FINDINGS_SHOWN_MAX + 5, FINDINGS_SHOWN_MAX)


def test_a_call_that_runs_on_while_the_books_are_checked_is_no_finding(store, player):
    other = Player(store.cell(), player.now_ms, node=1)

    def clock_ms():
        other.call(1, f"meanwhile {other.ids.next()}", 61)
        return player.now_ms

    assert check_books(player.connection, clock_ms).clean
    assert check_books(player.connection, player.clock_ms).clean

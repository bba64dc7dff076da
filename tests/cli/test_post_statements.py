"""Moving to post-usage billing, and its statements, from the shell. Mirrors
src/talktime/cli/post_statements.py and commerce_model.py."""

import csv
import json
import re

import pytest

from talktime.core.post_usage import month_start_ms
from talktime.operations.close_month import Terms, close_month
from talktime.store.organisations import organisation_named
from tests.after_use import DAY_MS, SELLER, AfterUse
from tests.lively_books import Player
from tests.many_usage import Peak, multiply_usage

pytestmark = pytest.mark.layouts("sqlite", "postgres")


class Biller(AfterUse):
    """Calls of Contoso in November 2026 that are paid after use."""

    def __init__(self, store, owner):
        Player.__init__(self, store.cell(), month_start_ms("2026-11"), 77)
        self.organisation = owner


@pytest.fixture
def statement(store, shell, contoso):
    """A statement of 0.03 USD."""
    owner = organisation_named(store.control(), "Contoso")
    biller = Biller(store, owner)
    key = "2026-11/post_usage"
    biller.call(owner.id, "a", 61, post_usage=key, credits=False)
    biller.now_ms = month_start_ms("2026-12") + DAY_MS
    with biller.connection.transaction():
        return close_month(
            *(biller.connection, owner, "2026-11", Terms(SELLER)),
            now_ms=biller.now_ms,
            next_id=biller.ids.next,
        )


def test_the_wallets_statement_says_what_of_its_calls_is_paid_after_use(shell, statement):
    november = ("statement", "Contoso", "--from", "2026-11-01", "--to", "2026-12-01")
    drawn_up = shell.json(*november)
    [line] = drawn_up["calls"]
    assert (line["charge"], line["paid_after_use"]) == ("0.03", "0.03")
    assert (drawn_up["usage"], drawn_up["unproven"]) == ("0", [])
    assert "of it after use" in shell(*november)


def test_a_move_shows_what_it_does_and_is_made_with_yes(shell, contoso):
    shown = shell.json("organisation", "move", "Contoso")
    assert (shown["commerce_model"], shown["to"], shown["refused"]) == (
        *("prepaid", "post_usage"),
        None,
    )
    assert shown["effects"][0] == "no credits can be bought any more"
    assert "say it again with --yes" in shell("organisation", "move", "Contoso")
    assert shell.json("organisation", "show", "Contoso")["commerce_model"] == "prepaid"
    moved = shell.json("organisation", "move", "Contoso", "--yes", "--actor", "operator")
    assert moved["commerce_model"] == "draining"
    back = shell.json("organisation", "change", "Contoso", "--commerce-model", "prepaid")
    assert back["commerce_model"] == "prepaid"


def test_a_move_by_the_reseller_is_noted(shell, contoso):
    shown = shell.json("organisation", "move", "Contoso", "--by-reseller")
    assert (shown["commerce_model"], shown["blocked"]) == ("prepaid", "")
    assert shell.json("organisation", "show", "Contoso")["rules"]["moved"] is True


def test_a_move_to_nowhere_is_refused(shell, contoso):
    line = shell.error("organisation", "move", "Contoso", "--to", "barter")
    assert "the commerce model must be one of prepaid, post_usage" in line


def test_a_statement_is_listed_shown_and_paid(shell, statement):
    (listed,) = shell.json("post-statement", "list", "Contoso")["statements"]
    assert (listed["month"], listed["state"], listed["amount"], listed["left_to_pay"]) == (
        *("2026-11", "due"),
        *("0.03", "0.03"),
    )
    shown = shell.json("post-statement", "show", "Contoso", "2026-11")
    assert shown["lines"] == [
        {"text": "Germany", "quantity": 1, "amount": "0.03", "billed_seconds": 120}
    ]
    assert shown["number"].startswith("MAIN-")
    assert "Left to pay" in shell("post-statement", "show", "Contoso", "2026-11")
    pay = ("post-statement", "pay", "Contoso", "2026-11", "0.03", "--note", "bank 12")
    paid = shell.json(*pay, "--idempotency-key", "one")
    assert (paid["state"], paid["paid"], paid["blocked"]) == ("paid", "0.03", None)
    assert paid["calls_after_use"] == "possible"
    assert shell.json(*pay, "--idempotency-key", "one")["paid"] == "0.03"
    assert "0 USD of the statement of 2026-11 is left to pay" in shell.error(*pay)
    assert "2026-11" in shell("post-statement", "list", "Contoso")


def test_a_payment_is_undone_and_stays_in_sight(shell, statement):
    shell("post-statement", "pay", "Contoso", "2026-11", "0.03", "--note", "bank 12")
    [payment] = shell.json("post-statement", "show", "Contoso", "2026-11")["payments"]
    assert (payment["amount"], payment["detail"], payment["refunded"]) == ("0.03", "bank 12", "0")
    undo = ("post-statement", "undo", "Contoso", "2026-11", payment["payment_id"])
    why = ("--reason", "Fabrikam's money", "--idempotency-key", "one")
    for _ in range(2):
        undone = shell.json(*undo, *why)
        assert (undone["state"], undone["paid"], undone["left_to_pay"]) == ("due", "0", "0.03")
        assert undone["calls_after_use"] == "possible"
    [payment] = shell.json("post-statement", "show", "Contoso", "2026-11")["payments"]
    assert payment["refunded"] == "0.03"
    assert "undone" in shell("post-statement", "show", "Contoso", "2026-11")
    assert "went back already" in shell.error(*undo, "--reason", "again")
    back = shell.json("refund", "list", "Contoso", payment["payment_id"])["refunds"]
    assert [(each["amount"], each["reason"]) for each in back] == [("0.03", "Fabrikam's money")]
    assert shell.json("check-books")["clean"] is True


def test_what_was_billed_too_much_is_shown_and_paid_out(shell, store, contoso):
    biller = Biller(store, organisation_named(store.control(), "Contoso"))
    owner = biller.organisation
    biller.authorize(owner.id, "late", post_usage="2026-11/post_usage", credits=False)
    biller.extend("late", 1, 61)
    biller.wait(3_600)
    biller.expire("late", owner.id)
    biller.close("2026-11")
    biller.settle("late", 2, 60)
    credit = ("post-statement", "credit", "Contoso")
    assert shell.json(*credit) == {"currency": "USD", "amount": "0.015"}
    assert "0.015 USD" in shell(*credit)
    pay_out = (*credit, "--as", "payout", "--reason", "bank 4713", "--idempotency-key", "one")
    paid = shell.json(*pay_out)
    assert (paid["amount"], paid["paid_out"], paid["replayed"]) == ("-0.015", "0.02", False)
    assert shell.json(*pay_out) == {**paid, "replayed": True}
    assert shell.json(*credit)["amount"] == "0"
    assert shell.json("check-books")["clean"] is True


def test_a_payment_that_fails_says_how_to_repeat_it_once(shell, store, statement):
    cell = store.cell()
    with cell.transaction():
        cell.run("ALTER TABLE payment RENAME TO lost")
    pay = ("post-statement", "pay", "Contoso", "2026-11", "0.02", "--note", "bank 12")
    line = shell.error(*pay)
    found = re.search(r"repeat it with --idempotency-key ([0-9a-f]{32}), which records it", line)
    assert "Whether it was recorded is not known: " in line
    assert found is not None, line
    with cell.transaction():
        cell.run("ALTER TABLE lost RENAME TO payment")
    for _ in range(2):
        assert shell.json(*pay, "--idempotency-key", found[1])["paid"] == "0.02"


def test_a_statement_is_exported(shell, statement, tmp_path):
    for name in ("statement.csv", "statement.json"):
        out = shell("post-statement", "export", "Contoso", "2026-11", str(tmp_path / name))
        assert out == f"1 usage records are in {tmp_path / name}\n"
    again = str(tmp_path / "statement.csv")
    written = shell.json("post-statement", "export", "Contoso", "2026-11", again)
    assert written == {"file": again, "usage_records": 1}
    content = (tmp_path / "statement.csv").read_bytes()
    assert content.count(b"\r\n") == 2
    (row,) = csv.DictReader(content.decode().splitlines())
    document = json.loads((tmp_path / "statement.json").read_text())
    assert [document["usage"][0]["paid_after_use"], row["paid_after_use"]] == ["0.03", "0.03"]
    assert document["amount"] == "0.03"


def test_a_long_statement_is_written_page_by_page(shell, store, statement, tmp_path):
    multiply_usage(store.cell(), 10_000)
    for name in ("statement.csv", "statement.json"):
        with Peak() as peak:
            out = shell("post-statement", "export", "Contoso", "2026-11", str(tmp_path / name))
        assert out == f"10,001 usage records are in {tmp_path / name}\n"
        assert peak.bytes < 7_000_000  # a page's 2,000 records; all at once are eleven millions
    assert len(json.loads((tmp_path / "statement.json").read_bytes())["usage"]) == 10_001


def test_an_export_that_is_interrupted_leaves_what_was_there(shell, store, statement, tmp_path):
    export = ("post-statement", "export", "Contoso", "2026-11", str(tmp_path / "statement.csv"))
    shell(*export)
    whole = (tmp_path / "statement.csv").read_bytes()
    cell = store.cell()
    with cell.transaction():
        cell.run("ALTER TABLE post_statement_usage RENAME TO lost")
    shell.error(*export)
    assert (tmp_path / "statement.csv").read_bytes() == whole
    assert [each.name for each in tmp_path.iterdir() if "statement" in each.name] == [
        "statement.csv"
    ]
    with cell.transaction():
        cell.run("ALTER TABLE lost RENAME TO post_statement_usage")


def test_an_export_to_a_folder_that_is_not_there_says_so(shell, statement, tmp_path):
    file = tmp_path / "nowhere" / "statement.csv"
    line = shell.error("post-statement", "export", "Contoso", "2026-11", str(file))
    assert f"{file} cannot be written: No such file or directory" in line


def test_a_month_without_a_statement_is_refused(shell, contoso):
    line = shell.error("post-statement", "show", "Contoso", "2026-11")
    assert line.endswith("(unknown_statement)")
    assert "There are none" in shell("post-statement", "list", "Contoso")

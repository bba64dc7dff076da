"""Credits taken back in the shell. Mirrors src/talktime/cli/take_back.py."""

import pytest

from talktime.core.ids import ID_MAX

pytestmark = pytest.mark.layouts("sqlite", "postgres")

WHY = ("--reason", "250 instead of 25", "--actor", "operator")


def available(shell):
    return shell.json("wallet", "Contoso")["available"]


def test_credits_are_taken_back_once_and_the_statement_says_so(shell, contoso):
    take = ("take-back", "Contoso", contoso["lot_id"], "225", *WHY, "--idempotency-key", "b 1")
    took = shell.json(*take)
    assert took.pop("taken_back_id").isdigit()
    assert took.pop("taken").endswith("Z")
    assert took == {
        "lot_id": contoso["lot_id"],
        "amount": "225",
        "taken_from_lot": "225",
        "became_debt": "0",
        "reason": "250 instead of 25",
        "actor": "operator",
        "replayed": False,
        "idempotency_key": "b 1",
    }
    assert shell.json(*take)["replayed"] is True
    assert "225.00 USD had been taken back with this key before" in shell(*take)
    assert available(shell) == "25"
    drawn_up = shell.json("statement", "Contoso")
    assert (drawn_up["purchases"], drawn_up["taken_back"]) == ("250", "225")
    assert "less what was taken back" in shell("statement", "Contoso")
    assert shell.json("check-books")["clean"] is True


def test_more_than_is_free_says_what_is_and_what_to_do(shell, contoso):
    lot = contoso["lot_id"]
    take = ("take-back", "Contoso", lot, *("250.01", *WHY))
    assert shell.error(*take) == (
        "what is taken back must be above 0 and at most 250 USD, not 250.01. "
        "Choose an amount within the bounds that the detail names. (amount_out_of_bounds)"
    )
    assert "AMOUNT: " in shell.error("take-back", "Contoso", lot, "much", *WHY)
    for unknown in ("7", str(ID_MAX)):
        line = shell.error("take-back", "Contoso", unknown, "5", *WHY)
        assert line.startswith(f"the organisation has no lot {unknown}. List the lots")
    assert available(shell) == "250"

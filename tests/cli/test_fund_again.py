"""`talktime fund` when the database fails, and again afterwards."""

import re

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def test_a_funding_that_fails_says_how_to_repeat_it_once(shell, store, contoso):
    cell = store.cell()
    with cell.transaction():
        cell.run("ALTER TABLE lot RENAME TO lost")
    ask = ("fund", "Contoso", "70", "--reason", "order 2")
    line = shell.error(*ask)
    found = re.search(r"repeat it with --idempotency-key ([0-9a-f]{32}), which funds once", line)
    assert found is not None, line
    with cell.transaction():
        cell.run("ALTER TABLE lost RENAME TO lot")
    for _ in range(2):
        assert shell.json(*ask, "--idempotency-key", found[1])["available"] == "320"


def test_a_key_of_another_funding_is_refused_with_its_amount(shell, contoso):
    ask = ("fund", "Contoso", "75.5", "--reason", "order 2", "--idempotency-key", "order 1")
    assert "key 'order 1' funded 250 USD before, by another request." in shell.error(*ask)

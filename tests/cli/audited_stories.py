"""Commands whose change needs something to be there before: what prepares it, and what is kept."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from talktime.core.post_usage import month_start_ms
from talktime.operations.close_month import Terms, close_month
from talktime.store.organisations import organisation_named
from tests.after_use import DAY_MS, SELLER
from tests.cli.conftest import Shell
from tests.cli.test_notices import told
from tests.cli.test_post_statements import Biller
from tests.stores import Store

CONTOSO, LATER = "Contoso", "2090-01-01"
HOOKS = "https://hooks.contoso.example/talktime"
WORD = "the second word behind the command"
"""A subject that is known only when the story is prepared."""


@dataclass
class World:
    """What a story is told in: Contoso has 250 USD."""

    shell: Shell
    store: Store
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def file(self, name: str, text: str) -> str:
        """A file with this text."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


class Story(NamedTuple):
    """`prepare` gives the words behind the command; `kept` is action, subject, before, after."""

    prepare: Callable[[World], list[str]]
    kept: tuple[str, str, dict[str, Any], dict[str, Any]]


def users(world: World) -> list[str]:
    """A file that changes a user."""
    world.shell("user", "create", CONTOSO, "lobby", "--display-name", "Lobby")
    return [CONTOSO, world.file("users.csv", "name,display_name\nlobby,Entrance\n")]


def lost_wallet(world: World) -> list[str]:
    """An organisation that is newer than its cell."""
    world.shell("organisation", "create", "Fabrikam", "--country", "US")
    owner = world.shell.json("organisation", "show", "Fabrikam")["id"]
    cell = world.store.cell()
    with cell.transaction():
        cell.run("DELETE FROM wallet WHERE organisation_id = ?", [int(owner)])
    return ["Fabrikam"]


def rates(world: World) -> list[str]:
    """A second version of a card."""
    header = "prefix,destination,price_per_minute\n"
    first = world.file("first.csv", f"{header}49,Germany,0.015\n")
    world.shell("import-rates", first, "--valid-from", "2026-01-01")
    second = world.file("second.csv", f"{header}49,Germany,0.02\n44,UK,0.01\n")
    return [second, "--valid-from", LATER]


def catalogue(world: World) -> list[str]:
    """A catalogue in which a country is in another zone."""
    whole = world.shell("catalogue", "export", "--at", LATER)
    return [
        world.file(
            "all.yaml", whole.replace("code: AT, payg_zone: '2'", "code: AT, payg_zone: '1'")
        )
    ]


def clock_behind(world: World) -> list[str]:
    """A clock that may move."""
    world.monkeypatch.setenv("TALKTIME_TEST_CLOCK", "1")
    return ["1d"]


def clock_ahead(world: World) -> list[str]:
    """A clock that is ahead, with nothing that was made since."""
    world.monkeypatch.setenv("TALKTIME_TEST_CLOCK", "1")
    world.shell("clock", "advance", "1d")
    return ["--yes"]


def provider(world: World) -> list[str]:
    """A provider that is not in use."""
    world.monkeypatch.setattr("sys.stdin", io.StringIO("sk_test_51NeverShown\nwhsec_Never\n"))
    world.shell("provider", "set", "stripe")
    world.shell("provider", "set", "sandbox")
    return ["stripe"]


def grant(world: World) -> list[str]:
    """A grant above the limit."""
    give = ("grant", "give", CONTOSO, "600", "--reason", "launch", "--actor", "first")
    return [CONTOSO, world.shell.json(*give)["grant_id"], "--actor", "second"]


def statement(world: World, late: str = "") -> list[str]:
    """A month that is to be paid; or of which a late report has taken 0.015 back since."""
    owner = organisation_named(world.store.control(), CONTOSO)
    assert owner is not None
    biller = Biller(world.store, owner)
    if late:
        biller.authorize(owner.id, late, post_usage="2026-11/post_usage", credits=False)
        biller.extend(late, 1, 61)
        biller.wait(3_600)
        biller.expire(late, owner.id)
    else:
        biller.call(owner.id, "a", 61, post_usage="2026-11/post_usage", credits=False)
    biller.now_ms = month_start_ms("2026-12") + DAY_MS
    with biller.connection.transaction():
        close_month(
            *(biller.connection, owner, "2026-11", Terms(SELLER)),
            now_ms=biller.now_ms,
            next_id=biller.ids.next,
        )
    if late:
        biller.settle(late, 2, 60)
    return [CONTOSO, "2026-11", "0.03", "--note", "bank 12"]


def undone(world: World) -> list[str]:
    """A month of which was paid what was another's."""
    words = statement(world)
    paid = world.shell.json("post-statement", "pay", *words)
    assert paid["state"] == "paid"
    shown = world.shell.json("post-statement", "show", CONTOSO, "2026-11")
    [payment] = shown["payments"]
    PAYMENT["payment"] = payment["payment_id"]
    return [CONTOSO, "2026-11", payment["payment_id"], "--reason", "Fabrikam's"]


def too_much(world: World) -> list[str]:
    """A month of which less was talked than was billed, and prepaid again."""
    statement(world, "late")
    return [CONTOSO, "--as", "credits", "--reason", "late reports"]


def recharge(world: World) -> list[str]:
    """Auto-recharge that has paused."""
    world.shell("recharge", "set", CONTOSO, "--below", "10", "--amount", "100")
    cell = world.store.cell()
    with cell.transaction():
        cell.run("UPDATE recharge SET paused_code = 'card_declined', paused_ms = 1")
    return [CONTOSO]


def delivery(world: World) -> list[str]:
    """A delivery that was given up."""
    world.shell("webhook", "add", CONTOSO, HOOKS)
    cell = told(world.store, world.shell.json("organisation", "show", CONTOSO))
    with cell.transaction():
        cell.run("UPDATE delivery SET state = 'failed', due_ms = NULL, detail = 'no', tries = 3")
    told_of = world.shell.json("notices", CONTOSO)["notices"]
    [one] = [each for each in told_of if each["kind"] == "balance.zero"]
    return [CONTOSO, one["deliveries"][0]["id"]]


PAID = {"amount_micros": 30_000, "currency": "USD", "note": "bank 12"}
PAYMENT = {**PAID, "reason": "Fabrikam's", "payment": "known when the story is prepared"}
TOO_MUCH = {
    "amount_micros": 15_000,
    "currency": "USD",
    "reason": "late reports",
    "to": "credits",
    "paid_out_micros": 0,
}
GIVEN = {"amount_micros": 600_000_000, "currency": "USD", "reason": "launch"}
PUBLISHED = {"valid_from_ms": 3_786_912_000_000, "rates": 2, "source": "second.csv"}
REZONED = {"AT payg_zone": "1", "entries": 1}
STORIES = {
    "user import": Story(
        users, ("user.changed", "lobby", {"display_name": "Lobby"}, {"display_name": "Entrance"})
    ),
    "organisation make-wallet": Story(
        lost_wallet, ("wallet.made", "Fabrikam", {}, {"currency": "USD"})
    ),
    "import-rates": Story(rates, ("rate_card.published", "standard", {}, PUBLISHED)),
    "catalogue import": Story(
        catalogue, ("catalogue.changed", "country AT", {"AT payg_zone": "2"}, REZONED)
    ),
    "clock advance": Story(clock_behind, ("clock.moved", "", {"days_ahead": 0}, {"days_ahead": 1})),
    "clock reset": Story(clock_ahead, ("clock.moved", "", {"days_ahead": 1}, {"days_ahead": 0})),
    "provider remove": Story(provider, ("provider.removed", "stripe", {}, {})),
    "grant approve": Story(grant, ("grant.approved", WORD, {}, GIVEN)),
    "post-statement undo": Story(undone, ("statement.payment_undone", "2026-11", {}, PAYMENT)),
    "post-statement credit": Story(too_much, ("statement.credit_settled", CONTOSO, {}, TOO_MUCH)),
    "post-statement pay": Story(statement, ("statement.paid", "2026-11", {}, PAID)),
    "recharge resume": Story(
        recharge, ("recharge.resumed", "", {"paused": "card_declined"}, {"paused": ""})
    ),
    "webhook redeliver": Story(delivery, ("delivery.again", HOOKS, {}, {"notice": "balance.zero"})),
}

"""The world of money_world.py with the sandbox that is built in for a bank: the provider itself,
with its switches, on connections that die as ours do. The proof reads its own tables.
"""

from collections.abc import Callable
from typing import Any

from talktime.core.sandbox import (
    APPROVE,
    BEHAVIOURS,
    DECLINE_THEN_APPROVE,
    DOWN,
    NORMAL,
    WEBHOOKS,
)
from talktime.jobs.sandbox_events import post_sandbox_events
from talktime.operations.card_setups import begin_card
from talktime.operations.payment_methods import make_first, remove_method
from talktime.operations.provider_settings import SANDBOX
from talktime.operations.sandbox import (
    add_sandbox_card,
    change_sandbox_card,
    confirm_sandbox_charge,
    decide_sandbox_dispute,
    fail_sandbox_card,
    list_sandbox_cards,
    open_sandbox_dispute,
    refund_at_the_sandbox,
    set_sandbox,
)
from talktime.operations.sandbox_charges import CARD_REF, begin_sandbox_card
from talktime.operations.sweep import Sweep
from talktime.providers.chosen import sandbox_secret
from talktime.providers.payment_sandbox import SandboxProvider
from talktime.store.database import Connection, Row
from tests.invariants.money_jobs import AFTER_EVENTS, BEFORE_EVENTS, Jobs, alone
from tests.invariants.money_world import UNIT, World
from tests.stores import Store

CHARGED_TWICE = (
    "SELECT try_id FROM sandbox_charge WHERE state = 'succeeded' "
    "GROUP BY try_id HAVING COUNT(*) > 1 ORDER BY try_id"
)
TAKEN = (
    "SELECT COALESCE(SUM(amount_micros), 0) FROM sandbox_charge "
    "WHERE state = 'succeeded' AND organisation_id = ?"
)
REFUNDED = (
    "SELECT COALESCE(SUM(r.amount_micros), 0) FROM sandbox_refund r "
    "JOIN sandbox_charge c ON c.id = r.charge_id WHERE c.organisation_id = ?"
)
DISPUTED = (
    "SELECT COALESCE(SUM(d.amount_micros), 0) FROM sandbox_dispute d "
    "JOIN sandbox_charge c ON c.id = d.charge_id WHERE c.organisation_id = ? AND d.state <> 'won'"
)
ASKING = "SELECT id FROM sandbox_charge WHERE state = 'confirming' ORDER BY id"
PAID = "SELECT id FROM sandbox_charge WHERE state = 'succeeded' ORDER BY id"
OPEN_DISPUTES = "SELECT id FROM sandbox_dispute WHERE state = 'open' ORDER BY id"
PAYS_OFTEN = (APPROVE, APPROVE, APPROVE)


class Sandbox(SandboxProvider):
    """The provider as it is, and what its own books say, read on a connection that never dies."""

    books: Connection

    def charged_twice(self) -> list[int]:
        """The tries whose money was taken twice: there must be none."""
        return [row[0] for row in self.books.rows(CHARGED_TWICE)]

    def total_charged_micros(self, organisation_id: int) -> int:
        """All that was charged of an organisation, whatever went back."""
        return int(self.books.rows(TAKEN, (organisation_id,))[0][0])

    def kept_micros(self, organisation_id: int) -> int:
        """What was charged of an organisation and did not go back."""
        back = [
            int(self.books.rows(each, (organisation_id,))[0][0]) for each in (REFUNDED, DISPUTED)
        ]
        return self.total_charged_micros(organisation_id) - sum(back)


class SandboxWorld(World):
    """One history with the sandbox."""

    provider_name = SANDBOX

    def __init__(self, store: Store, seed: int) -> None:
        self._settings = store.settings
        super().__init__(store, seed)

    def make_bank(self, seed: int) -> Any:
        """The sandbox, on the control plane's mortal connection."""
        sandbox = Sandbox(
            *(lambda: self.control, self.clock_ms, self.ids.next),
            webhook_secret=sandbox_secret(self._settings),
            pages_url="https://t.example",
        )
        sandbox.books = self.plain_control
        return sandbox

    def mend_the_bank(self) -> None:
        """The sandbox answers and posts, and so do the banks of its cards."""
        self._do(set_sandbox, webhooks=NORMAL, down=False, actor="operator", now_ms=self.now_ms)
        for card in self._cards():
            if card.script == DOWN:
                self._do(change_sandbox_card, card.id, script=APPROVE)

    # What happens

    def add_card(self) -> None:
        """A card is added, of any kind."""
        script = self.random.choice((*PAYS_OFTEN, *BEHAVIOURS))
        page = self._do(
            begin_sandbox_card,
            setup_id=self.ids.next(),
            organisation_id=self.organisation.id,
            **{"customer_ref": "", "name": "Contoso", "return_url": "/", **self._timed()},
        )
        card = self._do(add_sandbox_card, page.id, **self._script(script), **self._timed())
        self._add_method(card.customer_ref, f"{CARD_REF}{card.id}")
        self.tell(f"card {card.id}: {script}")

    def add_card_on_its_page(self) -> None:
        """An admin begins to add a card; what waits for one is entered, or closed."""
        begin_card(
            self._counter(), provider=SANDBOX, return_url="https://t.example/", actor="admin"
        )
        waiting = [card for card in self._cards() if card.state == "waiting"]
        for card in waiting:
            if self.random.random() < 0.5:
                script = self._script(self.random.choice((*PAYS_OFTEN, *BEHAVIOURS)))
                if self.random.random() < 0.8:
                    self._do(add_sandbox_card, card.id, **script, **self._timed())
                else:
                    self._do(fail_sandbox_card, card.id, **self._timed())
        self.tell(f"{len(waiting)} pages for cards")

    def change_methods(self) -> None:
        """Cards get other scripts, another order, or are removed."""
        for card in self._cards():
            if self.random.random() < 0.5:
                script = self._script(self.random.choice((*PAYS_OFTEN, *BEHAVIOURS)))
                self._do(change_sandbox_card, card.id, **script)
        methods = self._methods()
        if methods and self.random.random() < 0.3:
            remove_method(self._counter(), self.random.choice(methods))
        elif methods:
            make_first(self._counter(), self.random.choice(methods))
        self.tell(f"cards: {[(card.state, card.script) for card in self._cards()]}")

    def confirm_at_the_bank(self) -> None:
        """A cardholder confirms what waits, or does not."""
        for (charge_id,) in self._found(ASKING):
            confirmed = self.random.random() < 0.5
            self._do(confirm_sandbox_charge, charge_id, confirmed=confirmed, **self._timed())
            self.tell(f"charge {charge_id} confirmed: {confirmed}")

    def trouble_at_the_bank(self) -> None:
        """The sandbox's switches are turned."""
        webhooks, down = self.random.choice(sorted(WEBHOOKS)), self.random.random() < 0.25
        self._do(set_sandbox, webhooks=webhooks, down=down, actor="operator", now_ms=self.now_ms)
        self.tell(f"sandbox: webhooks {webhooks}, down {down}")

    def go_back_at_the_bank(self) -> None:
        """A cardholder disputes a charge, a dispute is decided, money goes back behind our back."""
        disputes, charges = self._found(OPEN_DISPUTES), self._found(PAID)
        came: object = None
        if disputes and self.random.random() < 0.6:
            won = self.random.random() < 0.5
            came = self._do(decide_sandbox_dispute, disputes[0][0], won=won, **self._timed())
        elif charges and self.random.random() < 0.4:
            [charge_id] = self.random.choice(charges)
            came = self._do(
                refund_at_the_sandbox, charge_id, amount_micros=5 * UNIT, **self._timed()
            )
        elif charges:
            [charge_id] = self.random.choice(charges)
            came = self._do(open_sandbox_dispute, charge_id, **self._timed())
        self.tell(f"money goes back: {came}"[:150])

    # How it is done

    def _jobs(self) -> Jobs:
        return (*BEFORE_EVENTS, alone(post_sandbox_events), *AFTER_EVENTS)

    def _sweep(self) -> Sweep:
        return super()._sweep()._replace(settings=self._settings)

    def _do(self, what: Callable[..., Any], *about: object, **options: Any) -> Any:
        """Something on the sandbox's own pages, in a transaction that may not come to its end."""
        with self.control.transaction():
            return what(self.control, *about, **options)

    def _timed(self) -> dict[str, Any]:
        return {"now_ms": self.now_ms, "next_id": self.ids.next}

    def _script(self, script: str) -> dict[str, Any]:
        many = script == DECLINE_THEN_APPROVE
        return {"script": script, "declines": self.random.randint(1, 4) if many else 0}

    def _cards(self) -> list[Any]:
        with self.plain_control.reading():
            return list_sandbox_cards(self.plain_control)

    def _found(self, query: str) -> list[Row]:
        with self.plain_control.reading():
            return self.plain_control.rows(query)

"""What waits for the operator, and the operator's books, over the management API. Mirrors
src/talktime/console/api/attention.py and books.py."""

import csv
import io
import json
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from talktime.console.cell.models import AuditEntry
from talktime.console.control_plane.models import Organisation
from talktime.console.databases import set_up
from talktime.console.migrate import migrate
from talktime.core.charges import Declined, Unknown
from talktime.jobs.timetable import TIMETABLE
from talktime.operations.recharge_settings import RechargePlan, set_recharge
from talktime.operations.sweep import Sweep
from tests.console.conftest import close_connections, settings_in
from tests.console.money import CARD, Money
from tests.console.test_operator_flows import Staff
from tests.console.test_pages import EMAIL
from tests.lively_books import Player, unpriced_call

DAY_MS = 86_400_000
LOST = Declined("ch", "lost_card", "The card was reported lost.", True)


class Api:
    """Asks with a key that opens everything."""

    def __init__(self, money):
        self.key, self.sent = money.key("operator", "billing", "read"), 0

    def ask(self, method, path, body=None):
        self.sent += 1
        headers = {"authorization": f"Bearer {self.key}", "idempotency-key": f"k{self.sent}"}
        client = Client(SERVER_NAME="localhost", headers=headers)
        at = path if path.startswith("/api/") else f"/api/v1{path}"
        sent = "" if body is None else json.dumps(body)
        answer = client.generic(method, at, sent, content_type="application/json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def get(self, path):
        return self.ask("GET", path)

    def buy(self, owner="Contoso", amount="100", method=CARD):
        body = {"amount": amount, "method_id": str(method)}
        return self.ask("POST", f"/organisations/{owner}/purchases", body)["payment_id"]

    def buy_by_invoice(self, owner):
        at = f"/organisations/{owner}/payment-methods"
        method = self.ask("POST", at, {"agreement": f"EA {self.sent}"})["method_id"]
        return self.buy(owner, method=method)

    def all_pages(self, path, name):
        """A list asked for one by one."""
        rows, place = [], f"{path}{'&' if '?' in path else '?'}limit=1"
        while place:
            page = self.get(place)
            rows += page[name]
            place = page["next"]
        return rows


@pytest.fixture
def money(installation):
    money = Money(installation)
    money.add_card()
    return money


@pytest.fixture
def api(money):
    return Api(money)


def waiting(api, state):
    return api.get(f"/attention/payments?state={state}")["waiting_payments"]


def test_a_payment_waits_under_its_state_with_whose_it_is(api, money):
    unknown = api.buy()
    money.bank.answers = [Unknown("the connection broke")]
    money.run_jobs()
    failed = api.buy()
    money.bank.answers = [LOST]
    money.run_jobs(money.now_ms + 5_000)
    by_state = {state: waiting(api, state) for state in ("unknown", "failed", "declined")}
    [told] = by_state["unknown"]
    assert {name: told[name] for name in ("payment_id", "organisation", "amount", "currency")} == {
        "payment_id": unknown, "organisation": "Contoso", "amount": "100", "currency": "USD",
    }  # fmt: skip
    assert (told["organisation_id"], told["state"]) == (str(money.owner.id), "unknown")
    assert told["next_step"] is not None
    assert [each["payment_id"] for each in by_state["failed"]] == [failed]
    assert by_state["failed"][0]["detail"] == "The card was reported lost."
    assert by_state["declined"] == waiting(api, "invoiced") == []


def test_failed_payments_come_latest_first_page_by_page(api, money):
    ids = [api.buy() for _ in range(3)]
    money.bank.answers = [LOST] * 3
    money.run_jobs()
    rows = api.all_pages("/attention/payments?state=failed", "waiting_payments")
    assert [each["payment_id"] for each in rows] == ids[::-1]


def test_a_paused_recharge_waits_with_its_reason(api, money):
    assert api.get("/attention/recharges") == {"paused_recharges": [], "next": None, "away": []}
    money.bank.answers = [LOST]
    plan = RechargePlan(True, 50_000_000, 100_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    money.run_jobs(money.now_ms + 5_000)
    [told] = api.get("/attention/recharges")["paused_recharges"]
    assert (told["organisation"], told["detail"]) == ("Contoso", "The card was reported lost.")
    assert told["since"] is not None


def test_a_refund_waits_until_its_provider_has_confirmed_it(api, money):
    payment = api.buy()
    money.run_jobs()
    body = {"amount": "30", "reason": "asked for"}
    api.ask("POST", f"/organisations/Contoso/payments/{payment}/refunds", body)
    [told] = api.get("/attention/refunds")["waiting_refunds"]
    assert (told["payment_id"], told["amount"], told["currency"]) == (payment, "30", "USD")
    assert (told["organisation"], told["reason"]) == ("Contoso", "asked for")
    assert api.get("/attention/refunds?kind=chargeback")["waiting_refunds"] == []


def test_a_call_that_no_rate_prices_waits_with_the_card_that_lacks_it(api, money):
    """D10, R63: the operator is told of calls that took place and could not be priced."""
    Organisation.objects.update(country="SE")  # where three digits are hidden (R78)
    with closing(money.cell()) as cell:
        unpriced_call(cell, money.owner.id, money.now_ms - 8 * DAY_MS)
        unpriced_call(cell, money.owner.id, money.now_ms)
        player = Player(cell, money.now_ms)
        player.fund(money.owner.id, 10_000_000)
        player.authorize(money.owner.id, "priced")
        player.settle("priced", 1, 90)
    [told] = api.get("/attention/calls")["unpriced_calls"]
    del told["usage_id"], told["began_at"]
    assert told == {
        "organisation_id": str(money.owner.id), "organisation": "Contoso", "caller": "",
        "rate_card": money.owner.rate_card, "type": "user_out", "from": "+14255550100",
        "to": "+4930123***", "talked_seconds": 90, "unpriced_seconds": 60,
    }  # fmt: skip


@pytest.fixture
def two_cells(tmp_path):
    settings = settings_in(tmp_path, TALKTIME_CELLS="main north")
    migrate(settings)
    set_up(settings)
    yield Money(settings)
    close_connections()


def test_all_cells_are_looked_at_and_one_that_is_away_is_named(two_cells):
    api = Api(two_cells)
    body = {"name": "Fabrikam", "currency": "EUR", "country": "DE", "cell": "north"}
    api.ask("POST", "/organisations", body)
    owners = ("Fabrikam", "Contoso", "Fabrikam")
    ids = [api.buy_by_invoice(owner) for owner in owners]
    path = "/attention/payments?state=invoiced"
    rows = api.all_pages(path, "waiting_payments")
    assert [each["payment_id"] for each in rows] == ids
    assert [(each["organisation"], each["currency"]) for each in rows] == [
        ("Fabrikam", "EUR"), ("Contoso", "USD"), ("Fabrikam", "EUR"),
    ]  # fmt: skip
    for row in rows[:2]:
        at = f"/organisations/{row['organisation']}/payments/{row['payment_id']}/receipt"
        api.ask("POST", at, {"reference": "bank 1"})
    told = api.get("/books/money")
    assert [(each["currency"], each["sold"]) for each in told["months"]] == [
        ("EUR", "100"), ("USD", "100"),
    ]  # fmt: skip
    assert [each["cell"] for each in api.get("/books/proof")["cells"]] == ["main", "north"]
    north = two_cells.settings.cells["north"].path
    close_connections()
    set_up(two_cells.settings)
    away = north.with_suffix(".away")
    north.rename(away)
    try:
        told = api.get(path)
        assert (told["waiting_payments"], told["away"]) == ([], ["north"])
        for path in ("money", "trial-balance", "proof"):
            assert api.get(f"/books/{path}")["away"] == ["north"]
    finally:
        away.rename(north)


def test_money_by_month_is_that_of_the_consoles_file(api, money):
    api.buy()
    money.run_jobs()
    body = {"amount": "7", "reason": "sorry", "promotional": True}
    api.ask("POST", "/organisations/Contoso/grants", body)
    staff = Staff(money, EMAIL)
    file = staff.get("money/?format=csv").content.decode()
    [theirs] = csv.DictReader(io.StringIO(file))
    told = api.get("/books/money")
    [ours] = told["months"]
    assert (ours["sold"], ours["given"], ours["liability"]) == ("100", "7", "107")
    assert (told["until"], told["away"]) == (None, [])
    assert theirs == {
        "period": ours.pop("month"),
        **{name: text for name, text in ours.items() if name not in ("earned", "liability")},
    }


def test_the_trial_balance_adds_up_on_its_day(api, money):
    api.buy()
    money.run_jobs()
    told = api.get("/books/trial-balance")
    [balance] = told["balances"]
    assert balance["accounts"] == [
        {"account": 1, "name": "funding", "debit": "100", "credit": "0", "balance": "-100"},
        {"account": 101, "name": "paid credits", "debit": "0", "credit": "100", "balance": "100"},
    ]
    assert (balance["currency"], balance["debit"], balance["credit"], balance["sum"]) == (
        "USD", "100", "100", "0",
    )  # fmt: skip
    today = datetime.fromisoformat(told["day"]).replace(tzinfo=UTC)
    before = (today - timedelta(days=2)).date().isoformat()
    assert api.get(f"/books/trial-balance?day={before}")["balances"] == []


def test_a_proof_is_asked_for_and_told_check_by_check(api, money):
    [books] = api.get("/books/proof")["cells"]
    assert (books["cell"], books["proved"], books["asked"]) == ("main", None, None)
    assert {each["rows"] for each in books["checks"]} == {None}
    [books] = api.ask("POST", "/books/proof")["cells"]
    assert books["asked"] is not None
    asked = AuditEntry.objects.using("cell_main").get(action="books.proof_asked")
    assert asked.actor_kind == "key"
    [job] = [each for each in TIMETABLE if each.name == "prove_when_asked"]
    now_ms = time.time_ns() // 1_000_000
    with closing(money.cell()) as cell:
        job.run(Sweep(cell, lambda: now_ms, money.ids))
        [books] = api.get("/books/proof")["cells"]
        assert (books["broken"], books["asked"]) == (0, None)
        assert books["proved"] is not None
        with cell.transaction():
            cell.run("UPDATE wallet SET balance_micros = 5")
        api.ask("POST", "/books/proof")
        job.run(Sweep(cell, lambda: now_ms, money.ids))
    [books] = api.get("/books/proof")["cells"]
    assert books["broken"] == 1
    [broken] = [each for each in books["checks"] if each["broken"]]
    assert "the wallet says 0.000005" in broken["findings"][0]

"""The main job on real input: a month of 100,000 calls over HTTP, at the published prices.

What each organisation is charged is worked out here a second time, in the plainest way, from the
call file and the rate file alone.
"""

import csv
import json
import secrets
import subprocess
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from talktime.core.directory import (
    PERSON,
    USER_NUMBER,
    NumberEntry,
    Organisation,
    User,
)
from talktime.core.ids import NODES, Ids
from talktime.core.money import decimal_text, parse_micros
from talktime.core.outcomes import Funded
from talktime.jobs.runner import Run, Runner
from talktime.operations.fund import fund
from talktime.operations.organisations import create_organisation, list_organisations
from talktime.store.numbers import insert_numbers
from talktime.store.users import insert_users
from tests.cli.conftest import Shell
from tests.month import BAD_NUMBERS, ORGANISATIONS, Month, MonthCall, write_calls
from tests.month import User as MonthUser
from tests.people import PAYS_AS_IT_GOES
from tests.served import EXPECTED, clock_ms
from tests.serving import COMMAND, clean_environ, serving
from tests.stores import Store

RATES = Path(__file__).parents[3] / "shared" / "data" / "rates" / "acs-pstn-rates.csv"
SEED, CALLS = 20_261, 100_000
SLICE_S = 300
MINUTES_LATER = 10
SPECIAL_KINDS = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)
PREMIUM_CALLABLE = ("+43", "+33")  # Austria, France
CALLABLE_SPECIALS = tuple(f"+44{prefix}" for prefix in (843, 844, 845, 870, 871, 872))
POOR = "alpine.example"
POOR_BALANCE, BALANCE = "12.5", "1000000"


def published_prices() -> dict[str, Fraction]:
    """The rate file as a person reads it: a price a minute for each prefix."""
    assert RATES.exists(), f"the published rates are expected at {RATES}"
    with RATES.open(encoding="utf-8") as file:
        return {row["Prefix"]: Fraction(row["Price / min"]) for row in csv.DictReader(file)}


def last_month(now: datetime) -> str:
    """The first day of the last month that is over in every time zone: its last office hours are
    not, where a day has just begun elsewhere."""
    this = (now - timedelta(days=1)).replace(day=1)
    return (this - timedelta(days=1)).replace(day=1).strftime("%Y-%m-%d")


def price_of(number: str, prices: dict[str, Fraction]) -> Fraction | None:
    """The price of a minute: that of the longest prefix."""
    digits = number.removeprefix("+")
    for length in range(len(digits), 0, -1):
        if digits[:length] in prices:
            return prices[digits[:length]]
    return None


def charge_micros(number: str, used_s: int, prices: dict[str, Fraction]) -> int:
    """A minute that has begun is a minute paid, rounded up to the micro once."""
    price = price_of(number, prices)
    assert price is not None, number
    return ceil(price * ceil(Fraction(used_s, 60)) * 1_000_000)


def is_premium(number: str) -> bool:
    """Whether the number is of a kind that few countries let be called (R47)."""
    if number.startswith(CALLABLE_SPECIALS):
        return False
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return kind in SPECIAL_KINDS and not number.startswith(PREMIUM_CALLABLE)


def outcome_of(call: MonthCall, users: dict[str, MonthUser], prices: dict[str, Fraction]) -> str:
    """What a call comes to when there is money enough."""
    user = users.get(call.from_)
    if user is None:
        return "unknown_caller"
    if call.to in BAD_NUMBERS:
        return "invalid_number"
    if is_premium(call.to):
        return "number_not_supported"
    if not user.licensed:
        return "no_user_credit_capability"
    if price_of(call.to, prices) is None:
        return "no_rate"
    return "settled" if call.settle == "sent" else "granted"


def reported_s(call: MonthCall) -> int:
    """The seconds that the service hears of: without a settle, those of the slices used up."""
    if call.settle == "sent":
        return call.used_s
    return max(0, (call.used_s - 1) // SLICE_S * SLICE_S)


PAYS_NOTHING = PAYS_AS_IT_GOES - {"MCOPSTNC"}


def set_up(store: Store, month: Month) -> None:
    """Make the organisations with their users and numbers."""
    ids = Ids(secrets.randbelow(NODES), clock_ms)
    control, cells = store.control(), {"main": store.cell()}
    for each in month.organisations:
        made = create_organisation(
            control,
            cells,
            name=each.name,
            cell="main",
            currency="USD",
            time_zone=each.time_zone,
            country=each.country,
            rate_card="standard",
            now_ms=clock_ms(),
            next_id=ids.next,
        )
        assert isinstance(made, Organisation)
        people = [
            User(
                *(ids.next(), made.id, user.name, user.name, each.country),
                *(PAYS_AS_IT_GOES if user.licensed else PAYS_NOTHING, PERSON, True),
            )
            for user in each.users
        ]
        with cells["main"].transaction():
            insert_users(cells["main"], people)
        with control.transaction():
            insert_numbers(
                control,
                [
                    NumberEntry(user.number.removeprefix("+"), made.id, person.id, USER_NUMBER)
                    for user, person in zip(each.users, people, strict=True)
                ],
            )


def fund_all(store: Store) -> None:
    """Give each what it is to use: less, and more, than can be bought at once."""
    ids, cell = Ids(secrets.randbelow(NODES), clock_ms), store.cell()
    for each in list_organisations(store.control()):
        balance = POOR_BALANCE if each.name == POOR else BALANCE
        funded = fund(
            cell,
            each,
            amount_micros=parse_micros(balance),
            reason="a month of calls",
            actor="operator",
            idempotency_key="month",
            now_ms=clock_ms(),
            next_id=ids.next,
        )
        assert isinstance(funded, Funded)


def supervise(store: Store, minutes_later: int) -> None:
    """Run the jobs with a clock that is ahead, until no hold is due."""
    done = threading.Event()

    def ran(run: Run) -> None:
        if run.job == "expire_holds" and not run.rows and not run.failure:
            done.set()

    def clock() -> int:
        return clock_ms() + minutes_later * 60_000

    def new_ids() -> Ids:
        return Ids(secrets.randbelow(NODES), clock)

    runner = Runner(store.settings, clock, new_ids, EXPECTED, after_run=ran)
    runner.start()
    assert done.wait(60)
    runner.stop()


def replayed(store: Store, key: str, calls: Path, results: Path) -> dict[str, Any]:
    """Replay the calls against a service of their own, which ends in order; the summary."""
    with serving(store.environ) as service:
        environ = {**store.environ, "TALKTIME_URL": service.url, "TALKTIME_KEY": key}
        ran = subprocess.run(
            [COMMAND, "replay", calls, "--keep-times", "--results", results, "--json"],
            env=clean_environ(environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr + service.words()
        assert service.stop() == 0, service.words()
    summary: dict[str, Any] = json.loads(ran.stdout)
    return summary


@pytest.mark.layouts("sqlite")
def test_a_month_of_calls_is_charged_to_the_micro(store, shell, tmp_path):
    prices = published_prices()
    month = Month(SEED, prefixes=list(prices), first_day=last_month(datetime.now(UTC)))
    calls = month.calls(CALLS)
    write_calls(tmp_path / "calls.csv", calls)
    set_up(store, month)
    shell("import-rates", str(RATES), "--valid-from", "2025-10-15")
    # One of the organisations is where credits are not offered: this operator does offer them.
    offered = ("country", "IN", "credits=true", "--valid-from", "2025-10-15", "--change-past")
    shell("catalogue", "set", *offered)
    fund_all(store)
    key = shell.json("key", "create", "Switch")["key"]

    summary = replayed(store, key, tmp_path / "calls.csv", tmp_path / "results.csv")
    supervise(store, MINUTES_LATER)

    with (tmp_path / "results.csv").open(encoding="utf-8") as file:
        results = {row["call_id"]: row for row in csv.DictReader(file)}
    assert len(results) == summary["calls"] == CALLS
    assert summary["repeats_answered_differently"] == 0
    assert summary["repeated"] > CALLS // 100
    users = {user.number: user for each in month.organisations for user in each.users}
    expected: Counter[str] = Counter()
    for call in calls:
        result = results[call.call_id]
        outcome, used_s = outcome_of(call, users, prices), reported_s(call)
        if call.organisation == POOR and outcome in ("settled", "granted"):
            # Whether its money still lasted is told by the service; what it costs is not.
            outcome, used_s = result["outcome"], int(result["used_seconds"])
            assert outcome in ("settled", "granted", "insufficient_credit")
            assert used_s <= call.used_s
        assert (result["outcome"], int(result["used_seconds"])) == (
            outcome,
            used_s if outcome in ("settled", "granted") else 0,
        ), call
        if outcome in ("settled", "granted"):
            micros = charge_micros(call.to, used_s, prices)
            expected[call.organisation] += micros
            if outcome == "settled":
                assert result["charge"] == decimal_text(micros), call
    check_sums(shell, expected, summary)
    assert shell.json("check-books")["clean"] is True


def check_sums(shell: Shell, expected: Counter[str], summary: dict[str, Any]) -> None:
    """Statements, and with them transfers and usage records, say what was worked out."""
    period = (
        *("--from", (datetime.now(UTC) - timedelta(days=1)).isoformat()),
        *("--to", (datetime.now(UTC) + timedelta(days=1)).isoformat()),
    )
    statements = {name: shell.json("statement", name, *period) for name in expected}
    assert {name: each["usage"] for name, each in statements.items()} == {
        name: decimal_text(micros) for name, micros in expected.items()
    }
    for name, each in statements.items():
        by_destination = sum(parse_micros(line["charge"]) for line in each["calls"])
        assert by_destination == expected[name]
        assert each["unproven"] == []
        spent = parse_micros(each["purchases"]) - parse_micros(each["closing"])
        assert spent == expected[name]
    assert len(expected) == len(ORGANISATIONS)
    refusals = {each["decision"] for each in summary["decisions"]}
    assert refusals >= {
        *("granted", "noted", "settled", "unknown_caller", "invalid_number"),
        *("no_user_credit_capability", "no_rate", "insufficient_credit"),
    }
    lost = parse_micros(summary["charge_by_currency"]["USD"]) - sum(expected.values())
    assert lost < 0, "supervision charged the calls whose settle was lost"

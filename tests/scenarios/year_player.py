"""Plays the life of one organisation on a real database, with the jobs of every day and a bank of
its own, and writes what stands right of each `->` anew.

A line is: [when] what happens [-> what comes of it]. Between two lines the jobs run once a day.
"""

import re
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from talktime.core.commands import Authorize, Settle
from talktime.core.directory import Organisation
from talktime.core.documents import number_text
from talktime.core.ids import Ids
from talktime.core.meters import month_of, post_usage_key
from talktime.core.money import decimal_text, parse_micros
from talktime.core.payers import Payers
from talktime.core.payments import PaymentMethod
from talktime.core.rating import Rate
from talktime.core.recharging import Wanted
from talktime.core.refusal import Refusal
from talktime.jobs.payments import collect_payments, recheck_recharges, tend_wallets
from talktime.operations.close_month import close_months
from talktime.operations.commerce_models import change_model, move_wallets, preview_change
from talktime.operations.counters import Counters
from talktime.operations.documents import list_documents
from talktime.operations.dunning import dun_statements
from talktime.operations.eligibility import why_not_buy
from talktime.operations.execute import execute
from talktime.operations.expire_lots import expire_lots
from talktime.operations.organisations import change_organisation, create_organisation
from talktime.operations.payment_methods import add_method, list_methods
from talktime.operations.post_statements import pay_statement
from talktime.operations.purchases import find_payment, start_purchase
from talktime.operations.recharge_settings import (
    RechargePlan,
    resume,
    set_recharge,
    view_recharge,
)
from talktime.operations.sweep import Sweep
from talktime.operations.till import Counter
from talktime.operations.warn_of_expiry import warn_of_expiry
from talktime.store.post_statements import statement_of_month
from tests.bank import Bank
from tests.books_check import faults
from tests.people import CATALOGUE
from tests.stores import Store

ZONE = ZoneInfo("Europe/Oslo")
DAY_MS = 86_400_000
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
TOLD = "SELECT kind FROM outbox WHERE organisation_id = ? AND id > ? ORDER BY id"
LAST_TOLD = "SELECT COALESCE(MAX(id), 0) FROM outbox WHERE organisation_id = ?"
WALLET = "SELECT balance_micros, debt_micros FROM wallet WHERE organisation_id = ?"
USAGE = (
    "SELECT charge_micros, post_micros FROM usage_record WHERE organisation_id = ? "
    "ORDER BY id DESC LIMIT 1"
)
LOTS = (
    "SELECT remaining_micros, expires_ms FROM lot WHERE organisation_id = ? AND NOT spent "
    "ORDER BY expires_ms, id"
)
SENTENCES: list[tuple[re.Pattern[str], Callable[..., str]]] = []


def sentence(pattern: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """A method of the player tells what comes of lines like this."""

    def tell(method: Callable[..., str]) -> Callable[..., str]:
        SENTENCES.append((re.compile(pattern), method))
        return method

    return tell


class Life:
    """One organisation's, from its first line on."""

    def __init__(self, store: Store) -> None:
        self.store, self.now_ms = store, 0
        self.control, self.cell = store.control(), store.cell()
        self.ids = Ids(7, lambda: self.now_ms)
        self.bank = Bank(lambda: self.now_ms, Random(1), "bank")
        self.card = self.bank.issue()
        self._number = 0
        self._last_told = 0
        self._id = 0

    def play(self, story: str) -> str:
        """The story with what really came of each line."""
        return "\n".join(self._line(line) for line in story.split("\n"))

    def _line(self, line: str) -> str:
        told, arrow, _ = line.partition("->")
        words = told.strip()
        if not words or words.startswith("#"):
            return line
        match = MOMENT.match(words)
        if match:
            self._live_until(moment_ms(match[0]))
            words = words[match.end() :]
        words = " ".join(words.split())
        for pattern, method in SENTENCES:
            if found := pattern.fullmatch(words):
                result = method(self, **found.groupdict())
                return f"{told}-> {result}" if arrow else line
        raise ValueError(f"no such sentence: {words!r}")

    def _live_until(self, at_ms: int) -> None:
        if not self._id:
            self.now_ms = at_ms
            self._id = self._create().id
        while self.now_ms + DAY_MS < at_ms:
            self.now_ms += DAY_MS
            self._run_jobs()
        self.now_ms = at_ms
        self._run_jobs()

    def _create(self) -> Organisation:
        made = create_organisation(
            self.control,
            {"main": self.cell},
            name="Contoso",
            cell="main",
            currency="EUR",
            time_zone="Europe/Oslo",
            country="NO",
            rate_card="standard",
            now_ms=self.now_ms,
            next_id=self.ids.next,
        )
        assert isinstance(made, Organisation)
        return made

    # What is said

    @sentence(r"a card is added")
    def add_card(self) -> str:
        self.card = self.bank.issue()
        method = PaymentMethod(
            self.ids.next(),
            self._id,
            *("card", "active", 0, "bank", self.card.customer_ref, self.card.method_ref),
            *("Visa", "4242", 2031, 4, "", "", self.now_ms, "admin"),
        )
        with self.cell.transaction():
            add_method(self.cell, method)
        return method.name

    @sentence(r"the card (?P<how>pays|is short of money|was lost)")
    def card_behaves(self, how: str) -> str:
        behaviours = {"pays": "pays", "is short of money": "short", "was lost": "lost"}
        self.card.behaviour = behaviours[how]
        return ""

    @sentence(r"(?P<amount>[\d.]+) is bought")
    def buy(self, amount: str) -> str:
        counter = self._counter()
        [method] = [m.id for m in self._methods()][:1]
        self._number += 1
        began = start_purchase(
            counter,
            amount_micros=parse_micros(amount),
            method_id=method,
            idempotency_key=f"purchase {self._number}",
            actor="admin",
            why_not=why_not_buy(CATALOGUE, counter.organisation),
        )
        if isinstance(began, Refusal):
            return began.code
        self._run_jobs()
        payment = find_payment(self._counter(), began.payment.id)
        assert not isinstance(payment, Refusal)
        if payment.state != "succeeded":
            return f"{payment.state}: {payment.code}"
        [latest] = list_documents(self.cell, counter.organisation, limit=1)
        assert latest.facts.lot is not None
        ends = date_text(latest.facts.lot.expires_ms)
        return f"{self.balance()}, lasts until {ends}, invoice {number_text('main', latest.number)}"

    @sentence(
        r"recharge (?P<amount>[\d.]+) below (?P<trigger>[\d.]+)"
        r"(, at most (?P<cap>[\d.]+) a month)?"
    )
    def recharge(self, amount: str, trigger: str, cap: str | None) -> str:
        plan = RechargePlan(
            True,
            parse_micros(trigger),
            parse_micros(amount),
            month_cap_micros=parse_micros(cap) if cap else None,
        )
        came = set_recharge(self._counter(), plan, actor="admin", why_not=None)
        return came.detail if isinstance(came, Refusal) else self.standing()

    @sentence(r"recharge is resumed")
    def resume(self) -> str:
        came = resume(self._counter(), actor="admin")
        return came.detail if isinstance(came, Refusal) else self.standing()

    @sentence(r"why no recharge")
    def standing(self) -> str:
        standing = view_recharge(self._counter()).standing
        return "due" if isinstance(standing, Wanted) else standing.words

    @sentence(r"a call costs (?P<amount>[\d.]+)")
    def call(self, amount: str) -> str:
        """One minute, at so much a minute."""
        self._number += 1
        key, organisation = f"call {self._number}", self._organisation()
        after_use = organisation.commerce_model != "prepaid" and organisation.rules.pay_as_you_go
        payers = Payers(post_usage=post_usage_key(month_of(self.now_ms)) if after_use else "")
        asked = Authorize(
            *(1, key, 0, 7, self._id, None, "user_out", "1", "4930", self.now_ms),
            Rate("49", "Germany", parse_micros(amount), 0, 60, 60),
            60,
            payers=payers,
        )
        [done] = self._execute(asked)
        if done.status != 200:
            return str(done.outcome.refusal.code)
        self._execute(Settle(1, key, 1, 7, 60, "normal", self._id))
        ((charge, after),) = self.cell.rows(USAGE, [self._id])
        self._run_jobs()
        shown = f"charged {decimal_text(charge)}"
        return f"{shown}, {decimal_text(after)} of it after use" if after else shown

    @sentence(r"the jobs run")
    def jobs_run(self) -> str:
        self._run_jobs()
        return ""

    @sentence(r"it pays after use(?P<on>, with pay-as-you-go on)?")
    def pay_after_use(self, on: str | None) -> str:
        if on:
            with self.control.transaction():
                change_organisation(
                    self.control, "Contoso", rules={"pay_as_you_go": True}, catalogue=CATALOGUE
                )
        preview = preview_change(self._counter(), "post_usage")
        assert not isinstance(preview, Refusal)
        changed = change_model(self.control, self._counter(), "post_usage", actor="admin")
        assert isinstance(changed, Organisation)
        return f"{changed.commerce_model}; {len(preview.effects)} effects were shown before"

    @sentence(r"it pays before use")
    def pay_before_use(self) -> str:
        changed = change_model(self.control, self._counter(), "prepaid", actor="admin")
        return changed.detail if isinstance(changed, Refusal) else changed.commerce_model

    @sentence(r"the statement of (?P<month>[\d-]+) is paid")
    def pay(self, month: str) -> str:
        with self.cell.transaction():
            statement = statement_of_month(self.cell, self._id, month)
            if statement is None:
                return "there is none"
            paid = pay_statement(
                self.cell,
                self._organisation(),
                month,
                amount_micros=statement.to_pay_micros("EUR"),
                note="bank transfer",
                actor="operator",
                idempotency_key=f"statement {month}",
                now_ms=self.now_ms,
                next_id=self.ids.next,
            )
        return paid.detail if isinstance(paid, Refusal) else paid.state

    # What is looked at

    @sentence(r"balance")
    def balance(self) -> str:
        ((balance, debt),) = self.cell.rows(WALLET, [self._id])
        return f"balance {decimal_text(balance)}" + (f", owes {decimal_text(debt)}" if debt else "")

    @sentence(r"lots")
    def lots(self) -> str:
        rows = self.cell.rows(LOTS, [self._id])
        return ", ".join(f"{decimal_text(left)} until {date_text(end)}" for left, end in rows)

    @sentence(r"model")
    def model(self) -> str:
        return self._organisation().commerce_model

    @sentence(r"told")
    def told(self) -> str:
        rows = self.cell.rows(TOLD, [self._id, self._last_told])
        ((self._last_told,),) = self.cell.rows(LAST_TOLD, [self._id])
        return ", ".join(kind for (kind,) in rows) or "nothing"

    @sentence(r"the statement of (?P<month>[\d-]+)")
    def statement(self, month: str) -> str:
        with self.cell.reading():
            found = statement_of_month(self.cell, self._id, month)
        if found is None:
            return "none"
        by = date_text(found.payable_ms)
        return f"{found.state}: {decimal_text(found.amount_micros)}, to be paid by {by}"

    @sentence(r"the books")
    def books(self) -> str:
        return "; ".join(faults(self.cell)) or "are right"

    @sentence(r"the bank has taken")
    def taken(self) -> str:
        return decimal_text(self.bank.total_charged_micros(self._id))

    # How it is done

    def _run_jobs(self) -> None:
        for _ in range(2):  # what one begins, another goes on with
            for job in (expire_lots, tend_wallets, recheck_recharges, warn_of_expiry):
                self._ran(job(self._sweep()).failures)
            self._ran(collect_payments(self._sweep(), {"bank": self.bank}).failures)
            for job in (move_wallets, close_months, dun_statements):
                self._ran(job(self._sweep()).failures)

    def _ran(self, failures: tuple[str, ...]) -> None:
        assert failures == ()

    def _sweep(self) -> Sweep:
        return Sweep(
            self.cell,
            lambda: self.now_ms,
            self.ids.next,
            settings=self.store.settings,
            control=lambda: self.control,
        )

    def _counter(self) -> Counter:
        counters = Counters(lambda: self.control, self.cell, lambda: self.now_ms, self.ids.next)
        return counters.of(self._organisation())

    def _organisation(self) -> Organisation:
        counters = Counters(lambda: self.control, self.cell, lambda: self.now_ms, self.ids.next)
        counter = counters.of_id(self._id)
        assert counter is not None
        return counter.organisation

    def _methods(self) -> list[PaymentMethod]:
        return list_methods(self.cell, self._organisation())

    def _execute(self, command: Any) -> Any:
        with self.cell.transaction():
            return execute(self.cell, [command], self.now_ms, self.ids.next)


def moment_ms(text: str) -> int:
    """A day and a time in Oslo."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1000


def date_text(at_ms: int) -> str:
    """A moment in Oslo."""
    return datetime.fromtimestamp(at_ms // 1000, ZONE).strftime("%F %H:%M")

"""Puts the oracle's facts before the service: directory, rates, catalogue and books in memory, one
call resolved and decided; and tells where the two differ.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any, NamedTuple

from talktime.core.books import Books, Terms
from talktime.core.catalogue import Catalogues
from talktime.core.commands import Authorize
from talktime.core.decide import decide
from talktime.core.directory import CallingRules, Directory, NumberEntry, Organisation, User
from talktime.core.ledger import Wallet
from talktime.core.meters import Meter, post_usage_key, spending_key
from talktime.core.outcomes import Granted, Refused
from talktime.core.rates import PrefixIndex, RateCard, RateCards
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.resolve import CallRequest, resolve
from tests import oracle
from tests.commands import NOW_MS, SWITCH, extend, fund, settle
from tests.oracle_facts import Bill, Facts, Pool, Price

SLICE_S = 300
PRICES = {
    "1": Price(13_000),
    "33": Price(16_000, 20_000),
    "43": Price(40_000),
    "44": Price(15_000, 0, 60, 6),
    "47": Price(21_000, 5_000, 30, 30),
    "49": Price(15_000),
    "263": Price(223_000),
    "800": Price(90_000),
}
"""What the card has for outbound calls; to other countries it has no rate."""
TOLL_FREE_PRICE, TOLL_PRICE = Price(22_000), Price(8_500)
CATALOGUES = Catalogues(seed_entries())


def price_of(digits: str) -> Price | None:
    """The price of a number: of the longest prefix that it begins with."""
    fitting = [prefix for prefix in PRICES if digits.startswith(prefix)]
    return PRICES[max(fitting, key=len)] if fitting else None


class Trial(NamedTuple):
    """One case: the facts, and the number that is dialled where the call goes out."""

    facts: Facts
    to: str = ""


class Came(NamedTuple):
    """What came of a call: the refusal, or how long it could talk, what ended it, who paid."""

    code: str = ""
    granted_s: int = 0
    ended_by: str = ""
    pool: str = ""
    bill: Bill | None = None


class Office:
    """Organisations for all facts that are asked about; each distinct one is made once."""

    def __init__(self, first_organisation_id: int = 1) -> None:
        self.directory = Directory()
        self.catalogues = CATALOGUES
        self.rate_cards = RateCards().with_card(card())
        self._made: dict[Any, tuple[Organisation, User]] = {}
        self._ids = count(first_organisation_id)

    def caller(self, facts: Facts) -> tuple[Organisation, User]:
        """The organisation of these facts, and its user whose call it is."""
        key = facts._replace(
            **dict.fromkeys(("call", "called", "price", "balance", "month", "toll_free")),
            **dict.fromkeys(("post_used", "pool_used_s", "other_counter_used_s", "spent")),
            organizer=True,
        )
        if key not in self._made:
            self._made[key] = self._make(facts)
        return self._made[key]

    def _make(self, facts: Facts) -> tuple[Organisation, User]:
        number = next(self._ids)
        rules = CallingRules(
            policy=facts.organisation_policy,
            allowed_countries=facts.allowed,
            blocked_countries=facts.blocked,
            spend_limit_micros=facts.limit,
            pay_as_you_go=facts.pay_as_you_go,
            post_usage_cap_micros=facts.cap,
            independent_counters=facts.independent,
        )
        organisation = Organisation(
            *(number, f"Organisation {number}", "main", "USD", "UTC", facts.country),
            *(facts.model, facts.organisation_active, "standard", rules),
        )
        users = [
            User(
                *(number * 100 + place, number, f"user-{place}@{number}.example", "User"),
                *(person.location, person.licences),
                "resource_account" if facts.resource_account and place == 0 else "person",
                facts.user_active or place > 0,
                policy=facts.policy,
                spend_limit_micros=facts.own_limit,
                toll_free_dial_in=facts.toll_free_dial_in,
            )
            for place, person in enumerate(oracle.everyone(facts))
        ]
        numbers = [
            NumberEntry(f"1206{number:07}", number, None, "user"),
            NumberEntry(f"1425{number:07}", number, None, "toll", attached="bridge"),
            NumberEntry(f"1800{number:07}", number, None, "toll_free", attached="bridge"),
        ]
        self.directory.apply([organisation], numbers, users)
        return organisation, users[0]

    def command(self, trial: Trial, at_ms: int = NOW_MS) -> Authorize | Refusal:
        """The facts as a switch would ask, resolved."""
        facts = trial.facts
        organisation, user = self.caller(facts)
        said: dict[str, Any] = {"type": facts.call}
        if facts.call == "conf_out":
            said |= {"to": trial.to, "organizer": user.name}
        elif facts.call == "user_in":
            said |= {"from_": "+4930123456", "user": user.name}
        elif facts.call == "unassigned_in":
            said |= {"type": "user_in", "to": f"+1206{organisation.id:07}"}
        elif facts.call.endswith("_in"):
            digits = f"1{'800' if facts.toll_free else '425'}{organisation.id:07}"
            said |= {"from_": "+14255550999", "service_number": f"+{digits}"}
            said |= {"organizer": user.name} if facts.organizer else {}
        else:
            said |= {"to": trial.to, "user": user.name}
        request = CallRequest("C1", 0, **said)
        return resolve(self.directory, self.rate_cards, self.catalogues, request, SWITCH, at_ms, 55)

    def books(self, facts: Facts) -> Books:
        """The wallet and meters as the facts have them."""
        organisation, user = self.caller(facts)
        books = Books(count(10**9).__next__, Terms(slice_s=SLICE_S))
        books.wallets[organisation.id] = Wallet(organisation.id, "USD", 0, 0, 0)
        if facts.balance is not None:
            lasting_ms = 10**9 if facts.balance > 0 else -1
            lot = fund(
                max(facts.balance, 1),
                organisation_id=organisation.id,
                expires_ms=NOW_MS + lasting_ms,
            )
            decide(books, lot, NOW_MS - 1000)
        for key, used, total in self._meters(facts, user):
            books.meters[organisation.id, key] = Meter(organisation.id, key, used, 0, total)
        return books

    def _meters(self, facts: Facts, user: User) -> Iterable[tuple[str, int, int | None]]:
        yield spending_key(facts.month, user.id), facts.spent, None
        yield post_usage_key(facts.month), facts.post_used, None
        pool = oracle.pool_of(facts)
        if pool is None or facts.call == "conf_out":
            pools = [(pool, facts.pool_used_s)]
        else:
            plan, _, counter = pool.meter.split("/")[:3]
            other = {"domestic": "international", "international": "domestic"}[counter]
            pools = [
                (pool, facts.pool_used_s),
                (oracle.plan_pool(facts, plan, other), facts.other_counter_used_s),
            ]
        for each, used_s in pools:
            if each is not None:
                used_s = each.total_s if used_s is None else used_s
                yield meter_key(facts, each, user), used_s, each.total_s

    def came_of(self, trial: Trial) -> Came:
        """Resolve and decide the call: the first slice, the question after it, the end."""
        facts = trial.facts
        command = self.command(trial)
        if isinstance(command, Refusal):
            return Came(command.code)
        books = self.books(facts)
        first = decide(books, command, NOW_MS)
        if isinstance(first, Refused):
            return Came(first.refusal.code)
        assert isinstance(first, Granted)
        organisation_id, ended_by = command.organisation_id, ""
        sequence = 1
        if first.granted_s < SLICE_S:
            more = extend("C1", 1, first.granted_s, 0, organisation_id)
            refused = decide(books, more, NOW_MS + first.granted_s * 1000)
            ended_by = refused.refusal.code if isinstance(refused, Refused) else "granted"
            sequence = 2
        end = settle("C1", sequence, first.granted_s, organisation_id)
        decide(books, end, NOW_MS + first.granted_s * 1000)
        bill = billed(books)
        pool = command.payers.pool if bill.pool_s else ""
        return Came("", first.granted_s, ended_by, pool, bill)


def billed(books: Books) -> Bill:
    """What the usage record and the transfers say of the only call."""
    (record,) = books.usage
    assert all(meter.held == 0 for meter in books.meters.values())
    by_lots = sum(t.amount_micros for t in books.transfers if t.kind == "usage" and t.usage_id)
    by_lots -= sum(
        t.amount_micros for t in books.transfers if t.kind == "usage" and t.debit_account == 7
    )
    debt = sum(t.amount_micros for t in books.transfers if t.kind == "overdraft")
    assert record.charge_micros == by_lots + record.post_micros + debt
    return Bill(
        *(record.billed_s, record.pool_s, by_lots, record.post_micros, debt, record.capability)
    )


def meter_key(facts: Facts, pool: Pool, user: User) -> str:
    """The whole key of a pool's meter."""
    return f"{facts.month}/minutes/{pool.meter}".replace("USER", str(user.id))


def expected(facts: Facts, user: User) -> Came:
    """What the oracle says must come of the call."""
    verdict = oracle.judge(facts)
    if verdict.code:
        return Came(verdict.code)
    granted_s, ended_by = oracle.talkable(facts, verdict, SLICE_S)
    bill = oracle.bill(facts, verdict, granted_s)
    uses = verdict.pool if bill.pool_s else None
    pool = meter_key(facts, uses, user) if uses else ""
    return Came("", granted_s, ended_by, pool, bill)


def differences(trials: Iterable[Trial]) -> tuple[int, list[str]]:
    """How many trials there were, and each that came out otherwise than the oracle says."""
    office, tried, found = Office(), 0, []
    for trial in trials:
        tried += 1
        _, user = office.caller(trial.facts)
        want, got = expected(trial.facts, user), office.came_of(trial)
        if want != got:
            found.append(told(trial, want, got))
    return tried, found


def told(trial: Trial, want: Came, got: Came) -> str:
    """A difference in one line: the facts that are not as usual, what was expected, what came."""
    usual = Facts()
    special = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in trial.facts._asdict().items()
        if value != getattr(usual, name) and name != "others"
    }
    pairs = zip(Came._fields, want, got, strict=True)
    wrong = [f"{name}: expected {one}, got {other}" for name, one, other in pairs if one != other]
    return f"{special} to {trial.to}: {'; '.join(wrong)}"


def assert_none(tried: int, found: list[str], at_least: int) -> None:
    """The table is large enough, and no case in it differs."""
    assert tried >= at_least
    assert not found, f"{len(found)} of {tried} differ:\n" + "\n".join(found[:20])


def card() -> RateCard:
    """The only rate card, in dollars."""

    def index(prices: dict[str, Price]) -> PrefixIndex:
        return PrefixIndex.of(
            (Rate(prefix, f"To {prefix}", *price), 0) for prefix, price in prices.items()
        )

    indexes = {
        "outbound": index(PRICES),
        "toll_free_in": index({"1800": TOLL_FREE_PRICE}),
        "toll_in": index({"1425": TOLL_PRICE}),
    }
    return RateCard(1, "standard", "USD", 0, indexes)

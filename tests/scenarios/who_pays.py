"""Stories about who may call and who pays: organisations with rules, users with licences, pools.

These calls go the whole way: resolved by directory, catalogue and rate card, then executed.
"""

import re
from itertools import count
from typing import Any

from talktime.core.catalogue import Catalogues
from talktime.core.directory import CallingRules, Directory, NumberEntry, Organisation, User
from talktime.core.meters import month_of
from talktime.core.money import decimal_text, parse_micros
from talktime.core.rates import DIRECTIONS, PrefixIndex, RateCard, RateCards
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.resolve import CallRequest, resolve
from tests.commands import SWITCH, extend, settle
from tests.scenarios.player import Player, StoryCall, date_text, sentence
from tests.stores import Store

METERS = (
    "SELECT key, used, held, total, warned_ms, full_ms FROM meter "
    "WHERE organisation_id = ? ORDER BY key"
)
PARTS = (
    "SELECT pool, pool_s, charge_micros, post_micros, capability FROM usage_record "
    "WHERE organisation_id = ? AND call_key = ? ORDER BY id"
)
DIRECTION = {"": "outbound", "toll-free ": "toll_free_in", "toll ": "toll_in"}
CATALOGUES = Catalogues(seed_entries())


class WhoPays(Player):
    """One story whose callers are users with licences."""

    def __init__(self, store: Store, first_organisation_id: int) -> None:
        super().__init__(store, first_organisation_id)
        self._directory = Directory()
        self._organisations: dict[str, Organisation] = {}
        self._users: dict[str, User] = {}
        self._prices: dict[str, dict[str, Rate]] = {direction: {} for direction in DIRECTIONS}
        self._user_ids = count(first_organisation_id * 10_000)
        self._first = first_organisation_id

    # Who is who

    @sentence(r"(?P<account>A\d) is in (?P<country>[A-Z]{2})(?P<rules>(, [^,]+)*)")
    def is_in(self, account: str, country: str, rules: str) -> str:
        said = [each.strip() for each in rules.split(",") if each.strip()]
        models = [each for each in said if each in ("prepaid", "draining", "post_usage")]
        organisation_id = self._account(account)
        self._organisations[account] = Organisation(
            *(organisation_id, account, "main", "USD", "UTC", country),
            *((models or ["prepaid"])[0], "switched off" not in said, "standard"),
            rules_of([each for each in said if each not in (*models, "switched off")]),
        )
        numbers = [
            NumberEntry(f"1425{organisation_id:07}", organisation_id, None, "toll"),
            NumberEntry(f"1800{organisation_id:07}", organisation_id, None, "toll_free"),
        ]
        self._directory.apply([self._organisations[account]], numbers)
        return "done"

    @sentence(
        r"(?P<user>[UR]\d) of (?P<account>A\d) in (?P<location>[A-Z]{2}) has "
        r"(?P<codes>[A-Z0-9_ ]+|nothing)(?P<more>(, [^,]+)*)"
    )
    def has(self, user: str, account: str, location: str, codes: str, more: str) -> str:
        old = self._users.get(user)
        number = old.id if old else next(self._user_ids)
        self._users[user] = self._user(number, user, account, location, codes)
        for each in filter(None, (each.strip() for each in more.split(","))):
            self._users[user] = self._users[user]._replace(**of_their_own(each))
        self._directory.apply(users=[self._users[user]])
        return "done"

    @sentence(
        r"(?P<many>\d+) more of (?P<account>A\d) in (?P<location>[A-Z]{2}) have (?P<codes>[\w ]+)"
    )
    def have(self, many: str, account: str, location: str, codes: str) -> str:
        for _ in range(int(many)):
            number = next(self._user_ids)
            user = self._user(number, f"more-{number}", account, location, codes)
            self._directory.apply(users=[user])
        return "done"

    def _user(self, number: int, name: str, account: str, location: str, codes: str) -> User:
        licences = frozenset(() if codes == "nothing" else codes.split())
        kind = "resource_account" if name.startswith("R") else "person"
        address = f"{name.lower()}-{self._first}@contoso.example"
        return User(
            number, self._account(account), address, name, location, licences, kind, active=True
        )

    @sentence(
        r"price of (?P<kind>toll-free |toll |)(?P<prefix>\d+) is (?P<price>[\d.]+) per minute"
        r"(, (?P<steps>\d+/\d+))?(, fee (?P<fee>[\d.]+))?"
    )
    def price_of(
        self, kind: str, prefix: str, price: str, steps: str | None, fee: str | None
    ) -> str:
        first_s, _, next_s = (steps or "60/60").partition("/")
        self._prices[DIRECTION[kind]][prefix] = Rate(
            *(prefix, f"To {prefix}", parse_micros(price), parse_micros(fee or "0")),
            *(int(first_s), int(next_s)),
        )
        return "done"

    # Calls

    @sentence(
        r"(?P<call>C\d) of (?P<user>[UR]\d)( as (?P<kind>\w+))? asks( (?P<asked>\d+)s)? "
        r"to (?P<to>\+?\d+)"
    )
    def calls_out(self, call: str, user: str, kind: str | None, asked: str | None, to: str) -> str:
        kind = kind or ("ucap_out" if user.startswith("R") else "user_out")
        who = "organizer" if kind == "conf_out" else "user"
        said = {who: self._users[user].name, "type": kind, "to": to}
        return self._resolved(call, user, said, int(asked or 0))

    @sentence(r"(?P<call>C\d) reaches (?P<user>[UR]\d)")
    def reaches(self, call: str, user: str) -> str:
        said = {"type": "user_in", "user": self._users[user].name, "from_": "+14255550999"}
        return self._resolved(call, user, said)

    @sentence(
        r"(?P<call>C\d) reaches the (?P<kind>toll|toll-free) number of (?P<account>A\d)"
        r"( for (?P<user>U\d))?"
    )
    def reaches_number(self, call: str, kind: str, account: str, user: str | None) -> str:
        prefix = "1425" if kind == "toll" else "1800"
        number = f"+{prefix}{self._account(account):07}"
        said = {"service_number": number, "from_": "+14255550999"}
        if user:
            said |= {"type": "conf_in", "organizer": self._users[user].name}
        else:
            said |= {"type": "ucap_in"}
        return self._resolved(call, account, said)

    @sentence(
        r"(?P<call>C\d) of (?P<user>[UR]\d)( as (?P<kind>\w+))? talks (?P<minutes>\d+)m "
        r"to (?P<to>\+?\d+)"
    )
    def talks(self, call: str, user: str, kind: str | None, minutes: str, to: str) -> str:
        """A whole call, slice by slice; where it is not let go on, it ends there."""
        told = self.calls_out(call, user, kind, None, to)
        used_s, wanted_s = 0, int(minutes) * 60
        while match := re.match(r"granted (\d+)s", told):
            step_s = min(int(match[1]), wanted_s - used_s)
            used_s += step_s
            self.now_ms += step_s * 1000
            if used_s == wanted_s:
                break
            number = self._number(call, None)
            told = self._ask(call, extend(self._name(call), number, used_s, 0, None))
        if not used_s:
            return told
        cut = "" if used_s == wanted_s else f", then {told}"
        end = settle(self._name(call), self._number(call, None), used_s, None)
        return self._ask(call, end) + cut

    def _resolved(self, call: str, who: str, said: dict[str, Any], asked_s: int = 0) -> str:
        number = self._users[who].organisation_id if who in self._users else self._account(who)
        (account,) = [name for name, each in self._accounts.items() if each == number]
        known = self._calls.setdefault(call, StoryCall(account, []))
        request = CallRequest(self._name(call), len(known.asked), **said, requested_s=asked_s)
        command = resolve(
            self._directory,
            self._rate_cards(),
            CATALOGUES,
            request,
            SWITCH,
            self.now_ms,
            hash(request) % 2**31,
        )
        return command.code if isinstance(command, Refusal) else self._ask(call, command)

    def _rate_cards(self) -> RateCards:
        indexes = {
            direction: PrefixIndex.of((rate, 0) for rate in rates.values())
            for direction, rates in self._prices.items()
        }
        return RateCards().with_card(RateCard(1, "standard", "USD", 0, indexes))

    # What is looked at

    @sentence(r"pool (?P<meter>\w+ \w+ \w+)( alone of (?P<user>U\d))? of (?P<account>A\d)")
    def pool(self, meter: str, user: str | None, account: str) -> str:
        key = f"{month_of(self.now_ms)}/minutes/{meter.replace(' ', '/')}"
        key += f"/{self._users[user].id}" if user else ""
        for found, used, held, total, *_ in self._rows(account, METERS):
            if found == key:
                holds = f", {minutes_text(held)} held" if held else ""
                return f"{minutes_text(used)} of {minutes_text(total or 0)} used{holds}"
        return "untouched"

    @sentence(r"notices of (?P<account>A\d)")
    def notices(self, account: str) -> str:
        told = []
        for key, *_, warned_ms, full_ms in self._rows(account, METERS):
            name = key.replace("/minutes/", " ").replace("/", " ")
            if warned_ms is not None:
                told.append(f"{name} at 80 % on {date_text(warned_ms)}")
            if full_ms is not None:
                told.append(f"{name} at 100 % on {date_text(full_ms)}")
        return "; ".join(told) or "none"

    @sentence(r"spent by (?P<user>[UR]\d) of (?P<account>A\d)")
    def spent(self, user: str, account: str) -> str:
        return self._micros(account, f"spending/{self._users[user].id}")

    @sentence(r"owed after use by (?P<account>A\d)")
    def owed_after_use(self, account: str) -> str:
        return self._micros(account, "post_usage")

    def _micros(self, account: str, rest: str) -> str:
        key = f"{month_of(self.now_ms)}/{rest}"
        rows = self._rows(account, METERS)
        return decimal_text(sum(used for found, used, *_ in rows if found == key))

    @sentence(r"who paid (?P<call>C\d)")
    def who_paid(self, call: str) -> str:
        told = []
        for pool, pool_s, micros, later, capability in self._rows(
            self._calls[call].account, PARTS, self._name(call)
        ):
            parts = [f"{pool_s}s of {pool.split('/')[2]}"] if pool_s else []
            parts += [f"{decimal_text(micros - later)} by credits"] if micros - later else []
            parts += [f"{decimal_text(later)} after use"] if later else []
            told.append(f"{', '.join(parts) or 'nobody'}: {capability or 'no capability'}")
        return "; ".join(told) or "none"


def minutes_text(seconds: int) -> str:
    """Whole minutes, and seconds where they are not whole."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02}" if rest else str(minutes)


def of_their_own(said: str) -> dict[str, Any]:
    """What is said of one user: a policy, a limit, no toll-free dial-in."""
    what, _, value = said.partition(" ")
    match what:
        case "policy":
            return {"policy": value}
        case "limit":
            return {"spend_limit_micros": parse_micros(value)}
        case "no":
            return {"toll_free_dial_in": False}
    raise ValueError(f"nothing is known of {said!r}")


def rules_of(said: list[str]) -> CallingRules:
    """Calling rules in words."""
    rules: dict[str, Any] = {}
    for each in said:
        what, _, value = each.partition(" ")
        match what:
            case "pay":
                rules["pay_as_you_go"] = True
            case "cap":
                rules["post_usage_cap_micros"] = parse_micros(value)
            case "limit":
                rules["spend_limit_micros"] = parse_micros(value)
            case "policy":
                rules["policy"] = value
            case "allows":
                rules["allowed_countries"] = frozenset(value.split())
            case "blocks":
                rules["blocked_countries"] = frozenset(value.split())
            case "independent":
                rules["independent_counters"] = True
            case _:
                raise ValueError(f"no such rule: {each!r}")
    return CallingRules(**rules)

"""A month of calls as a voice platform sees them: made up, seeded, the same on every machine.

Office hours on weekdays with two peaks, a few organisations with most of the traffic, many short
calls and a few very long ones, calls that nobody answers, numbers that do not exist, callers
nobody knows, requests sent twice, settles that never arrive.

The calls are written in the layout that `talktime replay` reads (docs/reference/call-files.md).
"""

import csv
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

COLUMNS = (
    *("call_id", "organisation", "at", "type", "from", "to", "user"),
    *("used_seconds", "cause", "answer", "repeats", "settle"),
)
HOURS = (1, 1, 1, 1, 1, 2, 5, 20, 60, 95, 100, 80, 45, 70, 100, 95, 75, 45, 20, 10, 6, 4, 2, 1)
WEEKEND_SHARE = 0.06
HOME_SHARE, NEIGHBOUR_SHARE = 0.55, 0.3
UNANSWERED, BAD_NUMBER, UNKNOWN_CALLER, SENT_TWICE, LOST_SETTLE, ANSWER_SENT = (
    *(0.17, 0.01, 0.003, 0.02, 0.004),
    0.3,
)
USED_S_MAX = 4 * 3_600
DESTINATIONS_IN_A_COUNTRY = 60
OFF_THE_CARD = 0.002
# They exist: Angola, Burkina Faso, Belarus and a satellite; no price is published for them.
NUMBERS_OFF_THE_CARD = ("+244222123456", "+22670123456", "+375294911911", "+870301234567")
BAD_NUMBERS = ("+49", "+1425555", "+999123456789", "four nine", "+1 425 555 0100 77 77", "0")

# name, country, time zone, countries it calls most, its share of the traffic
ORGANISATIONS = (
    ("contoso.example", "US", "America/Los_Angeles", ("CA", "MX", "GB"), 40),
    ("fabrikam.example", "DE", "Europe/Berlin", ("AT", "CH", "FR"), 22),
    ("northwind.example", "GB", "Europe/London", ("IE", "US", "NL"), 12),
    ("tailspin.example", "NO", "Europe/Oslo", ("SE", "DK", "GB"), 6),
    ("adatum.example", "FR", "Europe/Paris", ("BE", "ES", "IT"), 5),
    ("litware.example", "AU", "Australia/Sydney", ("NZ", "SG", "IN"), 4),
    ("proseware.example", "BR", "America/Sao_Paulo", ("PT", "US", "AR"), 3),
    ("woodgrove.example", "JP", "Asia/Tokyo", ("KR", "US", "SG"), 3),
    ("wingtip.example", "IN", "Asia/Kolkata", ("US", "GB", "AE"), 2),
    ("lucerne.example", "CH", "Europe/Zurich", ("DE", "IT", "FR"), 1),
    ("treyresearch.example", "ZA", "Africa/Johannesburg", ("GB", "NL", "KE"), 1),
    ("alpine.example", "CA", "America/Toronto", ("US", "FR", "GB"), 1),
)


@dataclass(frozen=True, slots=True)
class User:
    """Who calls: a name, the number they call from, and whether they may spend credits."""

    name: str
    number: str
    licensed: bool


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation of the month with its users; the last of them has no credits licence."""

    name: str
    country: str
    time_zone: str
    neighbours: tuple[str, ...]
    share: int
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class MonthCall:
    """One line of a call file."""

    call_id: str
    organisation: str
    at: str
    type: str
    from_: str
    to: str
    user: str
    used_s: int
    cause: str
    answer: str
    repeats: int
    settle: str


class Month:
    """The organisations of a seed, and the calls they make in one month."""

    def __init__(
        self, seed: int, *, prefixes: Sequence[str], users: int = 12, first_day: str = "2026-10-01"
    ) -> None:
        """`prefixes` are those of the rate card: most destinations are drawn from them."""
        self._dice = Random(seed)
        self._first_day = datetime.fromisoformat(first_day).replace(tzinfo=UTC)
        self._days = _days_of_month(self._first_day)
        self.organisations = [
            Organisation(*facts, users=tuple(self._users(facts[0], facts[1], users)))
            for facts in ORGANISATIONS
        ]
        self._places = _Places(prefixes, self._dice)

    def calls(self, count: int) -> list[MonthCall]:
        """So many calls, in the order of their time."""
        shares = list(accumulate(each.share for each in self.organisations))
        made = []
        for number in range(count):
            drawn = self._dice.randrange(shares[-1])
            made.append(self._call(number, self.organisations[bisect_right(shares, drawn)]))
        return sorted(made, key=lambda call: (call.at, call.call_id))

    def _users(self, domain: str, country: str, count: int) -> Iterator[User]:
        numbers = _local_numbers(country, count)
        for place, number in enumerate(numbers, 1):
            yield User(f"desk-{place:02}@{domain}", number, licensed=place < count)

    def _call(self, number: int, organisation: Organisation) -> MonthCall:
        dice = self._dice
        user = dice.choices(organisation.users, weights=_falling(len(organisation.users)))[0]
        caller = _unknown_number(dice) if dice.random() < UNKNOWN_CALLER else user.number
        to = self._places.draw(organisation) if dice.random() >= BAD_NUMBER else ""
        used_s, cause = _length(dice)
        return MonthCall(
            call_id=f"{dice.getrandbits(48):012x}-{number}@sbc{dice.randint(1, 4)}",
            organisation=organisation.name,
            at=self._moment(organisation.time_zone).strftime("%Y-%m-%dT%H:%M:%SZ"),
            type=dice.choices(
                ("user_out", "user_out_transfer", "user_out_forwarding"), weights=(90, 5, 5)
            )[0],
            from_=caller,
            to=to or dice.choice(BAD_NUMBERS),
            user=user.name if caller == user.number and dice.random() < 0.3 else "",
            used_s=used_s,
            cause=cause,
            answer="yes" if used_s and dice.random() < ANSWER_SENT else "no",
            repeats=dice.choice((1, 1, 1, 2)) if dice.random() < SENT_TWICE else 0,
            settle="lost" if dice.random() < LOST_SETTLE else "sent",
        )

    def _moment(self, time_zone: str) -> datetime:
        dice = self._dice
        while True:
            day = self._first_day + timedelta(days=dice.randrange(self._days))
            if day.weekday() < 5 or dice.random() < WEEKEND_SHARE:
                break
        hour = dice.choices(range(24), weights=HOURS)[0]
        local = datetime(
            *(day.year, day.month, day.day, hour, dice.randrange(60), dice.randrange(60)),
            tzinfo=ZoneInfo(time_zone),
        )
        return local.astimezone(UTC)


class _Places:
    """Numbers to call: by country, and anywhere."""

    def __init__(self, prefixes: Sequence[str], dice: Random) -> None:
        self._dice = dice
        self._prefixes = sorted(prefixes)
        self._by_country: dict[str, list[str]] = {}
        self._anywhere = [
            number for prefix in self._prefixes for number in _completed(prefix, dice)
        ]

    def draw(self, organisation: Organisation) -> str:
        """A number that the organisation may well call."""
        drawn = self._dice.random()
        if drawn < HOME_SHARE:
            return self._in(organisation.country)
        if drawn < HOME_SHARE + NEIGHBOUR_SHARE:
            return self._in(self._dice.choice(organisation.neighbours))
        if drawn > 1 - OFF_THE_CARD:
            return self._dice.choice(NUMBERS_OFF_THE_CARD)
        return self._dice.choice(self._anywhere)

    def _in(self, country: str) -> str:
        numbers = self._by_country.get(country)
        if numbers is None:
            numbers = list(_local_numbers(country, DESTINATIONS_IN_A_COUNTRY))
            numbers += list(
                _local_numbers(country, DESTINATIONS_IN_A_COUNTRY, PhoneNumberType.MOBILE)
            )
            self._by_country[country] = numbers
        return self._dice.choice(numbers)


def write_calls(path: Path, calls: Iterable[MonthCall]) -> None:
    """Write a call file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(astuple(call) for call in calls)


def _days_of_month(first: datetime) -> int:
    following = (first + timedelta(days=32)).replace(day=1)
    return (following - first).days


def _falling(count: int) -> list[int]:
    return [count * 3 // (place + 1) + 1 for place in range(count)]


def _length(dice: Random) -> tuple[int, str]:
    """How long it lasts, and how it ends: three of four under three minutes, some for hours."""
    if dice.random() < UNANSWERED:
        return 0, dice.choice(("no_answer", "busy", "rejected", "cancelled"))
    kind = dice.random()
    if kind < 0.25:
        return dice.randint(1, 20), "normal"
    if kind < 0.97:
        return min(1 + int(dice.lognormvariate(4.6, 1.0)), USED_S_MAX), "normal"
    return dice.randint(1_800, USED_S_MAX), "normal"


def _local_numbers(
    country: str, count: int, kind: int = PhoneNumberType.FIXED_LINE
) -> Iterator[str]:
    """Numbers of a country that exist, counted up from the numbering plan's own example."""
    example = phonenumbers.example_number_for_type(country, kind)
    assert example is not None, country
    assert example.national_number is not None, country
    found, offset = 0, 0
    while found < count:
        number = phonenumbers.PhoneNumber(
            country_code=example.country_code,
            national_number=example.national_number + offset,
            italian_leading_zero=example.italian_leading_zero,
            number_of_leading_zeros=example.number_of_leading_zeros,
        )
        offset += 7
        if phonenumbers.is_valid_number(number):
            found += 1
            yield phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _completed(prefix: str, dice: Random) -> Iterator[str]:
    """A number that exists under a prefix, where a few tries find one."""
    for length in dice.sample(range(9, 14), 5):
        missing = length - len(prefix)
        if missing > 0:
            text = f"+{prefix}{dice.randrange(10**missing):0{missing}}"
            try:
                number = phonenumbers.parse(text)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                yield phonenumbers.format_number(number, PhoneNumberFormat.E164)
                return


def _unknown_number(dice: Random) -> str:
    return f"+1206555{dice.randint(100, 199):04}"

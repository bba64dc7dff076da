"""Who is who: organisations, their numbers and their users, looked up on every call.

The rows live in the databases; an engine process keeps them all here, because a call must not wait
for a query to learn whose it is. A million users fit in well under 1 GiB: the values are named
tuples, and what repeats (countries, kinds, sets of licences) is kept once by whoever reads them.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple, TypeVar, cast

from talktime.core.limits import NUMBER_MOVED_MS

COMMERCE_MODELS = ("prepaid", "draining", "post_usage")
USER_KINDS = PERSON, RESOURCE_ACCOUNT = ("person", "resource_account")
NUMBER_KINDS = USER_NUMBER, TOLL, TOLL_FREE = ("user", "toll", "toll_free")
ATTACHMENTS = NOT_ATTACHED, BRIDGE, ATTENDANT, QUEUE = ("", "bridge", "attendant", "queue")
"""What a service number answers as."""

Sum = TypeVar("Sum")


class CallingRules(NamedTuple):
    """What an organisation has decided for all its users.

    `policy` is the dial-out policy of users without their own; empty for the catalogue's default.
    With `allowed_countries`, only those can be called; `blocked_countries` never. The spend limit
    is each user's, per month. `pay_as_you_go` lets calls be paid after use, up to the monthly cap,
    where the commerce model is not prepaid (R72, D14), and not while `post_usage_blocked`: a
    statement is long overdue. `moved` marks an organisation that its reseller has moved to
    post-usage billing (R73). With `independent_counters`, the domestic and international minutes
    of a plan end each for itself (D12). Credits of an organisation whose plans are
    `sold_by_reseller` are funded by the reseller; one with an agreement of a country
    (`agreement_country`) other than its own cannot buy any by itself (R7).
    """

    policy: str = ""
    allowed_countries: frozenset[str] = frozenset()
    blocked_countries: frozenset[str] = frozenset()
    spend_limit_micros: int | None = None
    pay_as_you_go: bool = False
    post_usage_cap_micros: int | None = None
    independent_counters: bool = False
    sold_by_reseller: bool = False
    agreement_country: str = ""
    post_usage_blocked: bool = False
    moved: bool = False


NO_RULES = CallingRules()


class Organisation(NamedTuple):
    """A tenant: one wallet in one cell, one currency, one rate card."""

    id: int
    name: str
    cell: str
    currency: str
    time_zone: str
    country: str
    commerce_model: str
    active: bool
    rate_card: str
    rules: CallingRules = NO_RULES


class NumberEntry(NamedTuple):
    """A number (E.164 digits) that belongs to an organisation, and perhaps to one of its users.

    `moved_from` is the organisation that had it before, until `moved_ms`; None where none had.
    """

    digits: str
    organisation_id: int
    user_id: int | None
    kind: str
    active: bool = True
    attached: str = NOT_ATTACHED
    moved_from: int | None = None
    moved_ms: int | None = None

    def lately_of(self, now_ms: int) -> int | None:
        """The organisation that had it before, while a switch may still repeat a request on one of
        its calls; None where there is none.

        >>> number = NumberEntry("14255550100", 8, None, "toll", moved_from=7, moved_ms=1_000)
        >>> number.lately_of(2_000), number.lately_of(1_000 + NUMBER_MOVED_MS)
        (7, None)
        """
        if self.moved_ms is None or now_ms - self.moved_ms >= NUMBER_MOVED_MS:
            return None
        return self.moved_from


class User(NamedTuple):
    """A person or resource account. `name` is the sign-in name, in lower case.

    `licences` are all that count on a call: those given to the user and those of the user's groups.
    `policy` and `spend_limit_micros` stand before the organisation's, where they are set.
    `toll_free_dial_in` lets callers join the user's meetings on toll-free numbers (R57).
    """

    id: int
    organisation_id: int
    name: str
    display_name: str
    usage_location: str
    licences: frozenset[str]
    kind: str
    active: bool
    policy: str = ""
    spend_limit_micros: int | None = None
    toll_free_dial_in: bool = True


class Holdings:
    """How many users of an organisation have which licences in which country; those who are
    switched off too, for the licences are theirs.

    `version` moves after each change: what was worked out for one (`sum_of`) holds until the next.
    """

    __slots__ = ("_counts", "_sums", "version")

    def __init__(self) -> None:
        self.version = 0
        self._counts: dict[tuple[str, frozenset[str]], int] = {}
        self._sums: dict[tuple[int, Hashable], Any] = {}

    def count(self, usage_location: str, licences: frozenset[str], change: int) -> None:
        """So many users more (or less) have this set here."""
        key = (usage_location, licences)
        self._counts[key] = self._counts.get(key, 0) + change
        self.version += 1
        if self._sums:
            self._sums = {}

    def sum_of(self, what: Hashable, work_out: Callable[[], Sum]) -> Sum:
        """What was worked out for the users as they are, or is now, and kept until one changes."""
        key = self.version, what
        found = self._sums.get(key)
        if found is None:
            found = self._sums[key] = work_out()
        return cast(Sum, found)

    def sets(self) -> list[tuple[tuple[str, frozenset[str]], int]]:
        """((usage location, licences), users) of each; copied at once, for another thread counts
        on."""
        return list(self._counts.items())


class Directory:
    """All organisations, numbers and users by what calls name them with.

    One thread applies changes while others look up: every change is one assignment in a dict, so a
    reader sees an entry as it was or as it is.

    >>> directory = Directory()
    >>> directory.apply(numbers=[NumberEntry("14255550100", 7, 8, "user")])
    >>> directory.number("14255550100").user_id
    8
    """

    __slots__ = ("_holdings", "_names", "_numbers", "_organisations", "_users")

    def __init__(self) -> None:
        self._organisations: dict[int, Organisation] = {}
        self._numbers: dict[str, NumberEntry] = {}
        self._users: dict[int, User] = {}
        self._holdings: dict[int, Holdings] = {}
        # The user of a name. Only within an organisation is a name unique: where several have a
        # user of one name, a tuple of them stands here.
        self._names: dict[str, User | tuple[User, ...]] = {}

    def __len__(self) -> int:
        """How many users it holds."""
        return len(self._users)

    def organisation(self, organisation_id: int) -> Organisation | None:
        """The organisation of this id, active or not."""
        return self._organisations.get(organisation_id)

    def number(self, digits: str) -> NumberEntry | None:
        """The entry of a number in use; a number that was taken out of use is not known."""
        return self._numbers.get(digits)

    def user(self, organisation_id: int, user_id: int) -> User | None:
        """The organisation's user of this id, active or not."""
        user = self._users.get(user_id)
        return user if user is not None and user.organisation_id == organisation_id else None

    def holdings(self, organisation_id: int) -> "Holdings":
        """Which sets of licences the organisation's users have, where."""
        return self._holdings.get(organisation_id) or Holdings()

    def user_named(self, name: str, organisation_id: int | None = None) -> User | None:
        """The user of a sign-in name (in lower case), in the organisation where one is given.

        Without one, a name that users of several organisations have is nobody's.
        """
        found = self._names.get(name)
        if found is None:
            return None
        if isinstance(found, User):
            return found if organisation_id in (None, found.organisation_id) else None
        return next((user for user in found if user.organisation_id == organisation_id), None)

    def apply(
        self,
        organisations: Iterable[Organisation] = (),
        numbers: Iterable[NumberEntry] = (),
        users: Iterable[User] = (),
    ) -> None:
        """Put new and changed entries in the place of the old ones."""
        for organisation in organisations:
            self._organisations[organisation.id] = organisation
        for number in numbers:
            if number.active:
                self._numbers[number.digits] = number
            else:
                self._numbers.pop(number.digits, None)
        for user in users:
            self._put(user)

    def count(
        self, organisation_id: int, usage_location: str, licences: frozenset[str], users: int
    ) -> None:
        """Count users that nobody will look up: what they hold is enough to size their pools."""
        holdings = self._holdings.get(organisation_id)
        if holdings is None:
            holdings = self._holdings[organisation_id] = Holdings()
        holdings.count(usage_location, licences, users)

    def _put(self, user: User) -> None:
        old = self._users.get(user.id)
        self._users[user.id] = user
        if old is None or (old.licences, old.usage_location) != (
            user.licences,
            user.usage_location,
        ):
            if old is not None:
                self._count(old, -1)
            self._count(user, 1)
        if old is None and self._names.setdefault(user.name, user) is user:
            return
        self._names[user.name] = self._with(user)
        if old is not None and old.name != user.name:
            self._forget_name(old)

    def _count(self, user: User, change: int) -> None:
        self.count(user.organisation_id, user.usage_location, user.licences, change)

    def _with(self, user: User) -> User | tuple[User, ...]:
        others = tuple(other for other in self._named(user.name) if other.id != user.id)
        return (*others, user) if others else user

    def _forget_name(self, old: User) -> None:
        others = tuple(other for other in self._named(old.name) if other.id != old.id)
        if others:
            self._names[old.name] = others if len(others) > 1 else others[0]
        else:
            self._names.pop(old.name, None)

    def _named(self, name: str) -> tuple[User, ...]:
        found = self._names.get(name)
        if found is None:
            return ()
        return (found,) if isinstance(found, User) else found

"""What the oracle is told of a call, and what it says: facts, verdict, bill."""

from typing import NamedTuple


class Price(NamedTuple):
    """What a destination costs, in micros."""

    per_minute: int
    fee: int = 0
    first_s: int = 60
    next_s: int = 60


class Person(NamedTuple):
    """Somebody else of the organisation, whose licences add to its pools."""

    location: str
    licences: frozenset[str]


class Called(NamedTuple):
    """What is called: `kind` is ordinary, special (callable, never included in minutes),
    unsupported, emergency or no_number. Of `shared_by`, a number is as much one of each."""

    country: str
    kind: str = "ordinary"
    shared_by: frozenset[str] = frozenset()


class Facts(NamedTuple):
    """All that decides one call. For a conference, the licences and the rest are the organizer's;
    for a bot, the resource account's. `balance` is None where the organisation was never funded.
    """

    call: str = "user_out"
    called: Called = Called("US")
    price: Price | None = Price(13_000)
    licences: frozenset[str] = frozenset()
    location: str = "US"
    resource_account: bool = False
    policy: str = ""
    organisation_policy: str = ""
    country: str = "US"
    model: str = "prepaid"
    pay_as_you_go: bool = False
    cap: int | None = None
    post_used: int = 0
    allowed: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    independent: bool = False
    others: tuple[Person, ...] = ()
    balance: int | None = None
    pool_used_s: int | None = 0
    other_counter_used_s: int | None = 0
    limit: int | None = None
    own_limit: int | None = None
    spent: int = 0
    organizer: bool = True
    toll_free: bool = False
    toll_free_dial_in: bool = True
    organisation_active: bool = True
    user_active: bool = True
    month: str = "2026-01"


class Pool(NamedTuple):
    """Included minutes: the meter without its month, and how many seconds there are in all."""

    meter: str
    total_s: int


class Verdict(NamedTuple):
    """What the gates come to. `code` refuses the call; `no_money` says why nobody pays money for
    it; where somebody does, `credits` and `post` are how much they can pay at most."""

    code: str = ""
    free: bool = False
    pool: Pool | None = None
    pool_left_s: int = 0
    no_money: str = ""
    credits: int = 0
    post: int | None = 0
    limit_left: int | None = None
    at_end: str = "insufficient_credit"
    free_capability: str = ""
    paid_capability: str = "MCOPSTNPP"


class Bill(NamedTuple):
    """What a call of some length costs, and who pays: seconds of the pool, micros of the others."""

    billed_s: int
    pool_s: int
    credits: int
    post: int
    debt: int
    capability: str

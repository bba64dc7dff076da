"""What people and programs are told: the kinds of notices, who is told, and with which facts.

A notice is written in the transaction of what happened, and told afterwards. Facts are plain JSON:
amounts in micros with their `currency`, times in milliseconds. The kind is also the name of the
event that a webhook carries, and both are for good: programs branch on them.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from talktime.core.limits import NOTICE_KEY_TEXT_MAX

Fact = str | int | None
Facts = Mapping[str, Fact]
Role = Literal["billing", "voice", "admin"]

ROLES: tuple[Role, ...] = ("billing", "voice", "admin")
"""Who gets mail: who pays, who looks after the telephones, and who is told everything."""

"""The longest key of a notice."""


class Notice(NamedTuple):
    """Something happened that somebody is to be told. The same key is told once in an organisation.

    A key names what happened and no more than that: `recharge.failed:<payment>:<try>`.
    """

    organisation_id: int
    kind: str
    key: str
    at_ms: int
    facts: Facts


class Kind(NamedTuple):
    """One kind of notice: its title, the roles that get it by mail, and its facts.

    `may_lack` names the facts that may be None. `to_programs` is False for what is mail alone.
    """

    name: str
    title: str
    roles: tuple[Role, ...]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    may_lack: tuple[str, ...] = ()
    to_programs: bool = True

    @property
    def facts(self) -> tuple[str, ...]:
        """The names of all its facts."""
        return self.texts + self.numbers


class WrongFacts(ValueError):
    """A notice was made of an unknown kind, or with other facts than its kind has: a bug."""


BILLING: tuple[Role, ...] = ("billing", "admin")
VOICE: tuple[Role, ...] = ("voice", "admin")
BOTH: tuple[Role, ...] = ("billing", "voice", "admin")

_PAID_TEXTS = ("currency", "document_number", "method")
_PAID_NUMBERS = ("payment_id", "amount_micros", "balance_micros", "expires_ms")
_AWAITED_TEXTS = ("currency", "po_number", "reference", "bank")
_AWAITED_NUMBERS = ("payment_id", "amount_micros", "given_up_ms")
_FAILED_TEXTS = ("currency", "code", "detail", "method")
_FAILED_NUMBERS = ("payment_id", "amount_micros", "balance_micros", "next_ms")
_STATEMENT_TEXTS = ("month", "currency", "document_number")
_STATEMENT_NUMBERS = ("statement_id", "amount_micros", "payable_ms")
_DISPUTE_NUMBERS = ("amount_micros", "debt_micros")


def _statement(name: str, title: str, roles: tuple[Role, ...] = BILLING) -> Kind:
    return Kind(name, title, roles, _STATEMENT_TEXTS, _STATEMENT_NUMBERS, ("document_number",))


def _dispute(name: str, title: str) -> Kind:
    return Kind(name, title, BILLING, ("currency",), _DISPUTE_NUMBERS)


_ALL = (
    Kind(
        "recharge.succeeded",
        "Auto-recharge has added credits",
        BILLING,
        _PAID_TEXTS,
        _PAID_NUMBERS,
        ("document_number",),
    ),
    Kind(
        "recharge.failed",
        "Auto-recharge could not be paid",
        BILLING,
        _FAILED_TEXTS,
        _FAILED_NUMBERS,
        ("next_ms",),
    ),
    Kind(
        "recharge.paused",
        "Auto-recharge is paused",
        BOTH,
        ("code", "detail", "currency"),
        ("balance_micros",),
    ),
    Kind(
        "recharge.no_card",
        "Auto-recharge has no card to charge",
        BILLING,
        ("currency",),
        ("balance_micros", "threshold_micros"),
    ),
    Kind(
        "purchase.succeeded",
        "A purchase has added credits",
        BILLING,
        (*_PAID_TEXTS, "po_number"),
        _PAID_NUMBERS,
        ("document_number", "po_number", "payment_id"),
    ),
    Kind(
        "purchase.failed",
        "A purchase could not be paid",
        BILLING,
        (*_FAILED_TEXTS, "po_number"),
        _FAILED_NUMBERS,
        ("next_ms", "po_number"),
    ),
    Kind(
        "purchase.invoiced",
        "A purchase waits for its payment",
        BILLING,
        (*_AWAITED_TEXTS, "document_number"),
        _AWAITED_NUMBERS,
        ("po_number", "bank", "document_number"),
    ),
    Kind(
        "purchase.reminded",
        "A purchase still waits for its payment",
        BILLING,
        _AWAITED_TEXTS,
        _AWAITED_NUMBERS,
        ("po_number", "bank"),
    ),
    Kind("balance.zero", "The credits are used up", BOTH, ("currency",), ("balance_micros",)),
    Kind(
        "balance.low",
        "The credits are low",
        BILLING,
        ("currency",),
        ("balance_micros", "threshold_micros"),
    ),
    Kind(
        "lot.expiring",
        "Credits are about to expire",
        BILLING,
        ("currency",),
        ("lot_id", "lots", "remaining_micros", "expires_ms", "days"),
    ),
    Kind(
        "lot.expired",
        "Credits have expired",
        BILLING,
        ("currency",),
        ("lot_id", "forfeited_micros", "expires_ms"),
    ),
    Kind(
        "card.expiring",
        "A card is about to expire",
        BILLING,
        ("method",),
        ("method_id", "exp_year", "exp_month"),
    ),
    Kind(
        "pool.warning",
        "Included minutes are being used up",
        BOTH,
        ("pool",),
        ("used_s", "total_s", "percent"),
    ),
    Kind(
        "spend_limit.reached",
        "A user has reached the spending limit",
        VOICE,
        ("user", "currency", "month"),
        ("user_id", "limit_micros"),
    ),
    Kind("model.changed", "The way of paying has changed", BOTH, ("model", "reason"), ()),
    Kind(
        "grant.added",
        "Credits were given",
        BILLING,
        ("currency", "reason"),
        ("amount_micros", "expires_ms"),
    ),
    Kind(
        "refund.done",
        "A payment was refunded",
        BILLING,
        ("currency", "reason"),
        ("amount_micros", "voided_micros", "debt_micros"),
    ),
    Kind(
        "credits.taken_back",
        "Credits were taken back",
        BILLING,
        ("currency", "reason"),
        ("lot_id", "amount_micros", "voided_micros", "debt_micros"),
    ),
    _dispute("dispute.opened", "A payment is disputed"),
    _dispute("dispute.won", "A dispute was won"),
    _dispute("dispute.lost", "A dispute was lost"),
    _statement("statement.closed", "A statement is ready"),
    _statement("statement.due", "A statement is to be paid"),
    _statement("statement.overdue", "A statement is overdue"),
    _statement("statement.blocked", "Calls are blocked until a statement is paid", BOTH),
    _statement("statement.paid", "A statement was paid"),
    Kind(
        "statement.payment_undone",
        "A payment of a statement was undone",
        BILLING,
        (*_STATEMENT_TEXTS, "reason"),
        _STATEMENT_NUMBERS,
        ("document_number",),
    ),
    Kind(
        "webhook.disabled",
        "A webhook endpoint was disabled",
        ("admin",),
        ("url", "detail"),
        ("endpoint_id",),
        to_programs=False,
    ),
    Kind("notice.test", "A test", BOTH, ("asked_by",), ()),
    Kind(
        "notices.digest",
        "What happened while no mail could be sent",
        BOTH,
        ("kinds",),
        ("count", "first_ms", "last_ms"),
        to_programs=False,
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
"""Every kind of notice by its name."""


def notice(organisation_id: int, kind: str, key: str, at_ms: int, **facts: Fact) -> Notice:
    """A notice, checked to have exactly the facts of its kind. Raises WrongFacts: a bug.

    >>> notice(1, "balance.zero", "balance.zero:7", 0, currency="EUR", balance_micros=-5).kind
    'balance.zero'
    >>> notice(1, "balance.zero", "balance.zero:7", 0, currency="EUR")
    Traceback (most recent call last):
    talktime.core.notices.WrongFacts: balance.zero: balance_micros is missing
    """
    found = KINDS.get(kind)
    if found is None:
        raise WrongFacts(f"there is no kind of notice {kind!r}")
    if not 0 < len(key) <= NOTICE_KEY_TEXT_MAX:
        raise WrongFacts(
            f"{kind}: a key has 1 to {NOTICE_KEY_TEXT_MAX} characters, this {len(key)}"
        )
    for name in facts:
        if name not in found.facts:
            raise WrongFacts(f"{kind}: {name} is no fact of it")
    for name in found.facts:
        if name not in facts:
            raise WrongFacts(f"{kind}: {name} is missing")
        _check(found, name, facts[name])
    return Notice(organisation_id, kind, key, at_ms, facts)


def _check(kind: Kind, name: str, value: Fact) -> None:
    if value is None:
        if name not in kind.may_lack:
            raise WrongFacts(f"{kind.name}: {name} may not be None")
        return
    wanted = str if name in kind.texts else int
    if type(value) is not wanted:
        raise WrongFacts(f"{kind.name}: {name} is {value!r}, which is no {wanted.__name__}")

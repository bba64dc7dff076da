"""`.../numbers`: the organisation's phone numbers, who has them, what answers them."""

from typing import Annotated, Any, Literal

from ninja import Path, Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import AskedPage, IdText, Moment, Sent, Shown, listing
from talktime.core.directory import (
    ATTACHMENTS,
    NOT_ATTACHED,
    NUMBER_KINDS,
    USER_NUMBER,
    NumberEntry,
    User,
)
from talktime.core.keys import OPERATOR, READ, USERS
from talktime.core.limits import NUMBER_TEXT_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import (
    assign_number,
    attach_number,
    give_number,
    release_number,
    reserve_number,
    take_number,
)
from talktime.operations.find_numbers import list_numbers_of_kind, list_reservations, numbers_taken
from talktime.operations.give_up_reservation import give_up_reservation
from talktime.operations.number_quotas import read_allowance
from talktime.operations.users import find_user
from talktime.store.numbers import Reservation
from talktime.store.user_search import names_of_ids

SEES = (READ, USERS)
numbers = Resource("Numbers", "Users' numbers and service numbers; who has them.")
Answer = dict[str, Any]
Kind = Literal[*NUMBER_KINDS]  # type: ignore[valid-type]
AskedKind = Annotated[Kind, Query(description="Of which kind.")]
NumberText = Annotated[
    str, Path(min_length=2, max_length=NUMBER_TEXT_MAX, description="A number: +14255550100.")
]
UNKNOWN = ("invalid_number", "unknown_number")
UserName = Annotated[str, Field(min_length=1, max_length=USER_NAME_TEXT_MAX)]


class Number(Shown):
    """A number; `user` is the sign-in name of who has it, `attached` what answers it."""

    number: str
    kind: str
    user: str | None
    user_id: IdText | None
    attached: str
    active: bool


class SentNumber(Sent):
    """A number to be assigned to the organisation."""

    number: str = Field(min_length=2, max_length=NUMBER_TEXT_MAX)
    kind: str = Field(USER_NUMBER, json_schema_extra={"enum": list(NUMBER_KINDS)})
    user: UserName | None = None
    attached: str = Field(NOT_ATTACHED, json_schema_extra={"enum": list(ATTACHMENTS)})


class Reserved(Shown):
    """A number that is kept for the organisation until then; it counts as one of its kind."""

    number: str
    kind: str
    until: Moment


class Quota(Shown):
    """How many numbers of a kind the organisation has, those reserved too, and may have."""

    kind: str
    taken: int
    allowed: int


class SentReservation(Sent):
    """As what the number is kept."""

    kind: str = Field(USER_NUMBER, json_schema_extra={"enum": list(NUMBER_KINDS)})


class SentHolder(Sent):
    """Who has the number from now on."""

    user: UserName


class SentAttachment(Sent):
    """What answers a service number; an attendant or a queue through a resource account."""

    attached: str = Field(json_schema_extra={"enum": list(ATTACHMENTS)})
    user: UserName | None = None


@numbers.reads("/numbers", listing("numbers", Number), by=SEES)
def get_numbers(asked: Asked, page: AskedPage, kind: AskedKind = USER_NUMBER) -> Answer:
    """The numbers in use of one kind, in their order."""
    with asked.control.reading():
        found = list_numbers_of_kind(
            asked.control, asked.owner, kind, after=page.cursor, limit=page.limit
        )
    answer: Answer = asked.page(page, "numbers", found, lambda each: each.digits)
    return {**answer, "numbers": _shown(asked, found)}


@numbers.reads("/numbers/reservations", listing("reservations", Reserved, paged=False), by=SEES)
def get_number_reservations(asked: Asked, kind: AskedKind = USER_NUMBER) -> Answer:
    """The numbers of one kind that are kept for the organisation now, at most 1,000."""
    with asked.control.reading():
        found = list_reservations(asked.control, asked.owner, kind, now_ms=asked.now_ms)
    return {"reservations": [_reserved(each) for each in found]}


@numbers.reads("/numbers/quotas", listing("quotas", Quota, paged=False), by=SEES)
def get_number_quotas(asked: Asked) -> Answer:
    """How many numbers of each kind the organisation has, and how many its licences allow."""
    with asked.cell.reading():
        allowance = read_allowance(asked.cell, asked.owner, asked.catalogue)
    with asked.control.reading():
        taken = numbers_taken(asked.control, asked.owner, now_ms=asked.now_ms)
    quotas = [
        {"kind": kind, "taken": taken[kind], "allowed": allowance.of(kind)} for kind in NUMBER_KINDS
    ]
    return {"quotas": quotas}


@numbers.does(
    *("POST", "/numbers", Number),
    by=(OPERATOR,),
    refusals=(
        *("invalid_number", "unknown_user", "already_exists", "number_reserved"),
        *("never_funded", "quota_reached"),
    ),
    sent={"number": "+14255550100", "kind": "user", "user": "front-desk@contoso.example"},
)
def post_number(asked: Asked, sent: SentNumber) -> Answer | Refusal:
    """Assign a number to the organisation, and to a user of it. Done again, it stays so."""
    user = _user(asked, sent.user)
    if isinstance(user, Refusal):
        return user
    with asked.cell.reading():
        allowance = read_allowance(asked.cell, asked.owner, asked.catalogue)
    with asked.control.transaction():
        done = assign_number(
            *(asked.control, asked.owner, sent.number),
            kind=sent.kind,
            user=user,
            attached=sent.attached,
            allowance=allowance,
            now_ms=asked.now_ms,
        )
    return _one(asked, done)


@numbers.does(
    *("PUT", "/numbers/{number}/reservation", Reserved),
    by=(OPERATOR,),
    refusals=(
        *("invalid_number", "already_exists", "number_reserved"),
        *("never_funded", "quota_reached"),
    ),
    sent={"kind": "user"},
)
def put_number_reservation(
    asked: Asked, number: NumberText, sent: SentReservation
) -> Answer | Refusal:
    """Keep a number for the organisation for ten minutes, in which nobody else gets it.

    Asked again meanwhile, it ends when it would have. `POST .../numbers` then assigns it, `DELETE`
    gives it up.
    """
    with asked.cell.reading():
        allowance = read_allowance(asked.cell, asked.owner, asked.catalogue)
    with asked.control.transaction():
        done = reserve_number(
            *(asked.control, asked.owner, number),
            kind=sent.kind,
            allowance=allowance,
            now_ms=asked.now_ms,
        )
    return done if isinstance(done, Refusal) else _reserved(done)


@numbers.does("DELETE", "/numbers/{number}/reservation", Reserved, by=(OPERATOR,), refusals=UNKNOWN)
def delete_number_reservation(asked: Asked, number: NumberText) -> Answer | Refusal:
    """Keep a number no longer: anybody can be given it, and it counts no more."""
    with asked.control.transaction():
        done = give_up_reservation(asked.control, asked.owner, number, now_ms=asked.now_ms)
    return done if isinstance(done, Refusal) else _reserved(done)


@numbers.does("DELETE", "/numbers/{number}", Number, by=(OPERATOR,), refusals=UNKNOWN)
def delete_number(asked: Asked, number: NumberText) -> Answer | Refusal:
    """Take a number out of use; done again, it stays so."""
    with asked.control.transaction():
        return _one(asked, release_number(asked.control, asked.owner, number))


@numbers.does(
    *("PUT", "/numbers/{number}/user", Number),
    by=(USERS,),
    refusals=(*UNKNOWN, "unknown_user", "already_exists"),
    sent={"user": "front-desk@contoso.example"},
)
def put_number_user(asked: Asked, number: NumberText, sent: SentHolder) -> Answer | Refusal:
    """Give a user a number of the organisation's that nobody has."""
    user = _user(asked, sent.user)
    if isinstance(user, Refusal) or user is None:
        return user or Refusal("unknown_user", "nobody is named")
    with asked.control.transaction():
        return _one(asked, give_number(asked.control, asked.owner, number, user))


@numbers.does(
    *("DELETE", "/numbers/{number}/user/{user}", Number),
    by=(USERS,),
    refusals=(*UNKNOWN, "unknown_user"),
)
def delete_number_user(
    asked: Asked,
    number: NumberText,
    user: Annotated[str, Path(max_length=USER_NAME_TEXT_MAX, description="Who has it.")],
) -> Answer | Refusal:
    """Take a number from a user; the organisation keeps it."""
    found = _user(asked, user)
    if isinstance(found, Refusal) or found is None:
        return found or Refusal("unknown_user", "nobody is named")
    with asked.control.transaction():
        return _one(asked, take_number(asked.control, asked.owner, number, found))


@numbers.does(
    *("PUT", "/numbers/{number}/attached", Number),
    by=(USERS,),
    refusals=(*UNKNOWN, "unknown_user"),
    sent={"attached": "bridge"},
)
def put_number_attached(asked: Asked, number: NumberText, sent: SentAttachment) -> Answer | Refusal:
    """Let a service number answer as a bridge, an attendant, a queue, or nothing."""
    user = _user(asked, sent.user)
    if isinstance(user, Refusal):
        return user
    with asked.control.transaction():
        done = attach_number(asked.control, asked.owner, number, attached=sent.attached, user=user)
    return _one(asked, done)


def _reserved(kept: Reservation) -> Answer:
    return {"number": f"+{kept.digits}", "kind": kept.kind, "until": kept.until_ms}


def _user(asked: Asked, name: str | None) -> User | Refusal | None:
    if name is None:
        return None
    with asked.cell.reading():
        return find_user(asked.cell, asked.owner, name)


def _one(asked: Asked, done: NumberEntry | Refusal) -> Answer | Refusal:
    return done if isinstance(done, Refusal) else _shown(asked, [done])[0]


def _shown(asked: Asked, entries: list[NumberEntry]) -> list[Answer]:
    ids = {each.user_id for each in entries if each.user_id is not None}
    with asked.cell.reading():
        names = names_of_ids(asked.cell, asked.owner.id, ids)
    return [
        {
            "number": f"+{each.digits}",
            "kind": each.kind,
            "user": names[each.user_id][0] if each.user_id in names else None,
            "user_id": each.user_id,
            "attached": each.attached,
            "active": each.active,
        }
        for each in entries
    ]

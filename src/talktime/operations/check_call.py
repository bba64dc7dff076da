"""Can this user make this call: the answer that a switch would get now, without making the call.

The same gates and the same books decide it (operations/resolve.py, quote.py); what they look up is
read from the databases for this one call, so no engine is needed.
"""

from typing import Any, NamedTuple

import msgspec

from talktime.core.books import Terms
from talktime.core.catalogue import Catalogues
from talktime.core.commands import Authorize
from talktime.core.directory import Directory, Organisation, User
from talktime.core.explain import rate_line
from talktime.core.limits import PREFIX_DIGITS_MAX
from talktime.core.rates import DIRECTIONS, PrefixIndex, RateCard, RateCards
from talktime.core.refusal import Refusal
from talktime.operations.find_users import sets_held
from talktime.operations.numbers import as_written, parse_number
from talktime.operations.quote import quote
from talktime.operations.resolve import CallRequest, resolve
from talktime.store.database import Connection
from talktime.store.numbers import numbers_of_digits
from talktime.store.rate_search import rates_of_prefixes
from talktime.store.rates import CardVersion, versions_of

INBOUND = ("user_in", "conf_in", "ucap_in")
MEETINGS = ("conf_out", "conf_in")


class CallCheck(NamedTuple):
    """What a switch would be told: the lines of the gates passed; the refusal, or the body of the
    quote (docs/reference/charging-api.md), whose amounts are decimal numbers of the currency.
    `no_minutes` says why included minutes pay nothing, where there are some for such calls."""

    passed: tuple[str, ...]
    no_minutes: tuple[str, ...]
    refusal: Refusal | None
    quote: dict[str, Any]


def check_call(
    control: Connection,
    cell: Connection,
    organisation: Organisation,
    user: User,
    catalogues: Catalogues,
    *,
    type_: str,
    number: str,
    for_s: int,
    now_ms: int,
    terms: Terms,
) -> CallCheck | Refusal:
    """Ask whether a user can make (for `conf_in` and `ucap_in`: be reached by) a call.

    `number` is the one dialled: who is called, or our service number; of `user_in` there is none.
    `for_s` is how long a call is priced, in seconds. `now_ms` is ms since the epoch, UTC. `reading`
    is open on both databases.

    Refuses alone what `resolve` refuses alone: a call that is of nobody.
    """
    called = parse_number(number, None if number.startswith("+") else user.usage_location)
    if type_ not in INBOUND and not isinstance(called, Refusal):
        called = as_written(number, called)
    digits = "" if isinstance(called, Refusal) else called.digits
    numbers = numbers_of_digits(control, [digits]) if digits and type_ in INBOUND else []
    directory = _directory(cell, organisation, user)
    directory.apply(
        users=[user], numbers=[one for one in numbers if one.organisation_id == organisation.id]
    )
    request = _request(type_, user, number if isinstance(called, Refusal) else f"+{digits}")
    if not isinstance(called, Refusal) and called.emergency:
        request = msgspec.structs.replace(request, to=digits)
    command = resolve(
        directory,
        _narrow_cards(control, organisation, digits, now_ms),
        catalogues,
        request,
        0,
        now_ms,
        0,
    )
    if isinstance(command, Refusal):
        return command
    found = quote(cell, command, for_s, now_ms, terms)
    body = msgspec.json.decode(found.body)
    if found.code:
        no_minutes = tuple(body.get("because", [])[len(command.passed) :])
        return CallCheck(command.passed, no_minutes, Refusal(found.code, body["detail"]), {})
    return CallCheck(command.passed, _no_minutes(command, body), None, body)


def _no_minutes(command: Authorize, body: dict[str, Any]) -> tuple[str, ...]:
    """What a quote says between the gates and the rate, where no minutes pay."""
    if any(part["source"] == "pool" for part in body["paid_by"]):
        return ()
    end = body["because"].index(rate_line(command.rate))
    return tuple(body["because"][len(command.passed) : end])


def version_in_force(
    control: Connection, organisation: Organisation, at_ms: int
) -> CardVersion | None:
    """The version of the organisation's rate card at a moment; None before its first."""
    found = [
        version
        for version in versions_of(control, organisation.rate_card)
        if version.valid_from_ms <= at_ms
    ]
    return found[-1] if found else None


def _directory(cell: Connection, organisation: Organisation, user: User) -> Directory:
    """The organisation, and what its users have: the user is looked up, the others size pools."""
    directory = Directory()
    directory.apply([organisation])
    for held in sets_held(cell, organisation):
        directory.count(organisation.id, held.usage_location, held.licences, held.users)
    # The user is counted already: taken out, so that looking the user up counts nobody twice.
    directory.count(organisation.id, user.usage_location, user.licences, -1)
    return directory


def _request(type_: str, user: User, number: str) -> CallRequest:
    meeting = type_ in MEETINGS
    service = type_ in ("conf_in", "ucap_in")
    return CallRequest(
        *("", 0, type_),
        to=None if service or type_ == "user_in" else number,
        user=None if meeting or type_ == "ucap_in" else user.name,
        organizer=user.name if meeting else None,
        service_number=number if service else None,
    )


def _narrow_cards(
    control: Connection, organisation: Organisation, digits: str, at_ms: int
) -> RateCards:
    """The organisation's card in force, with the rows alone that one number can match."""
    version = version_in_force(control, organisation, at_ms)
    if version is None:
        return RateCards()
    prefixes = [digits[:length] for length in range(1, min(len(digits), PREFIX_DIGITS_MAX) + 1)]
    indexes = {
        direction: PrefixIndex.of(
            (row.rate, row.valid_from_ms)
            for row in rates_of_prefixes(control, version.id, direction, prefixes)
        )
        for direction in DIRECTIONS
    }
    card = RateCard(
        *(version.id, version.name, version.currency, version.valid_from_ms, indexes),
    )
    return RateCards().with_card(card)

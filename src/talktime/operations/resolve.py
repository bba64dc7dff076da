"""Who calls, whom, and what the gates say to it: an authorize made complete, from memory.

The gates themselves are in core/gates.py. A "no" before an organisation is known is a Refusal
alone: nothing can be kept of it. One after that travels in the command, so that its answer is kept
with the call, and repeated like any other.
"""

from collections.abc import Callable

import msgspec

from talktime.core.called import Called
from talktime.core.calls import ASKED_TYPES, UNASSIGNED_IN
from talktime.core.catalogue import Catalogues
from talktime.core.clear_ways import outbound
from talktime.core.commands import Authorize
from talktime.core.directory import (
    TOLL_FREE,
    USER_NUMBER,
    Directory,
    NumberEntry,
    Organisation,
    User,
)
from talktime.core.entitlements import entitlements
from talktime.core.gates import (
    BOT_CAPABILITY,
    CONFERENCING_CAPABILITY,
    EMERGENCY,
    TO_A_USER,
    TO_NOBODY,
    UNRATED,
    Verdict,
    inbound,
    inbound_free,
)
from talktime.core.limits import (
    CALL_FUTURE_MS_MAX,
    CALL_PAST_MS_MAX,
    PREFIX_DIGITS_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.core.rates import RateCards
from talktime.core.refusal import Refusal
from talktime.core.world import World
from talktime.operations.dialled import Dialled, dialled, seen_from
from talktime.operations.numbers import parse_number

_DIGITS = frozenset("0123456789")
_TIMES_TAKEN = (
    f"'at' may be at most {CALL_PAST_MS_MAX // 86_400_000} days before and "
    f"{CALL_FUTURE_MS_MAX // 60_000} minutes after the service's clock"
)


class CallRequest(msgspec.Struct, frozen=True, gc=False):
    """What a switch says of a call that it asks for, numbers and names as it sent them."""

    call_key: str
    sequence: int
    type: str
    from_: str | None = None
    to: str | None = None
    user: str | None = None
    organizer: str | None = None
    service_number: str | None = None
    at_ms: int | None = None
    requested_s: int = 0
    conference_id: str = ""


class _Party(msgspec.Struct, frozen=True, gc=False):
    """Our side of a call: the organisation, its user where there is one, the numbers. `bot` is the
    resource account that answers a service number; `number` is ours of the call."""

    organisation: Organisation
    user: User | None
    from_digits: str
    to_digits: str = ""
    toll_free: bool = False
    bot: User | None = None
    number: NumberEntry | None = None


def resolve(
    directory: Directory,
    rate_cards: RateCards,
    catalogues: Catalogues,
    request: CallRequest,
    switch_id: int,
    at_ms: int,
    body_hash: int,
) -> Authorize | Refusal:
    """Make the command that the books can decide of a switch's request, or refuse it outright.

    `at_ms` is the service's clock (ms since the epoch, UTC); the call begins then unless the
    request says otherwise, and is decided by the catalogue and rates of its beginning. Emergency
    numbers of the caller's country are always allowed and free, whatever else is wrong (D18). A
    call to a user's number that nobody has is recorded as unassigned_in.

    Refuses alone: invalid_request, time_out_of_range, unknown_caller, invalid_number of `from`; of
    calls that come in unknown_number, unknown_user; in the command what is inactive,
    invalid_number, and what the gates refuse.
    """
    began_ms = at_ms if request.at_ms is None else request.at_ms
    if not -CALL_PAST_MS_MAX <= began_ms - at_ms <= CALL_FUTURE_MS_MAX:
        return Refusal("time_out_of_range", _TIMES_TAKEN)
    find_party = _PARTIES.get(request.type)
    if find_party is None:
        return Refusal("invalid_request", f"'type' is none of {', '.join(ASKED_TYPES)}")
    party = find_party(directory, request)
    if isinstance(party, Refusal):
        return party
    world = World(directory, rate_cards, catalogues.in_force(began_ms), began_ms)
    decide = _outbound if find_party is _calling else _inbound
    unassigned = find_party is _called_user and party.user is None
    to_digits, verdict = decide(world, party, request)
    return Authorize(
        *(switch_id, request.call_key, request.sequence, body_hash, party.organisation.id),
        party.user.id if party.user is not None else None,
        UNASSIGNED_IN if unassigned else request.type,
        party.from_digits,
        to_digits,
        began_ms,
        verdict.rate,
        request.requested_s,
        verdict.refusal,
        (_who_line(party), *verdict.passed),
        verdict.payers,
        verdict.pool_total_s,
        verdict.guard_total_s,
        perhaps_of=party.number.lately_of(at_ms) if party.number is not None else None,
        conference_id=request.conference_id,
    )


def refused_outright(
    refusal: Refusal,
    request: CallRequest,
    switch_id: int,
    organisation_id: int,
    at_ms: int,
    body_hash: int,
) -> Authorize:
    """The command of a request that `resolve` refused alone, for a call that is known to be this
    organisation's: the books may have answered the same request before, and will say so again."""
    return Authorize(
        switch_id,
        request.call_key,
        request.sequence,
        body_hash,
        organisation_id,
        None,
        request.type,
        "",
        "",
        at_ms,
        UNRATED,
        request.requested_s,
        refusal,
    )


def _outbound(world: World, party: _Party, request: CallRequest) -> tuple[str, Verdict]:
    """The digits called, and what the gates say."""
    to, user = request.to or "", party.user
    region = user.usage_location if user is not None else party.organisation.country
    found = dialled(to) if to[:1] == "+" else dialled(to, region)
    if isinstance(found, Refusal):
        return _some_digits(to), Verdict(UNRATED, _inactive(party) or found, ())
    called, line, emergency = seen_from(found, region)
    if emergency:
        return called.digits, inbound_free(EMERGENCY, "", (line,))
    inactive = _inactive(party)
    if inactive is not None:
        return _some_digits(to), Verdict(UNRATED, inactive, ())
    return called.digits, outbound(world, request.type, party.organisation, user, called, [line])


def _inbound(world: World, party: _Party, request: CallRequest) -> tuple[str, Verdict]:
    return party.to_digits, _inbound_verdict(world, party, request)


def _inbound_verdict(world: World, party: _Party, request: CallRequest) -> Verdict:
    inactive = _inactive(party)
    if inactive is not None:
        return Verdict(UNRATED, inactive, ())
    user = party.user
    if request.type == "user_in" and user is None:
        return inbound_free(TO_NOBODY, "", (f"number: +{party.to_digits} is assigned to nobody",))
    if request.type == "user_in" and user is not None:
        plan = entitlements(world.catalogue, user.licences).plan
        capability = plan.capability if plan is not None else ""
        return inbound_free(TO_A_USER, capability, ())
    capability = BOT_CAPABILITY if request.type == "ucap_in" else CONFERENCING_CAPABILITY
    return inbound(
        world,
        party.organisation,
        user,
        Called(party.to_digits, ""),
        bot=party.bot,
        toll_free=party.toll_free,
        capability=capability,
    )


def _inactive(party: _Party) -> Refusal | None:
    if not party.organisation.active:
        return Refusal("organisation_inactive", f"{party.organisation.name} is switched off")
    if party.user is not None and not party.user.active:
        return Refusal("user_inactive", f"{party.user.name} is switched off")
    return None


def _calling(directory: Directory, request: CallRequest) -> _Party | Refusal:
    """Who calls out: the organizer of a conference, the named user, or the user of the number."""
    if not request.to:
        return Refusal("invalid_request", f"{request.type} needs 'to'")
    entry, from_digits = None, ""
    name = request.organizer if request.type == "conf_out" else request.user
    if request.from_:
        entry = directory.number(request.from_[1:]) if request.from_[0] == "+" else None
        if entry is None:
            number = parse_number(request.from_)
            if not isinstance(number, Refusal):
                from_digits = number.digits
                entry = directory.number(from_digits)
            elif not _calls_for_help(directory, name, request.to):
                return number
        else:
            from_digits = entry.digits
    if name:
        user = _named(directory, name, entry)
        if user is None:
            return _unknown(f"no user is named {name[:USER_NAME_TEXT_MAX]!r}")
    elif request.type == "conf_out":
        return Refusal("invalid_request", "conf_out needs 'organizer'")
    elif entry is None:
        if not from_digits:
            return Refusal("invalid_request", f"{request.type} needs 'from' or 'user'")
        return _unknown(f"+{from_digits} is the number of no organisation")
    elif entry.user_id is None:
        if request.type != "ucap_out":
            return _unknown(f"+{from_digits} is the number of no user")
        user = None
    else:
        user = directory.user(entry.organisation_id, entry.user_id)
        if user is None:
            return _unknown(f"the user of +{from_digits} is not known")
    return _ours(directory, user, entry, from_digits)


def _calls_for_help(directory: Directory, name: str | None, to: str) -> bool:
    """Whether a user who is named dials an emergency number: that is allowed whatever else is
    wrong, such as a caller's number that is withheld (D18)."""
    user = _named(directory, name, None) if name else None
    found = dialled(to, user.usage_location) if user is not None and to[:1] != "+" else None
    return isinstance(found, Dialled) and found.emergency


def _called_user(directory: Directory, request: CallRequest) -> _Party | Refusal:
    """Whose call comes in: the user of the number that was called, if somebody has it, or the named
    user."""
    entry, to_digits = None, ""
    if request.to:
        found = _entry(directory, request.to)
        if isinstance(found, Refusal):
            return found
        entry, to_digits = found
    if entry is not None and entry.kind != USER_NUMBER:
        return Refusal(
            "invalid_request",
            f"+{to_digits} is a service number: calls to it are of type conf_in or ucap_in",
        )
    if request.user:
        user = _named(directory, request.user, entry)
        if user is None:
            return _no_user(request.user)
    elif not to_digits:
        return Refusal("invalid_request", "user_in needs 'to' or 'user'")
    elif entry is None:
        return _no_number(to_digits)
    elif entry.user_id is None:
        user = None
    else:
        user = directory.user(entry.organisation_id, entry.user_id)
        if user is None:
            return Refusal("unknown_user", f"the user of +{to_digits} is not known")
    return _ours(directory, user, entry, _some_digits(request.from_ or ""), to_digits)


def _called_service(directory: Directory, request: CallRequest) -> _Party | Refusal:
    """Whose call comes in: the organisation of the service number, and the organizer of the
    meeting where one is named."""
    number = request.service_number or request.to
    if not number:
        return Refusal("invalid_request", f"{request.type} needs 'service_number'")
    found = _entry(directory, number)
    if isinstance(found, Refusal):
        return found
    entry, to_digits = found
    if entry is None:
        return _no_number(to_digits)
    organizer = None
    if request.organizer and request.type == "conf_in":
        organizer = directory.user_named(request.organizer.lower(), entry.organisation_id)
        if organizer is None:
            return _no_user(request.organizer)
    party = _ours(directory, None, entry, _some_digits(request.from_ or ""), to_digits)
    if isinstance(party, Refusal):
        return party
    bot = None
    if request.type == "ucap_in" and entry.user_id is not None:
        bot = directory.user(entry.organisation_id, entry.user_id)
    return msgspec.structs.replace(party, user=organizer, bot=bot)


_PARTIES: dict[str, Callable[[Directory, CallRequest], _Party | Refusal]] = {
    "user_out": _calling,
    "user_out_conf": _calling,
    "user_out_transfer": _calling,
    "user_out_forwarding": _calling,
    "conf_out": _calling,
    "ucap_out": _calling,
    "user_in": _called_user,
    "conf_in": _called_service,
    "ucap_in": _called_service,
}


def _ours(
    directory: Directory,
    user: User | None,
    entry: NumberEntry | None,
    from_digits: str,
    to_digits: str = "",
) -> _Party | Refusal:
    if user is not None:
        organisation = directory.organisation(user.organisation_id)
    else:
        organisation = directory.organisation(entry.organisation_id) if entry is not None else None
    if organisation is None:
        return _unknown("the caller's organisation is not known")
    toll_free = user is None and entry is not None and entry.kind == TOLL_FREE
    return _Party(organisation, user, from_digits, to_digits, toll_free, number=entry)


def _entry(directory: Directory, text: str) -> tuple[NumberEntry | None, str] | Refusal:
    """What is known of a number of ours, and its digits; a known number need not be parsed."""
    entry = directory.number(text[1:]) if text[0] == "+" else None
    if entry is not None:
        return entry, entry.digits
    number = parse_number(text)
    if isinstance(number, Refusal):
        return number
    return directory.number(number.digits), number.digits


def _named(directory: Directory, name: str, entry: NumberEntry | None) -> User | None:
    """The user of a name; where several organisations have one, that of the number's."""
    name = name.lower()
    user = directory.user_named(name)
    if user is None and entry is not None:
        user = directory.user_named(name, entry.organisation_id)
    return user


def _unknown(detail: str) -> Refusal:
    return Refusal("unknown_caller", detail)


def _no_number(to_digits: str) -> Refusal:
    return Refusal("unknown_number", f"+{to_digits} is the number of no organisation")


def _no_user(name: str) -> Refusal:
    return Refusal("unknown_user", f"no user is named {name[:USER_NAME_TEXT_MAX]!r}")


def _some_digits(text: str) -> str:
    """What can be kept of a number that was not checked: a caller's from outside, or a bad one."""
    return "".join([character for character in text if character in _DIGITS])[:PREFIX_DIGITS_MAX]


def _who_line(party: _Party) -> str:
    user, organisation = party.user, party.organisation
    if user is None:
        return f"caller: {organisation.name}"
    return f"caller: {user.display_name} ({user.name}) of {organisation.name}"

"""The organisation's phone numbers: users' numbers, and service numbers with what answers them."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import OPERATE, SEE, VOICE
from talktime.console.start.shown import telephone
from talktime.console.users.words import ATTACHMENTS, NUMBER_KINDS
from talktime.core.catalogue import USER_NUMBERS_MORE, USER_NUMBERS_PERCENT, Catalogue
from talktime.core.directory import ATTACHMENTS as ATTACHMENTS_POSSIBLE
from talktime.core.directory import NOT_ATTACHED, TOLL_FREE, USER_NUMBER, NumberEntry
from talktime.core.limits import NUMBER_TEXT_MAX, NUMBERS_REQUEST_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import attach_number
from talktime.operations.find_numbers import list_numbers_of_kind, list_reservations, numbers_taken
from talktime.operations.number_quotas import LicencesHeld, next_tier, read_allowance, read_held
from talktime.operations.users import find_user
from talktime.operations.wording import duration
from talktime.store.numbers import Reservation
from talktime.store.user_search import names_of_ids

NUMBERS_ON_A_PAGE = 50
RELEASED = "released"


@page(may=SEE)
def numbers_page(desk: Desk) -> HttpResponse:
    """The numbers of one kind, and how many there may be of each."""
    return numbers_again(desk)


@page(may=VOICE, methods=("POST",))
def attach(desk: Desk) -> HttpResponse:
    """Let a service number answer as a bridge, attendant, queue, or nothing."""
    sent = desk.request.POST
    attached = sent.get("attached", "")
    name = sent.get("user", "").strip()[:USER_NAME_TEXT_MAX]
    user: object = None
    if attached not in ATTACHMENTS_POSSIBLE:
        attached = NOT_ATTACHED
    if name:
        with desk.cell.reading():
            user = find_user(desk.cell, desk.owner, name)
    if isinstance(user, Refusal):
        return numbers_again(desk, {"refused": user}, 422)
    number = f"+{sent.get('number', '')[:NUMBER_TEXT_MAX]}"
    with desk.control.transaction():
        done = attach_number(desk.control, desk.owner, number, attached=attached, user=user)  # type: ignore[arg-type]
    if isinstance(done, Refusal):
        return numbers_again(desk, {"refused": done}, 422)
    text = _("%(number)s now answers as: %(what)s.") % {
        "number": telephone(done.digits),
        "what": ATTACHMENTS[done.attached],
    }
    messages.success(desk.request, text)
    response = redirect("numbers", desk.owner.id)
    response.headers["Location"] += f"?kind={done.kind}"
    return response


def numbers_again(desk: Desk, more: Shown | None = None, status: int = 200) -> HttpResponse:
    """The page of the kind that is asked for, with what else it is to show."""
    sent = desk.request.method == "POST"
    asked = desk.request.POST if sent else desk.request.GET
    kind, after = asked.get("kind", ""), asked.get("after", "")[:NUMBER_TEXT_MAX]
    kind = kind if kind in NUMBER_KINDS else USER_NUMBER
    part = "" if sent else digits_in(asked.get("q", ""))
    released = not sent and asked.get("state") == RELEASED
    with desk.control.reading():
        found = list_numbers_of_kind(
            *(desk.control, desk.owner, kind),
            active=not released,
            part=part,
            after=after,
            limit=NUMBERS_ON_A_PAGE + 1,
        )
        taken = numbers_taken(desk.control, desk.owner, now_ms=desk.now_ms)
        kept = list_reservations(desk.control, desk.owner, kind, now_ms=desk.now_ms)
    rows = found[:NUMBERS_ON_A_PAGE]
    with desk.cell.reading():
        ids = {each.user_id for each in rows if each.user_id is not None}
        names = names_of_ids(desk.cell, desk.owner.id, ids)
        allowance = read_allowance(desk.cell, desk.owner, desk.catalogue)
        held = read_held(desk.cell, desk.owner, desk.catalogue)
    query = _query(kind, part, released)
    cut = len(found) > NUMBERS_ON_A_PAGE
    shown: Shown = {
        "numbers": [_number(each, names) for each in rows],
        "kept": [_kept(desk, each) for each in kept],
        "kind": kind,
        "service": kind != USER_NUMBER,
        "kinds": [
            (code, label, taken[code], allowance.of(code)) for code, label in NUMBER_KINDS.items()
        ],
        **_why(held, desk.catalogue),
        "attachments": ATTACHMENTS.items(),
        "unfunded": kind == TOLL_FREE and not allowance.funded,
        "asked": {"q": part, "released": released},
        "query": query,
        "first": bool(after),
        "next": f"{query}&after={rows[-1].digits}" if cut else "",
        "may_change": desk.may(VOICE) and not released,
        "may_assign": desk.may(OPERATE),
        "numbers_max": NUMBERS_REQUEST_MAX,
        **(more or {}),
    }
    return desk.page("users/numbers.html", shown, status=status)


def digits_in(text: str) -> str:
    """The digits of a part of a number, however it is written.

    >>> digits_in("+1 (425) 555"), digits_in("%")
    ('1425555', '')
    """
    return "".join(each for each in text[:NUMBER_TEXT_MAX] if each.isascii() and each.isdigit())


def _number(entry: NumberEntry, names: dict[int, tuple[str, str]]) -> Shown:
    name, display_name = names.get(entry.user_id or 0, ("", ""))
    return {
        "digits": entry.digits,
        "text": telephone(entry.digits),
        "active": entry.active,
        "user_id": entry.user_id,
        "user": display_name,
        "name": name,
        "attached": entry.attached,
        "answers": ATTACHMENTS[entry.attached],
    }


def _kept(desk: Desk, kept: Reservation) -> Shown:
    return {
        "digits": kept.digits,
        "text": telephone(kept.digits),
        "until": desk.wording.moment(kept.until_ms),
        "left": duration((kept.until_ms - desk.now_ms) // 1000),
    }


def _why(held: LicencesHeld, catalogue: Catalogue) -> Shown:
    """By what licences there may be so many: what they are multiplied by, what is added, from how
    many on there can be more."""
    settings = catalogue.settings
    return {
        "held": held,
        "percent": settings.get(USER_NUMBERS_PERCENT, "100"),
        "more": settings.get(USER_NUMBERS_MORE, "0"),
        "tier": next_tier(held, catalogue),
    }


def _query(kind: str, part: str, released: bool) -> str:
    asked = {"kind": kind, "q": part, "state": RELEASED if released else ""}
    return urlencode({name: value for name, value in asked.items() if value})

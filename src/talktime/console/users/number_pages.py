"""The organisation's phone numbers: users' numbers, and service numbers with what answers them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE, VOICE
from talktime.console.start.shown import telephone
from talktime.console.users.words import ATTACHMENTS, NUMBER_KINDS
from talktime.core.directory import ATTACHMENTS as ATTACHMENTS_POSSIBLE
from talktime.core.directory import NOT_ATTACHED, TOLL_FREE, USER_NUMBER
from talktime.core.limits import NUMBER_TEXT_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import (
    attach_number,
    list_numbers_in_use,
    numbers_taken,
)
from talktime.operations.number_quotas import read_allowance
from talktime.operations.users import find_user
from talktime.store.user_search import names_of_ids

NUMBERS_ON_A_PAGE = 50


@page(may=SEE)
def numbers_page(desk: Desk) -> HttpResponse:
    """The numbers of one kind, and how many there may be of each."""
    return _numbers(desk)


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
        return _numbers(desk, {"refused": user}, 422)
    number = f"+{sent.get('number', '')[:NUMBER_TEXT_MAX]}"
    with desk.control.transaction():
        done = attach_number(desk.control, desk.owner, number, attached=attached, user=user)  # type: ignore[arg-type]
    if isinstance(done, Refusal):
        return _numbers(desk, {"refused": done}, 422)
    text = _("%(number)s now answers as: %(what)s.") % {
        "number": telephone(done.digits),
        "what": ATTACHMENTS[done.attached],
    }
    messages.success(desk.request, text)
    response = redirect("numbers", desk.owner.id)
    response.headers["Location"] += f"?kind={done.kind}"
    return response


def _numbers(desk: Desk, more: Shown | None = None, status: int = 200) -> HttpResponse:
    asked = desk.request.POST if desk.request.method == "POST" else desk.request.GET
    kind, after = asked.get("kind", ""), asked.get("after", "")[:NUMBER_TEXT_MAX]
    kind = kind if kind in NUMBER_KINDS else USER_NUMBER
    with desk.control.reading():
        found = list_numbers_in_use(
            *(desk.control, desk.owner, kind), after=after, limit=NUMBERS_ON_A_PAGE + 1
        )
        taken = numbers_taken(desk.control, desk.owner, now_ms=desk.now_ms)
    rows = found[:NUMBERS_ON_A_PAGE]
    with desk.cell.reading():
        ids = {each.user_id for each in rows if each.user_id is not None}
        names = names_of_ids(desk.cell, desk.owner.id, ids)
        allowance = read_allowance(desk.cell, desk.owner, desk.catalogue)
    cut = len(found) > NUMBERS_ON_A_PAGE
    shown: Shown = {
        "numbers": [
            {
                "digits": each.digits,
                "text": telephone(each.digits),
                "user_id": each.user_id,
                "user": names.get(each.user_id or 0, ("", ""))[1],
                "name": names.get(each.user_id or 0, ("", ""))[0],
                "attached": each.attached,
                "answers": ATTACHMENTS[each.attached],
            }
            for each in rows
        ],
        "kind": kind,
        "service": kind != USER_NUMBER,
        "kinds": [
            (code, label, taken[code], allowance.of(code)) for code, label in NUMBER_KINDS.items()
        ],
        "attachments": ATTACHMENTS.items(),
        "unfunded": kind == TOLL_FREE and not allowance.funded,
        "query": f"kind={kind}",
        "first": bool(after),
        "next": f"kind={kind}&after={rows[-1].digits}" if cut else "",
        "may_change": desk.may(VOICE),
        **(more or {}),
    }
    return desk.page("users/numbers.html", shown, status=status)

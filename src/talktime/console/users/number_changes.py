"""The operator assigns numbers to an organisation, keeps some for it, takes one out of use."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from talktime.console.doors import Desk, page
from talktime.console.pressed_once import once
from talktime.console.roles import OPERATE
from talktime.console.start.shown import telephone
from talktime.console.users.number_pages import numbers_again
from talktime.console.users.words import NUMBER_KINDS
from talktime.core.directory import USER_NUMBER, NumberEntry, User
from talktime.core.limits import NUMBER_TEXT_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import assign_numbers, release_number, reserve_numbers
from talktime.operations.give_up_reservation import give_up_reservation
from talktime.operations.number_quotas import read_allowance
from talktime.operations.users import find_user
from talktime.store.numbers import Reservation

RESERVE = "reserve"


@page(may=OPERATE, methods=("POST",))
def assign(desk: Desk) -> HttpResponse:
    """Assign the numbers that were typed, or keep them for ten minutes: all of them, or none."""
    sent = desk.request.POST
    typed = sent.get("numbers", "")
    texts = [line.strip() for line in typed.replace(",", "\n").splitlines() if line.strip()]
    done = _done(desk, texts)
    if isinstance(done, Refusal):
        typed_again = {
            "numbers": typed,
            "user": sent.get("user", "")[:USER_NAME_TEXT_MAX],
            "over_quota": "over_quota" in sent,
        }
        return numbers_again(desk, {"refused": done, "typed": typed_again}, 422)
    return _back(desk)


@page(may=OPERATE, methods=("POST",))
def give_up(desk: Desk) -> HttpResponse:
    """Keep a number no longer."""
    number = f"+{desk.request.POST.get('number', '')[:NUMBER_TEXT_MAX]}"
    with desk.control.transaction():
        done = give_up_reservation(desk.control, desk.owner, number, now_ms=desk.now_ms)
    if not isinstance(done, Refusal):
        text = _("%(number)s is not reserved any more.") % {"number": telephone(done.digits)}
        messages.success(desk.request, text)
    elif done.code != "unknown_number":  # which somebody else gave up, or which has ended, is none
        return numbers_again(desk, {"refused": done}, 422)
    return _back(desk)


@page(may=OPERATE, methods=("POST",))
def release(desk: Desk) -> HttpResponse:
    """Take a number out of use."""
    number = f"+{desk.request.POST.get('number', '')[:NUMBER_TEXT_MAX]}"
    done = once(
        desk,
        lambda: release_number(desk.control, desk.owner, number),
        lambda entry: int(entry.digits),
    )
    if isinstance(done, Refusal):
        return numbers_again(desk, {"refused": done}, 422)
    digits, released = done
    if released is not None:
        text = _("%(number)s was taken out of use.") % {"number": telephone(str(digits))}
        messages.success(desk.request, text)
    return _back(desk)


def _done(desk: Desk, texts: Sequence[str]) -> Refusal | None:
    """Assign or reserve, once for each form; it is said where it was done now."""
    user = _user(desk)
    if isinstance(user, Refusal):
        return user
    with desk.cell.reading():
        allowance = read_allowance(desk.cell, desk.owner, desk.catalogue)

    def make() -> Sequence[NumberEntry | Reservation] | Refusal:
        where = (desk.control, desk.owner, texts)
        how = {"kind": _kind(desk), "allowance": allowance, "now_ms": desk.now_ms}
        if _reserves(desk):
            return reserve_numbers(*where, **how)  # type: ignore[arg-type]
        over = "over_quota" in desk.request.POST
        return assign_numbers(*where, user=user, over_quota=over, **how)  # type: ignore[arg-type]

    done = once(desk, make, len)
    if isinstance(done, Refusal):
        return done
    count, made = done
    if made is not None:
        said = _said_reserved(count) if _reserves(desk) else _said_assigned(count)
        messages.success(desk.request, said % {"count": desk.wording.decimal(count)})
    return None


def _said_assigned(count: int) -> str:
    return ngettext("%(count)s number was assigned.", "%(count)s numbers were assigned.", count)


def _said_reserved(count: int) -> str:
    return ngettext(
        "%(count)s number is reserved for ten minutes.",
        "%(count)s numbers are reserved for ten minutes.",
        count,
    )


def _user(desk: Desk) -> User | Refusal | None:
    name = desk.request.POST.get("user", "").strip()[:USER_NAME_TEXT_MAX]
    if not name or _reserves(desk):
        return None
    with desk.cell.reading():
        return find_user(desk.cell, desk.owner, name)


def _reserves(desk: Desk) -> bool:
    return desk.request.POST.get("do") == RESERVE


def _kind(desk: Desk) -> str:
    kind = desk.request.POST.get("kind", "")
    return kind if kind in NUMBER_KINDS else USER_NUMBER


def _back(desk: Desk) -> HttpResponse:
    response = redirect("numbers", desk.owner.id)
    response.headers["Location"] += f"?kind={_kind(desk)}"
    return response

"""Switch to post-usage: what it does, done when confirmed; how far it is; the way back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from talktime.console.billing.credits_page import after_use_shown
from talktime.console.billing.forms import (
    PayAsYouGoForm,
)
from talktime.console.billing.payments_shown import payment_shown
from talktime.console.doors import CHANGE, Desk, Shown, page
from talktime.console.refusals import sentence
from talktime.console.roles import BILLING, SEE
from talktime.core.directory import Organisation
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.operations.commerce_models import (
    POST_USAGE,
    PREPAID,
    Preview,
    blocked_move,
    change_model,
    own_cap,
    preview_change,
)
from talktime.operations.organisations import change_organisation
from talktime.operations.till import NoWallet


@page(may=SEE)
def switch_to_post_usage(desk: Desk) -> HttpResponse:
    """How the organisation pays; and what a change would do, before it is made."""
    return _wizard(desk)


@page(may=BILLING, methods=("POST",))
def change_commerce_model(desk: Desk) -> HttpResponse:
    """Make the change that was confirmed. Sent twice, it is made once."""
    to = desk.request.POST.get("to", "")
    if "confirmed" not in desk.request.POST:
        return _wizard(desk, wrong=_("Confirm that you have read what it does."), status=422)
    done = change_model(desk.control, desk.counter, to, actor=desk.actor)
    if isinstance(done, Refusal):
        return _wizard(desk, wrong=sentence(done), status=done.kind.status)
    if done.commerce_model == PREPAID:
        messages.success(desk.request, _("Calls are paid by credits again."))
    elif done.commerce_model == POST_USAGE:
        messages.success(desk.request, _("Calls are billed after use from now on."))
    else:
        messages.success(
            desk.request, _("The switch has begun: the credits that are left are used up first.")
        )
    return redirect("switch-to-post-usage", desk.owner.id)


@page(may=BILLING, methods=CHANGE)
def pay_as_you_go(desk: Desk) -> HttpResponse:
    """Let calls be paid after use, or not, and up to how much a month."""
    rules = desk.owner.rules
    cap_micros = rules.post_usage_cap_micros
    cap = "" if cap_micros is None else decimal_text(cap_micros)
    initial = {"on": rules.pay_as_you_go, "cap": cap}
    if desk.request.method != "POST":
        return desk.page("billing/pay_as_you_go.html", {"form": PayAsYouGoForm(initial=initial)})
    form = PayAsYouGoForm(desk.request.POST, initial=initial)
    if form.is_valid():
        typed, catalogue = form.cleaned_data, desk.catalogue
        changed = {"pay_as_you_go": typed["on"], "post_usage_cap_micros": typed["cap"]}
        done: Organisation | Refusal | None = own_cap(desk.owner, typed["cap"])
        if done is None:
            with desk.control.transaction():
                done = change_organisation(
                    *(desk.control, str(desk.owner.id)), rules=changed, catalogue=catalogue
                )
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("Saved."))
            return redirect("switch-to-post-usage", desk.owner.id)
        form.add_error(None, sentence(done))
    return desk.page("billing/pay_as_you_go.html", {"form": form}, status=422)


def _wizard(desk: Desk, *, wrong: str = "", status: int = 200) -> HttpResponse:
    prepaid = desk.owner.commerce_model == PREPAID
    preview = preview_change(desk.counter, POST_USAGE if prepaid else PREPAID)
    if isinstance(preview, Refusal):
        raise NoWallet(preview.detail)
    shown: Shown = {
        "after_use": after_use_shown(desk),
        "preview": _preview_shown(desk, preview),
        "blocked_move": blocked_move(desk.owner, preview.recharge_on),
        "moved": desk.owner.rules.moved,
        "wrong": wrong,
    }
    return desk.page("billing/switch.html", shown, status=status)


def _preview_shown(desk: Desk, preview: Preview) -> Shown:
    left_micros = sum(lot.remaining_micros for lot in preview.lots)
    last_ms = max((lot.expires_ms for lot in preview.lots), default=None)
    return {
        "to": preview.to,
        "balance": desk.money(preview.balance_micros),
        "held": desk.money(preview.held_micros),
        "left": desk.money(left_micros) if left_micros else None,
        "last": None if last_ms is None else desk.wording.moment(last_ms),
        "recharge_on": preview.recharge_on,
        "attempt": None if preview.attempt is None else payment_shown(desk, preview.attempt),
        "refusal": preview.refusal,
        "effects": preview.effects,
    }

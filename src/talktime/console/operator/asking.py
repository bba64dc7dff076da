"""How the operator's pages ask: a form, then what it will do to be confirmed, then it is done.

What was typed travels from the form to the confirmation in hidden fields, with the key that makes
the same form sent twice the same request.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.billing.forms import Money
from talktime.console.doors import OperatorDesk
from talktime.console.refusals import sentence
from talktime.core.limits import IDEMPOTENCY_KEY_TEXT_MAX, REASON_TEXT_MAX
from talktime.core.refusal import Refusal

Facts = Sequence[tuple[Any, Any]]
NOT_CARRIED = ("csrfmiddlewaretoken", "confirmed")


class Reason(forms.CharField):
    """Why it is done, as it is kept."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            label=gettext_lazy("Reason"),
            max_length=REASON_TEXT_MAX,
            help_text=gettext_lazy("It is kept, and some of it the organisation can read."),
            **more,
        )


class Key(forms.CharField):
    """The key by which a form that is sent twice does its work once."""

    def __init__(self) -> None:
        super().__init__(max_length=IDEMPOTENCY_KEY_TEXT_MAX, widget=forms.HiddenInput)


class Moment(forms.CharField):
    """A day or a moment in UTC; milliseconds once it is clean, None for an empty one."""

    def __init__(self, **more: Any) -> None:
        widget = forms.TextInput(attrs={"placeholder": "2026-01-31T12:00", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **more)

    def clean(self, value: Any) -> Any:
        """The moment."""
        text = super().clean(value).strip()
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            detail = _("Write a day such as 2026-01-31, or a moment such as 2026-01-31T12:00.")
            raise forms.ValidationError(detail) from error
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return int(at.timestamp()) * 1000


__all__ = [
    "Facts",
    "Key",
    "Moment",
    "Money",
    "Reason",
    "confirm",
    "confirmed",
    "form_page",
    "refused",
    "sentence",
]


def form_page(
    desk: OperatorDesk,
    form: forms.Form,
    *,
    title: str,
    button: str,
    back: str,
    back_name: str,
    lead: str = "",
    facts: Facts = (),
    danger: bool = False,
    files: bool = False,
) -> HttpResponse:
    """The form to be filled in; with what was typed and what is wrong where it was sent."""
    shown = {
        "form": form,
        "title": title,
        "button": button,
        "back": back,
        "back_name": back_name,
        "lead": lead,
        "facts": facts,
        "danger": danger,
        "files": files,
    }
    status = 422 if form.is_bound and form.errors else 200
    return desk.page("operator/form.html", shown, status=status)


def confirm(
    desk: OperatorDesk,
    *,
    title: str,
    facts: Facts,
    button: str,
    back: str,
    effects: Iterable[str] = (),
    danger: bool = False,
    action: str = "",
) -> HttpResponse:
    """What will be done, to be confirmed."""
    posted = desk.request.POST
    hidden = [
        (name, value)
        for name in posted
        if name not in NOT_CARRIED
        for value in posted.getlist(name)
    ]
    shown = {
        "title": title,
        "facts": facts,
        "effects": list(effects),
        "button": button,
        "back": back,
        "danger": danger,
        "hidden": hidden,
        "action": action,
    }
    return desk.page("operator/confirm.html", shown)


def confirmed(desk: OperatorDesk) -> bool:
    """Whether what is posted was confirmed."""
    return desk.request.POST.get("confirmed") == "1"


def refused(form: forms.Form, refusal: Refusal, field: str | None = None) -> None:
    """Say at the form (or one of its fields) why it was not done."""
    form.add_error(field, sentence(refusal))


def not_done(desk: OperatorDesk, refusal: Refusal, back: str) -> HttpResponse:
    """The page that says why what was confirmed was not done."""
    shown = {"why": sentence(refusal), "back": back}
    return desk.page("operator/refused.html", shown, status=refusal.kind.status)

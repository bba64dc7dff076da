"""Who gets an organisation's mail: the list, adding, changing and removing, and a test to each."""

from typing import Any
from urllib.parse import urlencode
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.databases import current
from talktime.console.doors import CHANGE, Desk, Shown, page
from talktime.console.notices.shown import ROLE_WORDS, kinds_shown
from talktime.console.refusals import sentence
from talktime.console.roles import NOTICES
from talktime.console.shared_forms import SharedForm
from talktime.core.deliveries import MAIL
from talktime.core.limits import EMAIL_TEXT_MAX
from talktime.core.notices import ROLES
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import send_test
from talktime.operations.recharge_settings import view_recharge
from talktime.operations.recipients import (
    Person,
    list_recipients,
    remove_recipient,
    set_recipient,
)

LANGUAGE_NAMES = (
    ("en", gettext_lazy("English")),
    ("en-GB", gettext_lazy("English (United Kingdom)")),
    ("en-US", gettext_lazy("English (United States)")),
    ("de", gettext_lazy("German")),
    ("de-AT", gettext_lazy("German (Austria)")),
    ("de-CH", gettext_lazy("German (Switzerland)")),
)


class RecipientForm(SharedForm):
    """An address, what it is told of, in which language and by which clock."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=EMAIL_TEXT_MAX,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Is told of"),
        choices=[(role, ROLE_WORDS[role][0]) for role in ROLES],
        widget=forms.CheckboxSelectMultiple,
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"))
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))

    def __init__(self, person: Person | None, time_zone: str, data: QueryDict | None) -> None:
        initial: dict[str, Any] = {"roles": ["admin"], "language": "en", "time_zone": time_zone}
        if person is not None:
            initial = {**person._asdict(), "roles": list(person.roles)}
        super().__init__(data, initial=initial, kept=initial if person else {})
        languages: list[tuple[str, Any]] = list(LANGUAGE_NAMES)
        zones = sorted(available_timezones())
        if person is not None and person.language not in dict(languages):
            languages.append((person.language, person.language))
        self.fields["language"].choices = languages  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [(each, each) for each in zones]  # type: ignore[attr-defined]
        self.fields["email"].disabled = person is not None


@page()
def recipients(desk: Desk) -> HttpResponse:
    """Who is told, of what, and at which balances."""
    return _list(desk)


def _list(desk: Desk, refusal: Refusal | None = None) -> HttpResponse:
    with desk.cell.reading():
        people = list_recipients(desk.cell, desk.owner.id)
    names = dict(LANGUAGE_NAMES)
    figures = desk.counter.figures
    levels = [each.below_micros for each in view_recharge(desk.counter).levels]
    shown: Shown = {
        "percent": current().pool_warning_percent,
        "recipients": [
            {
                **each._asdict(),
                "roles": [ROLE_WORDS[role][0] for role in each.roles],
                "language": names.get(each.language, each.language),
                "url": f"{reverse('recipient', args=[desk.owner.id])}?{_named(each.email)}",
            }
            for each in people
        ],
        "roles": list(ROLE_WORDS.values()),
        "kinds": kinds_shown(),
        "lot_days": ", ".join(str(days) for days in reversed(figures.lot_days)),
        "card_days": figures.card_days,
        "levels": [desk.money(micros) for micros in levels if micros],
        "wrong": "" if refusal is None else sentence(refusal),
    }
    return desk.page("notices/recipients.html", shown, 200 if refusal is None else 422)


@page(may=NOTICES, methods=CHANGE)
def add_recipient_page(desk: Desk) -> HttpResponse:
    """Let somebody get mail."""
    return _form(desk, None)


@page(may=NOTICES, methods=CHANGE)
def recipient(desk: Desk) -> HttpResponse:
    """Change what somebody is told, and how."""
    return _form(desk, _person(desk))


def _form(desk: Desk, person: Person | None) -> HttpResponse:
    posted = desk.request.method == "POST"
    given = desk.request.POST if posted else None
    form = RecipientForm(person, desk.owner.time_zone, given)
    if posted and form.is_valid():
        typed = form.cleaned_data
        with desk.cell.transaction():
            done = set_recipient(
                *(desk.cell, desk.owner.id, typed["email"]),
                roles=typed["roles"],
                language=typed["language"],
                time_zone=typed["time_zone"],
                now_ms=desk.now_ms,
                next_id=desk.next_id,
            )
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("Saved."))
            return redirect("recipients", desk.owner.id)
        form.add_error("email", sentence(done))
    shown: Shown = {"form": form, "person": person, "roles": ROLE_WORDS.items()}
    return desk.page("notices/recipient.html", shown, 422 if posted else 200)


@page(may=NOTICES, methods=("POST",))
def remove(desk: Desk) -> HttpResponse:
    """Send somebody no more mail."""
    person = _person(desk)
    with desk.cell.transaction():
        remove_recipient(desk.cell, desk.owner.id, person.email)
    gone = _("%(email)s gets no more mail.") % {"email": person.email}
    messages.success(desk.request, gone)
    return redirect("recipients", desk.owner.id)


@page(may=NOTICES, methods=("POST",))
def test(desk: Desk) -> HttpResponse:
    """Send somebody a test."""
    person = _person(desk)
    with desk.cell.transaction():
        done = send_test(
            *(desk.cell, desk.owner.id, MAIL, person.email),
            actor=desk.actor,
            now_ms=desk.now_ms,
            next_id=desk.next_id,
        )
    if isinstance(done, Refusal):
        return _list(desk, done)
    messages.success(desk.request, _("A test is on its way."))
    return redirect("delivery", desk.owner.id, done.id)


def _person(desk: Desk) -> Person:
    """The recipient that the address or the form names; 404 where there is none."""
    email = (desk.request.POST.get("person") or desk.request.GET.get("email") or "").strip().lower()
    with desk.cell.reading():
        people = list_recipients(desk.cell, desk.owner.id)
    for person in people:
        if person.email == email:
            return person
    raise Http404


def _named(email: str) -> str:
    return urlencode({"email": email})

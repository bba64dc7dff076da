"""Change how an organisation is rated, ruled and billed; close it and open it again."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.operator.asking import (
    Money,
    confirm,
    confirmed,
    form_page,
    not_done,
    refused,
)
from talktime.console.operator.choices import countries, offer, offer_cards, offer_places
from talktime.console.operator.places import CellAway, Place, away, organisation_at
from talktime.console.operator.words import COMMERCE_MODELS
from talktime.console.refusals import sentence
from talktime.console.roles import OPERATE
from talktime.console.shared_forms import SharedForm
from talktime.core.directory import CallingRules, Organisation
from talktime.core.limits import COUNTRIES_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.operations.commerce_models import (
    ASKED,
    POST_USAGE,
    PREPAID,
    Preview,
    change_model,
    mark_moved,
    preview_change,
)
from talktime.operations.organisations import change_organisation
from talktime.store.revisions import DIRECTORY, lock


class ChangeForm(SharedForm):
    """What of an organisation its operator decides."""

    rate_card = forms.ChoiceField(label=gettext_lazy("Rate card"))
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    policy = forms.ChoiceField(label=gettext_lazy("Dial-out policy"), required=False, choices=())
    allowed_countries = forms.CharField(
        label=gettext_lazy("Countries that can be called"),
        required=False,
        max_length=COUNTRIES_TEXT_MAX,
        help_text=gettext_lazy("Codes such as NO, SE, with spaces between. Empty: all."),
    )
    blocked_countries = forms.CharField(
        label=gettext_lazy("Countries that are blocked"),
        required=False,
        max_length=COUNTRIES_TEXT_MAX,
    )
    spend_limit_micros = Money(
        label=gettext_lazy("Spend limit of each user, by month"), required=False
    )
    pay_as_you_go = forms.BooleanField(
        label=gettext_lazy("Pay-as-you-go: calls may be billed after use"), required=False
    )
    post_usage_cap_micros = Money(
        label=gettext_lazy("At most this much after use, by month"), required=False
    )
    independent_counters = forms.BooleanField(
        label=gettext_lazy("Domestic and international minutes end each for itself"),
        required=False,
    )
    sold_by_reseller = forms.BooleanField(
        label=gettext_lazy("Its plans are sold by a reseller, who funds it"), required=False
    )
    agreement_country = forms.ChoiceField(
        label=gettext_lazy("Country of its billing agreement"),
        required=False,
        help_text=gettext_lazy("Where it is not the organisation's, it cannot buy credits."),
    )

    def clean(self) -> dict[str, Any]:
        """Countries are sets of codes."""
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        for name in COUNTRIES:
            typed[name] = frozenset(typed.get(name, "").upper().replace(",", " ").split())
        return typed


COUNTRIES = ("allowed_countries", "blocked_countries")
AMOUNTS = ("spend_limit_micros", "post_usage_cap_micros")


@operator_page(may=OPERATE, methods=CHANGE)
def change(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Change rate card, time zone and calling rules."""
    try:
        with organisation_at(desk, organisation_id) as place:
            return _change(desk, place)
    except CellAway as error:
        return away(desk, error)


def _change(desk: OperatorDesk, place: Place) -> HttpResponse:
    owner = place.owner
    posted = desk.request.method == "POST"
    form = ChangeForm(desk.request.POST if posted else None, initial=_initial(owner))
    policies = [("", _("The catalogue's default")), *((x, x) for x in place.catalogue.policies)]
    form.fields["policy"].choices = policies  # type: ignore[attr-defined]
    offer_places(form, desk)
    offer_cards(form, desk, kept=owner.rate_card)
    wrong = _("There is no country %(value)s. Choose one of the list.")
    offer(form, "agreement_country", [("", _("None")), *countries(desk)], wrong)
    if posted and form.is_valid():
        typed = form.cleaned_data
        rules = _rules(typed)
        changes = _changes(desk, owner, typed, rules)
        if not changes:
            messages.info(desk.request, _("Nothing was different."))
            return redirect("operator-organisation", owner.id)
        if not confirmed(desk):
            return confirm(
                desk,
                title=_("Change %(name)s") % {"name": owner.name},
                facts=changes,
                effects=[_("It holds for the next calls; running ones keep their rate.")],
                button=_("Change it"),
                back=_back(owner),
            )
        with desk.control.transaction():
            done = change_organisation(
                *(desk.control, str(owner.id)),
                rate_card=typed["rate_card"],
                time_zone=typed["time_zone"],
                rules=rules,
                catalogue=place.catalogue,
            )
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("It was changed."))
            return redirect("operator-organisation", owner.id)
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("Change %(name)s") % {"name": owner.name},
        button=_("Continue"),
        back=_back(owner),
        back_name=owner.name,
    )


def _initial(owner: Organisation) -> dict[str, Any]:
    rules = owner.rules._asdict()
    for name in COUNTRIES:
        rules[name] = " ".join(sorted(rules[name]))
    for name in AMOUNTS:
        rules[name] = "" if rules[name] is None else decimal_text(rules[name])
    return {**rules, "rate_card": owner.rate_card, "time_zone": owner.time_zone}


def _rules(typed: dict[str, Any]) -> dict[str, Any]:
    return {name: typed[name] for name in CallingRules._fields if name in typed}


def _changes(
    desk: OperatorDesk, owner: Organisation, typed: dict[str, Any], rules: dict[str, Any]
) -> list[tuple[str, str]]:
    """What is different, before and after, in words."""
    before = {**owner.rules._asdict(), "rate_card": owner.rate_card, "time_zone": owner.time_zone}
    after = {**rules, "rate_card": typed["rate_card"], "time_zone": typed["time_zone"]}

    def words(name: str, value: Any) -> str:
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(value, frozenset):
            return ", ".join(sorted(value)) or "-"
        if name in AMOUNTS and value is not None:
            return desk.wording.money(value, owner.currency).in_full
        return "-" if value in (None, "") else str(value)

    return [
        (
            str(ChangeForm.base_fields[name].label),
            f"{words(name, before[name])} → {words(name, value)}",
        )
        for name, value in after.items()
        if before[name] != value
    ]


@operator_page(may=OPERATE, methods=CHANGE)
def close(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Close an organisation (its calls are refused), or open it again."""
    try:
        with organisation_at(desk, organisation_id) as place:
            return _close(desk, place)
    except CellAway as error:
        return away(desk, error)


def _close(desk: OperatorDesk, place: Place) -> HttpResponse:
    owner = place.owner
    wanted = desk.request.POST.get("active", "" if owner.active else "1") == "1"
    if confirmed(desk):
        catalogue = place.catalogue
        with desk.control.transaction():
            done = change_organisation(
                desk.control, str(owner.id), active=wanted, catalogue=catalogue
            )
        if isinstance(done, Refusal):
            return not_done(desk, done, _back(owner))
        said = _("It is open again.") if wanted else _("It is closed.")
        messages.success(desk.request, said)
        return redirect("operator-organisation", owner.id)
    effects = [_("Its next calls are granted again.")]
    if not wanted:
        effects = [
            _("Its next calls are refused; running ones end at their next extension."),
            _("Its credits stay, and expire as before."),
        ]
    title = _("Open %(name)s again") if wanted else _("Close %(name)s")
    return desk.page(
        "operator/confirm.html",
        {
            "title": title % {"name": owner.name},
            "facts": [(_("Organisation"), owner.name), (_("Id"), owner.id)],
            "effects": effects,
            "button": _("Open it again") if wanted else _("Close it"),
            "back": _back(owner),
            "danger": not wanted,
            "hidden": [("active", "1" if wanted else "")],
        },
    )


@operator_page(may=OPERATE, methods=CHANGE)
def model(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Change how an organisation pays, or note that its reseller has moved it."""
    try:
        with organisation_at(desk, organisation_id) as place:
            return _model(desk, place)
    except CellAway as error:
        return away(desk, error)


def _model(desk: OperatorDesk, place: Place) -> HttpResponse:
    owner, to = place.owner, desk.request.POST.get("to", "")
    if to in ("moved", "not_moved"):
        return _mark(desk, owner, to == "moved")
    wrong: Refusal | None = None
    if to in ASKED and confirmed(desk):
        done = change_model(desk.control, place.counter, to, actor=desk.actor)
        if not isinstance(done, Refusal):
            words = COMMERCE_MODELS[done.commerce_model]
            messages.success(desk.request, _("Billing is now: %(model)s") % {"model": words})
            return redirect("operator-organisation", owner.id)
        wrong = done
    elif to in ASKED:
        preview = preview_change(place.counter, to)
        if isinstance(preview, Preview) and preview.refusal is None:
            return confirm(
                desk,
                title=_("Change how %(name)s pays") % {"name": owner.name},
                facts=_model_facts(desk, preview),
                effects=[f"{each[:1].upper()}{each[1:]}." for each in preview.effects],
                button=_("Change it"),
                back=_back(owner),
                danger=True,
            )
        wrong = preview.refusal if isinstance(preview, Preview) else preview
    shown = {
        "owner": owner,
        "model": COMMERCE_MODELS[owner.commerce_model],
        "others": [
            (code, COMMERCE_MODELS[code])
            for code in ASKED
            if code != owner.commerce_model
            and not (owner.commerce_model == "draining" and code == POST_USAGE)
        ],
        "may_move": owner.commerce_model == PREPAID,
        "wrong": None if wrong is None else sentence(wrong),
    }
    return desk.page("operator/model.html", shown, status=422 if wrong else 200)


def _model_facts(desk: OperatorDesk, preview: Preview) -> list[tuple[str, str]]:
    owner = preview.organisation

    def money(micros: int) -> str:
        return desk.wording.money(micros, owner.currency).in_full

    return [
        (_("Now"), str(COMMERCE_MODELS[owner.commerce_model])),
        (_("From now on"), str(COMMERCE_MODELS[preview.to])),
        (_("Balance"), money(preview.balance_micros)),
        (_("Held for running calls"), money(preview.held_micros)),
        (_("Auto-recharge"), _("On") if preview.recharge_on else _("Off")),
    ]


def _mark(desk: OperatorDesk, owner: Organisation, moved: bool) -> HttpResponse:
    if not confirmed(desk):
        effects = [_("The service changes it to post-usage billing by itself.")] if moved else []
        return confirm(
            desk,
            title=_("Moved by its reseller"),
            facts=[(_("Organisation"), owner.name), (_("Moved"), _("Yes") if moved else _("No"))],
            effects=effects,
            button=_("Note it"),
            back=_back(owner),
        )
    with desk.control.transaction():
        lock(desk.control, DIRECTORY)
        mark_moved(desk.control, owner, moved)
    messages.success(desk.request, _("It was noted."))
    return redirect("operator-organisation", owner.id)


def _back(owner: Organisation) -> str:
    return reverse("operator-organisation", args=[owner.id])

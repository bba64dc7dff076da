"""What holds for all users of an organisation: the dial-out policy, countries, the spend limit."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.billing.forms import Money
from talktime.console.doors import CHANGE, Desk, page
from talktime.console.refusals import sentence
from talktime.console.roles import SEE, VOICE
from talktime.console.shared_forms import SharedForm
from talktime.console.users.words import policy_label
from talktime.core.catalogue import DEFAULT_POLICY
from talktime.core.directory import CallingRules
from talktime.core.limits import COUNTRIES_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.operations.organisations import change_organisation

COUNTRIES = ("allowed_countries", "blocked_countries")


def _codes(label: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=COUNTRIES_TEXT_MAX)


class RulesForm(SharedForm):
    """What of its calling rules an organisation says itself."""

    policy = forms.ChoiceField(label=gettext_lazy("Dial-out policy"), required=False, choices=())
    allowed_countries = _codes(gettext_lazy("Countries that can be called"))
    blocked_countries = _codes(gettext_lazy("Countries that are blocked"))
    spend_limit_micros = Money(
        label=gettext_lazy("Spend limit of each user, by month"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Countries are sets of codes."""
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        for name in COUNTRIES:
            typed[name] = frozenset(typed.get(name, "").upper().replace(",", " ").split())
        return typed


@page(may=SEE, methods=CHANGE)
def calling_rules(desk: Desk) -> HttpResponse:
    """Look at the rules; who looks after the telephones changes them."""
    initial, posted = _initial(desk.owner.rules), desk.request.method == "POST"
    if posted and not desk.may(VOICE):
        raise PermissionDenied
    form = RulesForm(desk.request.POST if posted else None, initial=initial)
    form.fields["policy"].choices = _policies(desk)  # type: ignore[attr-defined]
    if posted and form.is_valid():
        with desk.control.transaction():
            done = change_organisation(
                *(desk.control, str(desk.owner.id)),
                rules=form.cleaned_data,
                catalogue=desk.catalogue,
            )
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("Saved."))
            return redirect("calling-rules", desk.owner.id)
        form.add_error(None, sentence(done))
    shown = {"form": form, "may_change": desk.may(VOICE)}
    return desk.page("users/rules.html", shown, status=422 if posted else 200)


def _policies(desk: Desk) -> list[tuple[str, str]]:
    """The policies to choose from; one that the catalogue has lost stays until another is."""
    policies, kept = desk.catalogue.policies, desk.owner.rules.policy
    default = policies.get(desk.catalogue.settings.get(DEFAULT_POLICY, ""))
    label = policy_label(default) if default else "-"
    found = [("", _("The catalogue's default (%(policy)s)") % {"policy": label})]
    found += [(each.name, policy_label(each)) for each in policies.values()]
    return found if not kept or kept in policies else [*found, (kept, kept)]


def _initial(rules: CallingRules) -> dict[str, Any]:
    limit = rules.spend_limit_micros
    return {
        "policy": rules.policy,
        "allowed_countries": " ".join(sorted(rules.allowed_countries)),
        "blocked_countries": " ".join(sorted(rules.blocked_countries)),
        "spend_limit_micros": "" if limit is None else decimal_text(limit),
    }

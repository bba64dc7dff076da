"""What an organisation can be made of, to choose from: countries, time zones, currencies, cards."""

from django import forms
from django.utils.translation import gettext as _

from talktime.console.doors import OperatorDesk
from talktime.console.users.words import countries_shown
from talktime.operations.input_checks import (
    check_country,
    currencies_in_use,
    time_zones,
)
from talktime.store.rates import card_names, versions_of

Choices = list[tuple[str, str]]
FIRST_CARD = "standard"
"""The card that an organisation is rated by where none is uploaded yet."""


def offer(form: forms.Form, name: str, choices: Choices, wrong: str) -> None:
    """Let a field take one of these, and say what is wrong with anything else: `wrong` holds
    %(value)s."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
    field.error_messages["invalid_choice"] = wrong


def offer_places(form: forms.Form, desk: OperatorDesk) -> None:
    """The fields `time_zone` and, where the form has it, `country`."""
    zones = [(zone, zone.replace("_", " ")) for zone in sorted(time_zones())]
    wrong = _("There is no time zone %(value)s. Choose one such as Europe/Oslo or UTC.")
    offer(form, "time_zone", [("", _("Choose …")), *zones], wrong)
    if "country" in form.fields:
        wrong = _("There is no country %(value)s. Choose one of the list.")
        offer(form, "country", [("", _("Choose …")), *countries(desk)], wrong)


def countries(desk: OperatorDesk) -> Choices:
    """Countries whose numbers are known, by name in the reader's language."""
    return [
        (code, f"{name} ({code})")
        for code, name in countries_shown(desk.wording.locale)
        if check_country("", code) is None
    ]


def offer_currencies(form: forms.Form, desk: OperatorDesk) -> None:
    """The field `currency`."""
    names = desk.wording.locale.currencies
    known = [(code, f"{code} · {names.get(code, code)}") for code in sorted(currencies_in_use())]
    offer(form, "currency", known, _("There is no currency %(value)s. Choose one of the list."))


def offer_cards(form: forms.Form, desk: OperatorDesk, kept: str = "") -> None:
    """The field `rate_card`: the cards there are, with their currency, and the one that is kept."""
    with desk.control.reading():
        names = card_names(desk.control)
        found = {name: versions_of(desk.control, name)[0].currency for name in names}
    for name in (kept, "" if found else FIRST_CARD):
        if name and name not in found:
            found[name] = _("not uploaded yet")
    known = [(name, f"{name} ({what})") for name, what in sorted(found.items())]
    wrong = _("There is no rate card %(value)s. Known: %(cards)s.")
    offer(form, "rate_card", known, wrong.replace("%(cards)s", ", ".join(sorted(found))))

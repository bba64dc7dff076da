"""What admins type about money, read exactly: amounts in the organisation's currency."""

import re
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from talktime.console.said import said
from talktime.console.shared_forms import SharedForm
from talktime.core.currencies import decimals_of
from talktime.core.limits import (
    ADDRESS_TEXT_MAX,
    AMOUNT_TEXT_MAX,
    LEGAL_NAME_TEXT_MAX,
    PO_NUMBER_TEXT_MAX,
    RECHARGES_A_DAY_MAX,
    TAX_ID_TEXT_MAX,
)
from talktime.core.money import DECIMALS_MAX, parse_micros
from talktime.core.payments import AMOUNT, UP_TO, PaymentMethod
from talktime.core.recharging import RECHARGES_A_DAY, Bounds
from talktime.operations.billing_profiles import address_kept

THOUSANDS = re.compile(r"\d{1,3}\.\d\d0")
"""1.000 is a thousand where decimals have a comma. No amount is shown with such decimals."""


def typed_micros(text: str, wrong: str) -> int:
    """An amount as the reader's language writes its decimals, in micros. Raises ValidationError,
    in the words of `wrong`, and for what is a thousand times as much to some readers."""
    if not (get_language() or "en").startswith("en"):
        if THOUSANDS.fullmatch(text):
            twofold = gettext("%(text)s can be read in two ways. Write thousands without a point.")
            raise forms.ValidationError(twofold % {"text": text})
        if "." not in text:
            text = text.replace(",", ".", 1)
    try:
        return parse_micros(text)
    except ValueError as error:
        raise forms.ValidationError(wrong % {"wrong": said(str(error))}) from error


class Money(forms.CharField):
    """An amount, with a point before its decimals; micros once it is clean."""

    def __init__(self, **more: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        widget = forms.TextInput(attrs=attrs)
        super().__init__(max_length=AMOUNT_TEXT_MAX, widget=widget, **more)

    def clean(self, value: Any) -> Any:
        """Micros; None for an empty one that may be empty."""
        text = super().clean(value)
        if not text:
            return None
        text = text.replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
        return typed_micros(text, gettext("%(wrong)s. Write an amount such as 99.50."))


class AddFunds(forms.Form):
    """How much to buy, and with what."""

    amount = Money(label=_("Amount"))
    method = forms.TypedChoiceField(
        label=_("Payment method"), coerce=int, widget=forms.RadioSelect, choices=()
    )
    po_number = forms.CharField(
        label=_("Purchase order number"), max_length=PO_NUMBER_TEXT_MAX, required=False
    )

    def __init__(self, choices: list[tuple[int, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"].choices = choices  # type: ignore[attr-defined]


class RechargeForm(SharedForm):
    """Auto-recharge. Where it is to be off, nothing else matters."""

    whole = True

    enabled = forms.BooleanField(label=_("Auto recharge"), required=False)
    trigger = Money(label=_("When the balance falls below"))
    method = forms.ChoiceField(
        label=_("How much"),
        choices=(
            (AMOUNT, _("Recharge with a fixed amount")),
            (UP_TO, _("Recharge up to an amount")),
        ),
        widget=forms.RadioSelect,
        initial=AMOUNT,
    )
    amount = Money(label=_("Recharge with"))
    month_limit = Money(label=_("Monthly limit"), required=False)
    day_max = forms.IntegerField(
        label=_("At most this many times in 24 hours"),
        min_value=1,
        max_value=RECHARGES_A_DAY_MAX,
        initial=RECHARGES_A_DAY,
    )
    first = forms.TypedChoiceField(
        label=_("Payment method"), coerce=int, empty_value=None, required=False
    )
    backup = forms.TypedChoiceField(
        label=_("Backup payment method"), coerce=int, empty_value=None, required=False
    )

    def __init__(self, cards: list[PaymentMethod], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(card.id, said(card.name)) for card in cards]
        self.fields["first"].choices = choices  # type: ignore[attr-defined]
        self.fields["backup"].choices = choices  # type: ignore[attr-defined]
        self.fields["first"].required = True
        self.fields["backup"].required = True
        if not choices:
            del self.fields["first"]
        if len(choices) < 2:
            del self.fields["backup"]

    def clean(self) -> dict[str, Any]:
        """A card is no backup of itself."""
        typed: dict[str, Any] = super().clean() or {}
        backup = typed.get("backup")
        if backup is not None and backup == typed.get("first"):
            self.add_error("backup", gettext("Choose another card than the first."))
        return typed


class AlertsForm(SharedForm):
    """The balances below which somebody is told, in one line."""

    below = forms.CharField(label=_("Tell us when the balance falls below"), required=False)

    def clean_below(self) -> set[int]:
        """The balances in micros."""
        words = self.cleaned_data["below"].replace(", ", " ").replace(";", " ").split()
        wrong = gettext("%(wrong)s. Write amounts with spaces between.")
        return {typed_micros(word, wrong) for word in words}


class ProfileForm(SharedForm):
    """To whom documents are addressed."""

    legal_name = forms.CharField(label=_("Legal name"), max_length=LEGAL_NAME_TEXT_MAX)
    address = forms.CharField(
        label=_("Address"),
        max_length=ADDRESS_TEXT_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    tax_id = forms.CharField(label=_("Tax ID"), max_length=TAX_ID_TEXT_MAX, required=False)

    def clean_address(self) -> str:
        """The address as it is kept."""
        return address_kept(self.cleaned_data["address"])


class PayAsYouGoForm(SharedForm):
    """Whether calls may be paid after use, and up to how much a month."""

    on = forms.BooleanField(label=_("Pay-as-you-go services"), required=False)
    cap = Money(label=_("Monthly limit"), required=False)


class WhenForm(forms.Form):
    """A stretch of days: from one on, and until the end of another."""

    since = forms.DateField(
        label=pgettext_lazy("date", "From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    on = forms.DateField(
        label=_("As of"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean(self) -> dict[str, Any]:
        """Both days, the first not after the last."""
        typed: dict[str, Any] = super().clean() or self.cleaned_data
        since, on = typed.get("since"), typed.get("on")
        if since and on and since > on:
            self.add_error("since", _("This day is after the other: nothing lies between them."))
        return typed


def presets(bounds: Bounds, currency: str) -> list[int]:
    """Amounts in micros to choose from: the least that can be bought, and some more.

    >>> presets(Bounds(50_000_000, 1_000_000_000), "USD")
    [50000000, 100000000, 250000000, 500000000, 1000000000]
    """
    least, unit = bounds.minimum_micros, 10 ** (DECIMALS_MAX - min(decimals_of(currency), 6))
    amounts = [least, least * 2, least * 5, least * 10, least * 20]
    return [micros for micros in amounts if micros <= bounds.maximum_micros and micros % unit == 0]

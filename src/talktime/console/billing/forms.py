"""What admins type about money, read exactly: amounts in the organisation's currency."""

from typing import Any

from django import forms

from talktime.core.currencies import decimals_of
from talktime.core.limits import PO_NUMBER_TEXT_MAX, RECHARGES_A_DAY_MAX
from talktime.core.money import DECIMALS_MAX, parse_micros
from talktime.core.payments import AMOUNT, UP_TO
from talktime.core.recharging import DAY_MAX, Bounds

AMOUNT_TEXT_MAX = 40


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
        try:
            return parse_micros(text.replace(" ", "").replace("\N{NO-BREAK SPACE}", ""))
        except ValueError as error:
            raise forms.ValidationError(f"{error}. Write it with a point: 99.50.") from error


class AddFunds(forms.Form):
    """How much to buy, and with what."""

    amount = Money(label="Amount")
    method = forms.TypedChoiceField(
        label="Payment method", coerce=int, widget=forms.RadioSelect, choices=()
    )
    po_number = forms.CharField(
        label="Purchase order number", max_length=PO_NUMBER_TEXT_MAX, required=False
    )

    def __init__(self, choices: list[tuple[int, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["method"].choices = choices  # type: ignore[attr-defined]


class RechargeForm(forms.Form):
    """Auto-recharge, turned on."""

    trigger = Money(label="When the balance falls below")
    method = forms.ChoiceField(
        label="How much",
        choices=((AMOUNT, "Recharge with this amount"), (UP_TO, "Recharge up to this balance")),
        widget=forms.RadioSelect,
        initial=AMOUNT,
    )
    amount = Money(label="Amount")
    month_limit = Money(label="Monthly limit", required=False)
    day_max = forms.IntegerField(
        label="At most this many times in 24 hours",
        min_value=1,
        max_value=RECHARGES_A_DAY_MAX,
        initial=DAY_MAX,
    )


class AlertsForm(forms.Form):
    """The balances below which somebody is told, in one line."""

    below = forms.CharField(label="Tell us when the balance falls below", required=False)

    def clean_below(self) -> set[int]:
        """The balances in micros."""
        words = self.cleaned_data["below"].replace(",", " ").replace(";", " ").split()
        try:
            return {parse_micros(word) for word in words}
        except ValueError as error:
            raise forms.ValidationError(f"{error}. Write amounts with spaces between.") from error


def presets(bounds: Bounds, currency: str) -> list[int]:
    """Amounts in micros to choose from: the least that can be bought, and some more.

    >>> presets(Bounds(50_000_000, 1_000_000_000), "USD")
    [50000000, 100000000, 250000000, 500000000, 1000000000]
    """
    least, unit = bounds.minimum_micros, 10 ** (DECIMALS_MAX - min(decimals_of(currency), 6))
    amounts = [least, least * 2, least * 5, least * 10, least * 20]
    return [micros for micros in amounts if micros <= bounds.maximum_micros and micros % unit == 0]

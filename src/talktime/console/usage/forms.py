"""What a usage report is asked with: the range of days, the filters, the columns, the chart."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.usage.names import CONTEXTS, TYPES, capability_name
from talktime.core.limits import (
    CONFERENCE_TEXT_MAX,
    NUMBER_TEXT_MAX,
    USAGE_DAYS_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.operations.usage_documents import country_name

WEEK, MONTH, CUSTOM = "7", "28", "custom"
RANGES = (
    (WEEK, gettext_lazy("Last 7 days")),
    (MONTH, gettext_lazy("Last 28 days")),
    (CUSTOM, gettext_lazy("Custom")),
)
CHARTS = (
    ("day", gettext_lazy("By day")),
    ("user", gettext_lazy("By user")),
    ("country", gettext_lazy("By country")),
    ("capability", gettext_lazy("By capability")),
)
MEASURES = (
    ("calls", gettext_lazy("Calls")),
    ("minutes", gettext_lazy("Minutes")),
    ("charge", gettext_lazy("Charge")),
)
EPOCH = date(1970, 1, 1)
DAY_MS = 86_400_000


class Days(NamedTuple):
    """UTC days since 1970, both included."""

    first: int
    last: int


def day_field(label: Any) -> forms.DateField:
    """A day that a browser's calendar may fill in."""
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class RangeForm(forms.Form):
    """A range of UTC days: the last 7 or 28, or one up to a year back (R79)."""

    range = forms.ChoiceField(label=gettext_lazy("Date range"), choices=RANGES, required=False)
    first = day_field(gettext_lazy("From (UTC)"))
    last = day_field(gettext_lazy("To (UTC)"))

    def __init__(self, query: QueryDict, now_ms: int, **more: Any) -> None:
        data = query.copy()
        data.setdefault("range", WEEK)
        super().__init__(data, auto_id="f_%s", **more)
        self.today = now_ms // DAY_MS

    def clean(self) -> dict[str, Any]:
        """The days that are meant; a range that is none is named at its field."""
        typed = super().clean() or self.cleaned_data
        if typed.get("range") != CUSTOM:
            count = int(typed.get("range") or WEEK)
            typed["days"] = Days(self.today - count + 1, self.today)
            return typed
        first, last = typed.get("first"), typed.get("last")
        if first is None or last is None:
            if not self.errors:
                self.add_error("first" if first is None else "last", _("Choose a day."))
            return typed
        days = Days((first - EPOCH).days, (last - EPOCH).days)
        if days.first > days.last:
            self.add_error("last", _("The range ends before it begins."))
        elif days.first < self.today - USAGE_DAYS_MAX + 1:
            self.add_error("first", _("Reports go back one year."))
        elif days.last > self.today:
            self.add_error("last", _("This day has not come yet."))
        typed["days"] = days
        return typed

    @property
    def days(self) -> Days:
        """The days to show; where what was asked for is wrong, the last seven."""
        days: Days | None = self.cleaned_data.get("days") if self.is_valid() else None
        return days or Days(self.today - int(WEEK) + 1, self.today)


class UsageForm(RangeForm):
    """The filters of the usage report."""

    user = forms.CharField(
        label=gettext_lazy("User"), required=False, max_length=USER_NAME_TEXT_MAX
    )
    type = forms.ChoiceField(label=gettext_lazy("Call type"), required=False)
    country = forms.ChoiceField(label=gettext_lazy("Country or region"), required=False)
    capability = forms.ChoiceField(label=gettext_lazy("Capability"), required=False)
    context = forms.ChoiceField(label=gettext_lazy("Domestic/International"), required=False)
    number = forms.CharField(
        label=gettext_lazy("Number"), required=False, max_length=NUMBER_TEXT_MAX
    )
    conference_id = forms.CharField(
        label=gettext_lazy("Conference ID"), required=False, max_length=CONFERENCE_TEXT_MAX
    )
    chart = forms.ChoiceField(choices=CHARTS, required=False)
    measure = forms.ChoiceField(choices=MEASURES, required=False)

    def __init__(self, query: QueryDict, now_ms: int) -> None:
        super().__init__(query, now_ms)
        self._choose("type", TYPES.items())
        self._choose("context", CONTEXTS.items())

    def offer(self, countries: list[str], capabilities: list[str], language: str) -> None:
        """The choices that there are records of; what is chosen already stays one."""
        countries = sorted({*countries, self.data.get("country", "")} - {""})
        named = [(code, country_name(code, language)) for code in countries]
        self._choose("country", sorted(named, key=lambda each: each[1]))
        capabilities = sorted({*capabilities, self.data.get("capability", "")} - {""})
        self._choose("capability", [(code, capability_name(code)) for code in capabilities])

    def _choose(self, name: str, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", gettext_lazy("All")), *choices]

    def clean_number(self) -> str:
        """A number has digits."""
        text: str = self.cleaned_data["number"]
        if text and not any(each.isdigit() for each in text):
            raise forms.ValidationError(_("A number has digits, such as +4930123456."))
        return text


def day_of(day: int) -> date:
    """The date of a day since 1970."""
    return EPOCH + timedelta(days=day)


def day_ms(day: int) -> int:
    """The first millisecond of a UTC day."""
    return int(datetime.combine(day_of(day), datetime.min.time(), UTC).timestamp()) * 1000

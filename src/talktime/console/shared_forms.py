"""Forms about what somebody else may change while they are being filled in.

Such a form carries, hidden, what it showed. When it is sent, a field that its sender left as it was
follows what is kept by then. A field that both changed is said, with the other's value: sent once
more, the form puts the sender's in its place.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

SEEN = "seen"
Plain = bool | str | list[str]


class SharedForm(forms.Form):
    """A form of settings; `kept` (where it is not said: `initial`) is what they are now, said also
    where the form was sent. Settings that make sense together alone are `whole`: then the sender
    looks again, whichever of them somebody else changed."""

    whole = False
    labels: Mapping[str, Sequence[tuple[str, str]]] = {}
    """What the values of a field without choices of its own are called in its page's list."""

    def __init__(self, *args: Any, kept: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.initial if kept is None else kept
        self._kept = {name: _plain(known[name]) for name in self.fields if name in known}
        self._both: dict[str, Plain] = {}
        self._followed = False
        self.fields[SEEN] = forms.CharField(
            required=False, widget=forms.HiddenInput, initial=json.dumps(self._kept)
        )
        if isinstance(self.data, QueryDict):
            self._meet(self.data.copy())

    def _meet(self, data: QueryDict) -> None:
        seen = _seen_in(data.get(SEEN, ""))
        for name, now in self._kept.items():
            typed = _plain(self[name].data)
            if seen.get(name, now) == now or typed == now:
                continue
            if typed == seen[name]:
                self._followed = True
                _put(data, name, now)
            else:
                self._both[name] = now
        data[SEEN] = json.dumps(self._kept)
        self.data = data

    def full_clean(self) -> None:
        """What was typed is right, and nobody else has changed the same."""
        kept = self._kept_clean() if self._both else {}
        super().full_clean()
        if self.is_bound:
            self.cleaned_data.pop(SEEN, None)
        # Whoever sends a form twice has written it otherwise than it is kept (20.00): the same.
        both = [
            name
            for name in self._both
            if not (name in kept and name in self.cleaned_data)
            or kept[name] != self.cleaned_data[name]
        ]
        for name in both:
            # One error of a field is shown; put right, the field would take the other's place.
            self.errors.pop(name, None)
            said = _(
                "This was changed meanwhile, to: %(value)s. Sent again, yours takes its place."
            )
            self.add_error(name, said % {"value": self._words(name, self._both[name])})
        if self.whole and self._followed and not both:
            self.add_error(
                None, _("This was changed meanwhile. Look at what is set now, then send it.")
            )

    def _kept_clean(self) -> dict[str, Any]:
        """What is kept, as it is once it was typed and is right."""
        typed, kept = self.data, QueryDict(mutable=True)
        for name, now in self._kept.items():
            _put(kept, name, now)
        self.data = kept
        super().full_clean()
        self.data = typed
        return self.cleaned_data

    def _words(self, name: str, value: Plain) -> str:
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        choices: Any = self.labels.get(name) or getattr(self.fields[name], "choices", ())
        labels = {str(code): str(label).rstrip(".") for code, label in choices}
        values = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(each, each) for each in values) or "-"


def _plain(value: Any) -> Plain:
    """A value as the form carries it, the same for what is kept and for what was typed."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(str(each) for each in value)
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def _put(data: QueryDict, name: str, value: Plain) -> None:
    """Type a value in place of what stands there."""
    if value is False:
        data.pop(name, None)
    else:
        data.setlist(name, value if isinstance(value, list) else ["on" if value is True else value])


def _seen_in(text: str) -> Mapping[str, Any]:
    try:
        seen = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}

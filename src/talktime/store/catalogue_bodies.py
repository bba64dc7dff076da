"""A catalogue entry's value as plain data and back: what a row's body keeps and a file holds.

Fields at their defaults are left out; sets are sorted, so that equal values have equal bodies.
"""

import json
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from talktime.core.catalogue import KINDS, Licence, Minutes, Value


def plain_of(value: Value | Minutes) -> dict[str, Any]:
    """A value as a JSON object.

    >>> plain_of(Licence("L", "One", frozenset({"plan", "phone"}), minutes={"US": Minutes(60)}))
    {'code': 'L', 'name': 'One', 'features': ['phone', 'plan'], 'minutes': {'US': {'domestic': 60}}}
    """
    defaults = type(value)._field_defaults
    return {
        name: _plain(field)
        for name, field in value._asdict().items()
        if name not in defaults or field != defaults[name]
    }


def _plain(field: Any) -> Any:
    match field:
        case Minutes():
            return plain_of(field)
        case frozenset():
            return sorted(field)
        case tuple():
            return [_plain(each) for each in field]
        case Mapping():
            return {key: _plain(field[key]) for key in sorted(field)}
    return field


def value_of(kind: str, plain: object, *, strict: bool = True) -> Value:
    """Read back what `plain_of` made. Not `strict`, figures and yes-or-no may come as text.

    Raises msgspec.ValidationError where a field is unknown, missing or of another type.
    """
    fields = msgspec.structs.asdict(msgspec.convert(plain, _FORMS[kind], strict=strict))
    if "minutes" in fields:
        fields["minutes"] = {
            country: Minutes(**msgspec.structs.asdict(minutes))
            for country, minutes in fields["minutes"].items()
        }
    return KINDS[kind](**fields)


def body_text(value: Value | None) -> str:
    """A value as its row keeps it; empty for an entry that takes its code out."""
    return "" if value is None else json.dumps(plain_of(value), separators=(",", ":"))


def parsed_body(kind: str, body: str) -> Value | None:
    """Read back what `body_text` wrote."""
    return value_of(kind, json.loads(body)) if body else None


def _form(kind: Any) -> type[msgspec.Struct]:
    """A named tuple's fields as msgspec checks them: by name, not by place."""
    hints = get_type_hints(kind)
    if kind is Licence:
        hints["minutes"] = dict[str, _form(Minutes)]  # type: ignore[misc]
    defaults = kind._field_defaults
    fields = [
        (name, hints[name], defaults[name]) if name in defaults else (name, hints[name])
        for name in kind._fields
    ]
    return msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True)


_FORMS = {name: _form(kind) for name, kind in KINDS.items()}

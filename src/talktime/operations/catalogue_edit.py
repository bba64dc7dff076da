"""One entry of the catalogue as text to be edited: its fields in YAML, without its code."""

from typing import Any

import yaml

from talktime.core.catalogue import KINDS, Entry, Value
from talktime.core.limits import CATALOGUE_CODE_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.catalogue_checks import checked_entry
from talktime.operations.catalogue_file import LINE_WIDTH, BadCatalogueFile, plain_of_text
from talktime.operations.input_checks import check_one_of, check_text, first
from talktime.store.catalogue_bodies import plain_of


def fields_text(value: Value) -> str:
    """A value's fields but its code, as `entry_of_text` reads them; those at their defaults are
    left out.

    >>> from talktime.core.catalogue import Country
    >>> print(fields_text(Country("NO", payg_zone="1", zone_a=True)), end="")
    payg_zone: '1'
    zone_a: true
    """
    plain = plain_of(value)
    del plain[type(value)._fields[0]]
    return "".join(_line(name, field) for name, field in plain.items())


def _line(name: str, field: Any) -> str:
    """A field on a line of its own; what is within it, on as few as it fits."""
    return yaml.safe_dump(
        {name: field},
        default_flow_style=None if isinstance(field, list | dict) else False,
        allow_unicode=True,
        width=LINE_WIDTH,
    )


def entry_of_text(kind: str, code: str, text: str, valid_from_ms: int) -> Entry | Refusal:
    """The entry that these fields make from a moment on, checked for itself.

    Refuses: invalid_value, with the line where there is one.
    """
    refusal = first(
        check_one_of("the kind", kind, KINDS),
        check_text("the code", code, CATALOGUE_CODE_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    plain = plain_of_text(text) if text.strip() else {}
    if isinstance(plain, BadCatalogueFile):
        error = plain.errors[0]
        return Refusal("invalid_value", f"line {error.line}: {error.reason}")
    if not isinstance(plain, dict):
        return Refusal("invalid_value", "the fields must be written as name: value")
    entry = checked_entry(kind, {KINDS[kind]._fields[0]: code} | plain, valid_from_ms)
    if isinstance(entry, str):
        return Refusal("invalid_value", entry)
    if entry.code != code:
        return Refusal("invalid_value", f"{kind} {code} cannot become {entry.code}")
    return entry

"""The tables of docs/reference/charging-api.md, from the service's own OpenAPI document."""

import json
from collections.abc import Callable
from typing import Any

from docs.worked import table
from talktime.gateways.http.openapi import OPERATIONS, document

_SCHEMAS: dict[str, Any] = json.loads(document())["components"]["schemas"]


def requests() -> str:
    """Every address and what it does."""
    rows = [
        (f"`{each.method.upper()} {each.path}`", each.summary, "" if each.public else "yes")
        for each in OPERATIONS
    ]
    return table(("request", "what it does", "needs a key"), rows)


def refusals() -> str:
    """The codes that each request can be refused with."""
    rows = [
        (
            each.name,
            ", ".join(f"[{code}](refusals.md#{code})" for code in dict.fromkeys(each.codes)),
        )
        for each in OPERATIONS
        if each.codes
    ]
    return table(("request", "refusals"), rows)


def fields(name: str) -> Callable[[], str]:
    """The fields of one body."""

    def made() -> str:
        schema = _SCHEMAS[name]
        needed = schema.get("required", ())
        rows = [
            (f"`{field}`", _kind(value), "yes" if field in needed else "", _about(value))
            for field, value in schema["properties"].items()
        ]
        return table(("field", "type", "needed", "what it is"), rows)

    return made


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The schema without its "or null"."""
    others = [each for each in value.get("anyOf", ()) if each != {"type": "null"}]
    plain: dict[str, Any] = others[0] if others else value
    if "$ref" in plain:
        plain = {"type": plain["$ref"].rpartition("/")[2]}
    return plain


def _kind(value: dict[str, Any]) -> str:
    plain = _plain(value)
    if "enum" in plain:
        return ", ".join(f"`{each}`" for each in plain["enum"])
    kind = str(plain.get("type", "any"))
    if kind == "array":
        items = plain.get("items", {})
        if "anyOf" in items:
            return "a list of requests"
        return f"a list of {_kind(items)}"
    if kind == "integer":
        least, most = plain.get("minimum"), plain.get("maximum")
        return f"integer, {least} to {most:,}" if most is not None else "integer"
    if plain.get("format") == "date-time":
        return "time"
    if "maxLength" in plain:
        return f"text, at most {plain['maxLength']}"
    return {"string": "text", "boolean": "true or false"}.get(kind, kind)


def _about(value: dict[str, Any]) -> str:
    return str(_plain(value).get("description", ""))


TABLES: dict[str, Callable[[], str]] = {
    "requests": requests,
    "request_refusals": refusals,
    **{
        name: fields(name)
        for name in (
            *("AuthorizeBody", "AnswerBody", "ExtendBody", "SettleBody", "QuoteBody"),
            *("Granted", "Settled", "Noted", "CallShown", "UsageRecord", "Problem"),
        )
    },
}

"""The tables of docs/reference/management-api.md, from the API's own OpenAPI document."""

import json
from collections.abc import Callable
from typing import Any

from docs.worked import table
from talktime.config import settings_from
from talktime.console.databases import set_up


def requests() -> str:
    """Every address by resource: what it does, which scope opens it, whether it needs, or may have,
    an idempotency key."""
    document = _document()
    parts = []
    for tag in document["tags"]:
        rows = [
            (f"`{method.upper()} {_short(path)}`", said["summary"], _scopes(said), _once(said))
            for path, methods in document["paths"].items()
            for method, said in methods.items()
            if said["tags"] == [tag["name"]]
        ]
        columns = ("request", "what it does", "scope", "Idempotency-Key")
        parts.append(f"### {tag['name']}\n\n{tag['description']}\n\n{table(columns, rows)}")
    return "\n\n".join(parts)


def scopes() -> str:
    """What each scope opens, and who can have it."""
    _set_up()
    from talktime.console.api.document import SCOPE_WORDS
    from talktime.core.keys import ORGANISATION_SCOPES

    rows = [
        (f"`{scope}`", words.partition(";")[0], "yes" if scope in ORGANISATION_SCOPES else "")
        for scope, words in SCOPE_WORDS.items()
    ]
    return table(("scope", "what it opens", "organisations' own keys"), rows)


def _set_up() -> None:
    """Django must be there before its models are; nothing is read or made by that."""
    set_up(settings_from({"TALKTIME_DATA": "nowhere", "TALKTIME_SECRET_KEY": "x" * 32}))


def _document() -> dict[str, Any]:
    _set_up()
    from talktime.console.api.document import document

    made: dict[str, Any] = json.loads(document())
    return made


def _short(path: str) -> str:
    return path.removeprefix("/api/v1").replace("/organisations/{organisation}", "...")


def _scopes(said: dict[str, Any]) -> str:
    return ", ".join(f"`{scope}`" for each in said["security"] for scope in each["key"]) or "any"


def _once(said: dict[str, Any]) -> str:
    needed = [each["required"] for each in said["parameters"] if each["in"] == "header"]
    return "" if not needed else "yes" if all(needed) else "may"


TABLES: dict[str, Callable[[], str]] = {
    "management_requests": requests,
    "management_scopes": scopes,
}

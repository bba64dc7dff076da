"""The OpenAPI document of the management API: what ninja makes of the signatures, completed with
scopes, keys, the idempotency key, examples and refusals."""

from collections import defaultdict
from functools import lru_cache
from typing import Any

import msgspec

from talktime.console.api.api import api
from talktime.console.api.door import Told
from talktime.console.api.refusals import RETRY_AFTER_S, body_of
from talktime.console.api.resources import RESOURCES
from talktime.core.keys import OPERATOR_SCOPES, ORGANISATION_SCOPES
from talktime.core.limits import IDEMPOTENCY_KEY_TEXT_MAX
from talktime.core.refusal import REFUSALS, Refusal

PREFIX = "/api/v1"
ABOUT = (
    "What the console does for an organisation, for programs, by the same rules. Send "
    "`Authorization: Bearer KEY`. An organisation's own key (made in the console, on its page API "
    "keys) opens that organisation alone; a key of the operator's opens all. Amounts are decimal "
    "texts in the wallet's currency, times are RFC 3339 in UTC, ids are texts of digits. Lists "
    "come in pages: "
    "`next` is the address of the following one. A refusal is `application/problem+json` with a "
    "stable `code`. What moves money is done once for its `Idempotency-Key`; what makes a switch, "
    "a key, a peer, an agreement to pay invoices, a card's page or a webhook's next secret may "
    "have one."
)
SCOPE_WORDS = {
    "read": "look at everything",
    "users": "users, groups and their licences",
    "billing": "buy credits, say how the organisation pays",
    "notices": "say who is told of what",
    "operator": "what the operator alone does; no organisation's own key has it",
}
_ANY = ("unauthorized", "scope_missing", "invalid_request", "invalid_value", "too_many_requests")
_ALWAYS = ("internal_error", "unavailable")
_MAKES = ("idempotency_key_reused",)
_MONEY = ("idempotency_key_missing", *_MAKES)
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A text of your own, new for each new request. The same request again with it "
    "gets the same answer; nothing is done twice.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": IDEMPOTENCY_KEY_TEXT_MAX,
        "pattern": "^[!-~]+$",
    },
    "example": "order-4711",
}
_KEY_HEADER_MAY = {
    **_KEY_HEADER,
    "required": False,
    "description": "A text of your own, new for each new request. The same request again with it "
    "makes nothing and gets the same answer, in which what is shown once is null.",
    "example": "switch-oslo-1",
}
_RETRY = {
    "Retry-After": {
        "description": "Seconds to wait before the same request is sent again.",
        "schema": {"type": "integer"},
    }
}
_TEXT = {"type": "string"}
_ERROR = {
    "type": "object",
    "description": "One thing that is wrong: `path` is its place (JSON pointer) `in` the body or "
    "the query; of a list of rows, `index` is the row's.",
    "properties": {
        "in": _TEXT,
        "path": _TEXT,
        "index": {"type": "integer"},
        "reason": _TEXT,
    },
    "required": ["reason"],
}
_PROBLEM = {
    "title": "Problem",
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; docs/reference/refusals.md has all."},
        "detail": {"type": "string", "description": "What was wrong this time."},
        "remedy": {"type": "string", "description": "What to do."},
        "who": {"type": "string", "description": "Who can do it."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}},
        "count": {"type": "integer", "description": "How many rows are wrong, named or not."},
    },
    "required": ["type", "title", "status", "code", "detail", "remedy", "who"],
}


def operations() -> list[tuple[str, str, str, Told]]:
    """(method, address, operation id, what is told of it) of every operation."""
    found = []
    for resource in RESOURCES:
        for path, view in resource.router.path_operations.items():
            for operation in view.operations:
                address = PREFIX + resource.prefix + path.replace("{int:", "{")
                told: Told = operation.view_func.told  # type: ignore[attr-defined]
                name = operation.operation_id or ""
                found += [(method, address, name, told) for method in operation.methods]
    return found


@lru_cache(1)
def document() -> bytes:
    """The whole document as JSON."""
    made: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX[1:]))
    for method, path, _, told in operations():
        _complete(made["paths"][path][method.lower()], told)
    made["info"]["description"] = ABOUT
    del made["servers"]
    made["tags"] = [{"name": each.name, "description": each.about} for each in RESOURCES]
    components = made["components"]
    components["schemas"] |= {"Problem": _PROBLEM, "Error": _ERROR}
    components["examples"] = {
        code: {"value": body_of(Refusal(code, "what was wrong"))} for code in REFUSALS
    }
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": _key_words()}
    }
    return msgspec.json.encode(made)


def _key_words() -> str:
    own = ", ".join(f"`{scope}` ({SCOPE_WORDS[scope]})" for scope in ORGANISATION_SCOPES)
    others = ", ".join(
        f"`{scope}` ({SCOPE_WORDS[scope]})"
        for scope in OPERATOR_SCOPES
        if scope not in ORGANISATION_SCOPES
    )
    return f"An API key. Its scopes: {own}; {others}."


def _complete(operation: dict[str, Any], told: Told) -> None:
    operation["security"] = [{"key": [scope]} for scope in told.scopes] or [{"key": []}]
    scopes = " or ".join(f"`{scope}`" for scope in told.scopes) or "any"
    operation["description"] = f"{operation['description']}\n\nScope: {scopes}."
    operation["responses"] = {str(code): each for code, each in operation["responses"].items()}
    if told.moves_money:
        operation.setdefault("parameters", []).append(_KEY_HEADER)
    if told.makes:
        operation.setdefault("parameters", []).append(_KEY_HEADER_MAY)
    if told.sent is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = told.sent
    if told.takes:
        content = {told.takes: {"schema": {"type": "string"}}}
        operation["requestBody"] = {"required": True, "content": content}
    if told.gives:
        binary = {"type": "string", "format": "binary"}
        operation["responses"]["200"]["content"] = {told.gives: {"schema": binary}}
    operation["responses"]["200"]["description"] = "Done: what was done or found."
    operation["responses"] |= _refusals(told, takes_body="requestBody" in operation)


def _refusals(told: Told, *, takes_body: bool) -> dict[str, Any]:
    codes = {*_ANY, *_ALWAYS, *told.refusals, "not_found"}
    codes |= {"unknown_organisation"} if told.at_organisation else set()
    codes |= set(_MONEY) if told.moves_money else set()
    codes |= set(_MAKES) if told.makes else set()
    codes |= {"body_too_large"} if takes_body else set()
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code, kind in REFUSALS.items():
        if code in codes:
            by_status[kind.status].append(code)
    return {str(status): _refusal(status, by_status[status]) for status in sorted(by_status)}


def _refusal(status: int, codes: list[str]) -> dict[str, Any]:
    said = ". ".join(f"`{code}`: {REFUSALS[code].title}" for code in codes)
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    made: dict[str, Any] = {
        "description": f"{said}.",
        "content": {"application/problem+json": content},
    }
    if status in RETRY_AFTER_S:
        made["headers"] = _RETRY
    return made

"""The OpenAPI document, made of the structs that read the requests and of the table of refusals."""

from collections import defaultdict
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from talktime.core.limits import BATCH_REQUESTS_MAX, CALL_KEY_TEXT_MAX, ENDING_WAIT_S_MAX
from talktime.core.refusal import REFUSALS, Refusal
from talktime.gateways.http import answers, bodies
from talktime.gateways.http.examples import ANSWERS, CALL_ID, REQUESTS
from talktime.gateways.http.replies import RETRY_AFTER_S
from talktime.operations.render import problem

_ANY = ("unauthorized", "scope_missing", "invalid_request", "queue_full", "unavailable")
_BODY = ("body_too_large", "request_timeout")
_CALL = (*_ANY, *_BODY, "sequence_reused")
_RUNNING = (*_CALL, "sequence_skipped", "call_settled", "unknown_call", "call_not_granted")
_OF_MONEY = (
    "no_user_credit_capability",
    "no_tenant_credit_capability",
    "no_rate",
    "insufficient_credit",
    "post_usage_off",
    "statement_overdue",
    "post_usage_cap_reached",
    "spend_limit_reached",
)
_GATES = (
    "time_out_of_range",
    "unknown_caller",
    "unknown_number",
    "unknown_user",
    "organisation_inactive",
    "user_inactive",
    "invalid_number",
    "number_not_supported",
    "outbound_policy",
    "country_blocked",
    "no_base_licence",
    "toll_free_not_allowed",
    *_OF_MONEY,
    "unknown_organisation",
)
_WHEN_AUTHORIZED = (
    "sequence_skipped",
    "call_settled",
    "call_already_authorized",
    "call_id_taken",
)
_WHEN_EXTENDED = ("used_seconds_out_of_range", *_OF_MONEY, "call_too_long")


class Described(NamedTuple):
    """One operation of the document: its request, its answer, and the refusals it can give."""

    name: str
    method: str
    path: str
    summary: str
    request: Any
    answer: Any
    codes: tuple[str, ...]
    public: bool = False


_AT_CALL = "/v1/calls/{call_id}"
OPERATIONS = (
    Described(
        *(
            "authorize",
            "post",
            f"{_AT_CALL}/authorize",
            "May this call be set up, and for how long",
        ),
        *(bodies.AuthorizeBody, answers.Granted),
        (*_CALL, *_GATES, *_WHEN_AUTHORIZED),
    ),
    Described(
        *("answer", "post", f"{_AT_CALL}/answer", "The call was answered"),
        *(bodies.AnswerBody, answers.Noted, (*_RUNNING, "time_out_of_range")),
    ),
    Described(
        *("extend", "post", f"{_AT_CALL}/extend", "May the call go on, and for how long"),
        *(bodies.ExtendBody, answers.Granted, (*_RUNNING, *_WHEN_EXTENDED)),
    ),
    Described(
        *("settle", "post", f"{_AT_CALL}/settle", "The call is over: charge it, free the rest"),
        *(
            bodies.SettleBody,
            answers.Settled,
            (*_CALL, "call_settled", "used_seconds_out_of_range"),
        ),
    ),
    Described(
        *("show", "get", _AT_CALL, "The call as it stands, or what was recorded of it"),
        *(None, answers.CallShown, (*_ANY, "unknown_call")),
    ),
    Described(
        *("ending", "get", "/v1/calls:ending", "Which running calls are to end now: a long poll"),
        *(None, answers.CallsEnding, (*_ANY, "invalid_request", "queue_full")),
    ),
    Described(
        *("batch", "post", "/v1/calls:batch", "Up to 1,000 requests, each answered in order"),
        *(bodies.BatchBody, answers.BatchAnswers, (*_ANY, *_BODY)),
    ),
    Described(
        *("quotes", "post", "/v1/quotes", "What would a call cost, and who would pay"),
        *(bodies.QuoteBody, answers.Quote, (*_ANY, *_BODY, *_GATES)),
    ),
    Described(
        *("openapi", "get", "/v1/openapi.json", "This document"),
        *(None, dict[str, Any], (), True),
    ),
    Described(
        *("healthz", "get", "/healthz", "Does the process live"),
        *(None, answers.Health, (), True),
    ),
    Described(
        *("readyz", "get", "/readyz", "Can the process work: databases, caches"),
        *(None, answers.Health, ("unavailable",), True),
    ),
    Described(
        *("metrics", "get", "/metrics", "Counts and times, in the Prometheus text format"),
        *(None, str, (), True),
    ),
)

REPLAYED_HEADER = {
    "Idempotent-Replayed": {
        "description": "`true` where the same request was answered before: this is that answer.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
RETRY_HEADER = {
    "Retry-After": {
        "description": "Seconds to wait before the same request is sent again.",
        "schema": {"type": "integer"},
    }
}


def document() -> bytes:
    """The whole document as JSON."""
    types = [t for o in OPERATIONS for t in (o.request, o.answer) if t is not None]
    found, components = msgspec.json.schema_components(
        [*types, bodies.Item, answers.Problem], ref_template="#/components/schemas/{name}"
    )
    schemas = iter(found)
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for operation in OPERATIONS:
        request = next(schemas) if operation.request is not None else None
        paths[operation.path][operation.method] = _operation(operation, request, next(schemas))
    _describe_batch(components, next(schemas))
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Talktime charging API",
                "version": version("talktime"),
                "description": _DESCRIPTION,
            },
            "security": [{"key": []}],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {
                    "key": {"type": "http", "scheme": "bearer", "description": _KEY}
                },
            },
        }
    )


def _describe_batch(components: dict[str, Any], item: Any) -> None:
    """What the structs leave open: the items are read one by one, the answers are passed on."""
    components["BatchBody"]["properties"]["requests"] = {
        "type": "array",
        "items": item,
        "maxItems": BATCH_REQUESTS_MAX,
    }
    bodies_of_answers = (answers.Granted, answers.Noted, answers.Settled, answers.Problem)
    components["BatchAnswer"]["properties"]["body"] = {
        "anyOf": [{"$ref": f"#/components/schemas/{each.__name__}"} for each in bodies_of_answers]
    }


_DESCRIPTION = (
    "What a switch asks before, during and after a call. (call_id, sequence) is the idempotency "
    "key: the same request again gets the same answer, and is charged once. An answer is given "
    "only after it is on disk. Amounts are decimal strings, times are RFC 3339 in UTC."
)
_KEY = "The switch's API key, with the scope `calls` (or, for quotes, `quotes`)."


def _operation(described: Described, request: Any, answer: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": described.name,
        "summary": described.summary,
        "responses": {"200": _success(described, answer), **_refusals(described.codes)},
    }
    if described.public:
        made["security"] = []
    if "{call_id}" in described.path:
        made["parameters"] = [_call_id_parameter()]
    if described.name == "ending":
        made["parameters"] = _ENDING_PARAMETERS
    if request is not None:
        content = {"schema": request, "example": REQUESTS[described.name]}
        made["requestBody"] = {"required": True, "content": {"application/json": content}}
    return made


def _success(described: Described, answer: Any) -> dict[str, Any]:
    if described.answer is str:
        return {"description": "As it is now.", "content": {"text/plain": {"schema": answer}}}
    content: dict[str, Any] = {"schema": answer}
    if described.name in ANSWERS:
        content["example"] = ANSWERS[described.name]
    said = ((described.answer.__doc__ or "") if described.answer in _documented() else "").strip()
    made: dict[str, Any] = {
        "description": said or described.summary,
        "content": {"application/json": content},
    }
    if "sequence_reused" in described.codes:
        made["headers"] = REPLAYED_HEADER
    return made


def _documented() -> set[Any]:
    return {o.answer for o in OPERATIONS if isinstance(o.answer, type(msgspec.Struct))}


def _refusals(codes: tuple[str, ...]) -> dict[str, Any]:
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in REFUSALS:
        if code in codes:
            by_status[REFUSALS[code].status].append(code)
    return {str(status): _refusal(status, by_status[status]) for status in sorted(by_status)}


def _refusal(status: int, codes: list[str]) -> dict[str, Any]:
    examples = {
        code: {"value": msgspec.json.decode(problem(Refusal(code, "what was wrong this time"))[1])}
        for code in codes
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    made: dict[str, Any] = {
        "description": ". ".join(f"`{code}`: {REFUSALS[code].title}" for code in codes) + ".",
        "content": {"application/problem+json": content},
    }
    if status in RETRY_AFTER_S:
        made["headers"] = RETRY_HEADER
    return made


_ENDING_PARAMETERS = [
    {
        "name": "wait",
        "in": "query",
        "description": "How many seconds to wait where nothing is new to the switch.",
        "schema": {"type": "integer", "minimum": 0, "maximum": ENDING_WAIT_S_MAX, "default": 0},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "That of the last answer; empty at first.",
        "schema": {"type": "string", "maxLength": 64},
    },
]


def _call_id_parameter() -> dict[str, Any]:
    return {
        "name": "call_id",
        "in": "path",
        "required": True,
        "description": "The switch's own name for the call, percent-encoded.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": CALL_KEY_TEXT_MAX,
            **bodies.PRINTABLE_ASCII,
        },
        "example": CALL_ID,
    }

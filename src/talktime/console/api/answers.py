"""What all requests of the management API have in common: the key, the answer, the refusal."""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from talktime.core.keys import ApiKey
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import BadFile
from talktime.operations.keys import secret_hash
from talktime.operations.render import problem
from talktime.store.database import Connection
from talktime.store.keys import key_of_hash

RETRY_AFTER_S = "2"
_PATH_SHOWN_MAX = 100
_THERE_IS = (
    "users are at /api/v1/organisations/NAME/users, money is at .../wallet (the id, where the name "
    "has a slash in it)"
)


def key_of(control: Connection, request: HttpRequest, scope: str, now_ms: int) -> ApiKey | Refusal:
    """The API key that a request carries. Refuses: unauthorized, scope_missing."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return Refusal("unauthorized", "the request has no Authorization header of scheme Bearer")
    with control.reading():
        key = key_of_hash(control, secret_hash(secret.strip()))
    if key is None or not key.usable(now_ms):
        return Refusal("unauthorized", "the key is not known, or was revoked, or has expired")
    if scope not in key.scopes:
        return Refusal("scope_missing", f"the key lacks the scope {scope!r}")
    return key


def answer(body: dict[str, Any]) -> HttpResponse:
    """What was done or found."""
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


def refuse(refusal: Refusal) -> HttpResponse:
    """A refusal as application/problem+json, as the charging API gives it."""
    status, body = problem(refusal)
    response = HttpResponse(body, status=status, content_type="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    elif status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return response


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Every address under /api/ that is none."""
    detail = f"there is nothing at {request.path[:_PATH_SHOWN_MAX]}; {_THERE_IS}"
    return refuse(Refusal("not_found", detail))


def refuse_rows(code: str, bad: BadFile) -> HttpResponse:
    """A refusal that names each bad row by its place in the list, as many as are kept."""
    detail = "1 row is wrong" if bad.count == 1 else f"{bad.count:,} rows are wrong"
    response = refuse(Refusal(code, f"{detail}; nothing has changed"))
    body = msgspec.json.decode(response.content)
    body["errors"] = [{"index": place, "reason": reason} for place, reason in bad.errors]
    body["count"] = bad.count
    response.content = msgspec.json.encode(body)
    return response

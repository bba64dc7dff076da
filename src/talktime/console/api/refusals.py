"""Every "no" of the management API: application/problem+json, in words for who writes programs."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from talktime.core.limits import PATH_SHOWN_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.core.refusal_people import DEVELOPER
from talktime.operations.csv_rows import BadFile
from talktime.operations.render import problem

RETRY_AFTER_S = {429: 1, 503: 2}
HERE = {
    "unauthorized": "Send 'Authorization: Bearer KEY' with a key that is neither revoked nor "
    "expired; an organisation's own key is made in the console, on its page API keys.",
    "scope_missing": "Use a key that has one of the scopes that the detail names.",
    "not_found": "See /api/v1/openapi.json for the addresses, or read them at /api/v1/docs.",
    "method_not_allowed": "See /api/v1/openapi.json for the methods of each address.",
    "body_too_large": "Send a smaller body, in several requests.",
    "invalid_request": "Correct what `errors` names by its path, and send the request again.",
    "invalid_value": "Correct what the detail names, and send the request again.",
    "unavailable": "Send the same request again after the seconds in Retry-After; what moves money "
    "with the same Idempotency-Key: it is done once.",
    "idempotency_key_reused": "Use a new key for a new request; repeat a request only unchanged.",
    "unknown_switch": "List the switches and use one of their ids.",
    "unknown_organisation": "Use the name or the id of an organisation that the key opens.",
}
"""What to do, where the words of core/refusal.py are meant for somebody else."""


class Refused(Exception):
    """A refusal on its way out of the depth of a request."""

    def __init__(self, refusal: Refusal, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(refusal.detail)
        self.refusal, self.errors = refusal, errors


def body_of(refusal: Refusal) -> dict[str, Any]:
    """The body of a refusal, with the words that hold here."""
    body: dict[str, Any] = msgspec.json.decode(problem(refusal)[1])
    if refusal.code in HERE:
        body |= {"remedy": HERE[refusal.code], "who": DEVELOPER}
    return body


def refuse(refusal: Refusal, **more: Any) -> HttpResponse:
    """A refusal as application/problem+json; `more` are members of its body."""
    body = body_of(refusal) | more
    status = refusal.kind.status
    response = HttpResponse(
        msgspec.json.encode(body), status=status, content_type="application/problem+json"
    )
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    elif status in RETRY_AFTER_S:
        response.headers["Retry-After"] = str(RETRY_AFTER_S[status])
    return response


def refuse_rows(code: str, bad: BadFile) -> HttpResponse:
    """A refusal that names each bad row by its place in the list, as many as are kept."""
    detail = "1 row is wrong" if bad.count == 1 else f"{bad.count:,} rows are wrong"
    errors = [{"index": place, "reason": reason} for place, reason in bad.errors]
    return refuse(Refusal(code, f"{detail}; nothing has changed"), errors=errors, count=bad.count)


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Every address under /api/ that is none."""
    where = request.path[:PATH_SHOWN_TEXT_MAX]
    detail = f"there is nothing at {where} (give the id where an organisation's name has a slash)"
    return refuse(Refusal("not_found", detail))

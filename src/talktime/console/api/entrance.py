"""What surrounds every request of the management API: what it opens is closed, and whatever goes
wrong is told as a problem."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any

import msgspec
import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from talktime.console.api.refusals import Refused, refuse
from talktime.core.limits import DETAIL_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.till import NoWallet, counter_refusal
from talktime.store.database import Outage

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponse]
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no known field",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


class Json(BaseRenderer):
    """Answers as compact JSON."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """The answer's bytes."""
        return msgspec.json.encode(data, enc_hook=str)


class JsonBody(Parser):
    """Reads bodies; what is no JSON is refused as everything is."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body as plain values. Raises Refused."""
        try:
            return msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            detail = f"the body is not JSON: {error}"[:DETAIL_TEXT_MAX]
            errors = [{"in": "body", "path": "", "reason": detail}]
            raise Refused(Refusal("invalid_request", detail), errors) from None


def entered(view: View) -> View:
    """The view, with what its request opens closed at the end."""

    @csrf_exempt
    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, **place: Any) -> HttpResponse:
        if request.method == "HEAD":
            request.method = "GET"  # the port sends its answer without the body
        with ExitStack() as opened:
            request.opened = opened  # type: ignore[attr-defined]
            response = view(request, **place)
        return _told_as_problem(request, _with_all_methods(request, response))

    return answer


def _with_all_methods(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """What refused a method, with those that every address takes; or, for OPTIONS, the answer."""
    if refused.status_code != 405:
        return refused
    methods = sorted(refused.headers["Allow"].split(", "))
    methods += [*(["HEAD"] if "GET" in methods else []), "OPTIONS"]
    answered = HttpResponse(status=204) if request.method == "OPTIONS" else refused
    answered.headers["Allow"] = ", ".join(methods)
    return answered


def told_as_problem(view: Callable[..., Any]) -> View:
    """The view, with a problem for methods that it does not take."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, **place: Any) -> HttpResponse:
        return _told_as_problem(request, view(request, **place))

    return answer


def _told_as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.status_code != 405:
        return response
    detail = f"this address takes {response.headers['Allow']}, not {request.method}"
    refused = refuse(Refusal("method_not_allowed", detail))
    refused.headers["Allow"] = response.headers["Allow"]
    return refused


def handle_errors(api: NinjaAPI) -> None:
    """Let the API tell everything that can go wrong as a problem."""
    api.add_exception_handler(Refused, _refused)
    api.add_exception_handler(NoWallet, _no_wallet)
    api.add_exception_handler(Outage, _away)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _unreadable)
    api.add_exception_handler(Exception, _failed)


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    return refuse(error.refusal, **({"errors": error.errors} if error.errors else {}))


def _unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    """A body that is no JSON; ninja wraps what the parser said of it."""
    said = error.__cause__ or error.__context__
    if isinstance(said, Refused):
        return _refused(request, said)
    return refuse(Refusal("invalid_request", str(error)))


def _no_wallet(request: HttpRequest, error: Any) -> HttpResponse:
    return refuse(counter_refusal(error))


def _away(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("a database does not answer the management API", reason=str(error))
    return refuse(Refusal("unavailable", str(error)))


def _failed(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("a request of the management API failed", path=request.path, exc_info=error)
    return refuse(Refusal("internal_error", "the request met a fault of the service"))


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """What of a request cannot be taken, each by its place."""
    errors = [_told(each) for each in error.errors]
    if any(each["loc"][0] == "path" for each in error.errors):
        return refuse(Refusal("not_found", f"{errors[0]['path'][1:]}: {errors[0]['reason']}"))
    values = all(each["type"] == "value_error" for each in error.errors)
    code = "invalid_value" if values else "invalid_request"
    first = f"{errors[0]['path'] or 'the body'}: {errors[0]['reason']}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return refuse(Refusal(code, (first + more)[:DETAIL_TEXT_MAX]), errors=errors)


def _told(each: dict[str, Any]) -> dict[str, str]:
    where, *place = each["loc"]
    if where == "body":
        place = place[1:]  # the name of the handler's own parameter
    path = "".join(f"/{step}" for step in place)
    said = each["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return {"in": where, "path": path, "reason": _WORDS.get(each["type"], said)}

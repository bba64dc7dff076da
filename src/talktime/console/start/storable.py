"""Text that no database keeps: a NUL character, in an address or a form, is refused at the door."""

from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from talktime.console.api.refusals import refuse
from talktime.core.refusal import Refusal

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def without_nul(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: 400 for what holds a NUL character."""

    def answer(request: HttpRequest) -> HttpResponse:
        if any("\0" in text for text in _texts(request)):
            if request.path.startswith("/api/"):
                return refuse(Refusal("invalid_request", "the address holds a NUL character"))
            raise BadRequest("a NUL character")
        return get_response(request)

    return answer


def _texts(request: HttpRequest) -> Iterator[str]:
    yield request.path
    for _, values in request.GET.lists():
        yield from values
    # A body of the API is read by the API, once.
    if not request.path.startswith("/api/") and request.content_type in FORMS:
        for _, values in request.POST.lists():
            yield from values

"""In which language a page is written: the account's own, or else what the browser asks for."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import get_language_from_request, get_supported_language_variant

LANGUAGE_FALLBACK = "en"


def readers_language(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, after the one that knows who is signed in."""

    def answer(request: HttpRequest) -> HttpResponse:
        with translation.override(language_of(request)):
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
        return response

    return answer


def language_of(request: HttpRequest) -> str:
    """The language of ours that comes nearest to what the reader wants."""
    try:
        wanted: str = getattr(request.user, "language", "")
    except (InterfaceError, OperationalError):  # the page itself meets it again, and says so
        wanted = ""
    if not wanted:
        return get_language_from_request(request)
    try:
        return get_supported_language_variant(wanted)
    except LookupError:
        return LANGUAGE_FALLBACK

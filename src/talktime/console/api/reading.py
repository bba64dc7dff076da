"""The OpenAPI document, and a page to read it: for everybody, as documentation is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from talktime.console.api.document import document
from talktime.console.doors import for_anyone

# The viewer writes style attributes and has its pictures in its style sheet; this page alone may.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@for_anyone
@require_safe
def document_view(request: HttpRequest) -> HttpResponse:
    """The document as JSON."""
    return HttpResponse(document(), content_type="application/json")


@for_anyone
@require_safe
def read_view(request: HttpRequest) -> HttpResponse:
    """The document to be read, and tried with a key of the reader's."""
    page = render(request, "api/docs.html")
    page.headers["Content-Security-Policy"] = POLICY
    return page

"""The OpenAPI document, and a page to read it: for everybody, as documentation is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from talktime.console.api.document import document
from talktime.console.api.readable import readable
from talktime.console.doors import for_anyone


@for_anyone
@require_safe
@gzip_page
def document_view(request: HttpRequest) -> HttpResponse:
    """The document as JSON."""
    return HttpResponse(document(), content_type="application/json")


@for_anyone
@require_safe
@gzip_page
def read_view(request: HttpRequest) -> HttpResponse:
    """The document to be read."""
    return render(request, "api/docs.html", {"api": readable()})

"""What comes before every door: the methods that an address takes, and a sign-in that has ended."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme

View = Callable[..., HttpResponseBase]
SAFE = ("GET", "HEAD")
AGAIN = "again"
"""In the address of the page to sign in on: a form was sent when the sign-in had ended."""


def taking(methods: tuple[str, ...]) -> Callable[[View], View]:
    """Let these methods in; whoever comes by another one (by a form's address in the address bar)
    reads how to go on."""

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **place: Any) -> HttpResponseBase:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods, render_to_string("405.html", {}, request))
            return view(request, *args, **place)

        return answer

    return wrap


def signed_in(view: View) -> View:
    """Have somebody sign in first, who comes back to where they were: what a form sent is not kept,
    so they come back to the form, and are told so."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **place: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **place)
        if "HX-Request" in request.headers:
            # A part of a page: it is the page that goes to sign in, not its part.
            there = redirect_to_login(came_from(request)).url
            return HttpResponse(status=204, headers={"HX-Redirect": there})
        if request.method in SAFE:
            return redirect_to_login(request.get_full_path())
        # Said in the address: who is not signed in begins no session.
        return redirect(f"{redirect_to_login(came_from(request)).url}&{AGAIN}=1")

    return answer


def came_from(request: HttpRequest) -> str:
    """The page of ours from which something was asked; the first page where that is not known."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure()):
        return "/"
    parts = urlsplit(page)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path

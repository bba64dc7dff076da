"""A page that says so when the control plane's database is away."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

log = logging.getLogger(__name__)
RETRY_AFTER_S = "10"


class DatabaseAway:
    """Turns an outage met by any view into a 503 that a person can read; other errors stay."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        log.error("the control plane's database does not answer: %s", error)
        response = render(None, "start/away.html", status=503)
        response.headers["Retry-After"] = RETRY_AFTER_S
        return response

"""A page that says so when the control plane's database is away, or of another version."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from talktime.console.migrations_expected import expected_migrations
from talktime.store.database import Outage
from talktime.store.spelling import for_postgres, for_sqlite
from talktime.store.version import APPLIED, OtherVersion, require_applied

log = logging.getLogger(__name__)
RETRY_AFTER_S = "10"
View = Callable[[HttpRequest], HttpResponse]

_looked_at = threading.local()  # `connection`: the last that was found to be of this version


class DatabaseAway:
    """Turns an outage met by any view into a 503 that a person can read; other errors stay."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Outage):
            log.error("a database that a page needs does not answer: %s", error)
        elif isinstance(error, OperationalError | InterfaceError):
            log.error("the control plane's database does not answer: %s", error)
        else:
            return None
        response = render(None, "start/away.html", status=503)
        response.headers["Retry-After"] = RETRY_AFTER_S
        return response


def of_this_version(get_response: View) -> View:
    """Middleware, before all that use Django's connection: before its first statement a new one is
    asked whether its database is of this version."""

    def answer(request: HttpRequest) -> HttpResponse:
        with connection.execute_wrapper(_look_first):
            return get_response(request)

    return answer


def _look_first(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    new = context["connection"].connection
    if new is not getattr(_looked_at, "connection", None):
        _require_ours(context["connection"])
        _looked_at.connection = new
    return execute(sql, params, many, context)


def _require_ours(database: Any) -> None:
    """Raise OperationalError, as for any other outage, unless it is of this version."""
    spelt = for_postgres if database.vendor == "postgresql" else for_sqlite
    try:
        with database.wrap_database_errors:
            # Below Django's cursor, which would come here again.
            rows = database.connection.execute(spelt(APPLIED), ("control_plane",)).fetchall()
        applied = {(app, name) for app, name in rows}
        require_applied(applied, expected_migrations("control_plane"))
    except (OtherVersion, DatabaseError) as error:
        raise OperationalError(str(error)) from error

"""The addresses of the management API."""

from django.urls import URLPattern, path

from talktime.console.api.api import api
from talktime.console.api.entrance import entered, told_as_problem
from talktime.console.api.payment_events import payment_events
from talktime.console.api.reading import document_view, read_view


def _laid() -> list[URLPattern]:
    patterns = [each for each in api.urls[0] if isinstance(each, URLPattern)]
    for each in patterns:
        each.callback = entered(each.callback)
    return [each for each in patterns if each.name != "api-root"]


urlpatterns = [
    path("openapi.json", told_as_problem(document_view), name="api-document"),
    path("docs", told_as_problem(read_view), name="api-docs"),
    path("payment-events/<str:provider>", payment_events, name="api-payment-events"),
    *_laid(),
]

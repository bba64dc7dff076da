"""`/api/v1/payment-events/PROVIDER`: where payment providers post what happened.

The door keeps what came and says so. It cannot tell whether it is true: jobs alone know the
providers, so a job reads the signature, within a second. Whoever posts junk learns nothing, and
fills no disk: bodies are small, and only so many wait.
"""

import secrets

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from talktime.clock import real_ms
from talktime.console.api.refusals import refuse
from talktime.console.databases import current
from talktime.console.kept_connections import lent
from talktime.core.ids import NODES, Ids
from talktime.core.limits import PAYMENT_EVENT_BODY_BYTES_MAX
from talktime.core.refusal import Refusal
from talktime.operations.provider_events import receive_event
from talktime.operations.provider_settings import PROVIDERS
from talktime.store.database import Outage


@csrf_exempt
@never_cache
def payment_events(request: HttpRequest, provider: str) -> HttpResponse:
    """POST an event: kept, and answered with 202, before anybody has looked at it."""
    if provider not in PROVIDERS:
        return refuse(Refusal("not_found", "no payment provider posts here"))
    if request.method != "POST":
        refused = refuse(Refusal("method_not_allowed", f"{request.method} is not POST"))
        refused.headers["Allow"] = "POST"
        return refused
    body = request.read(PAYMENT_EVENT_BODY_BYTES_MAX + 1)
    try:
        with lent(current().control_plane) as control:
            refusal = receive_event(
                control,
                provider,
                body,
                request.headers,
                received_ms=real_ms(),
                next_id=Ids(secrets.randbelow(NODES), real_ms).next,
            )
    except Outage as error:
        return refuse(Refusal("unavailable", str(error)))
    if refusal is not None:
        return refuse(refusal)
    return JsonResponse({"received": True}, status=202)

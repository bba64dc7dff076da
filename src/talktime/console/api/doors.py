"""What the endpoints about money have in common: whose wallet, what is sent, done once by its key.

A *door* is one address. Its handlers get what was asked and give an answer or a refusal; one that
`moves_money`, or begins to, is done once for its Idempotency-Key and answered the same again.
"""

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from talktime.clock import now_ms
from talktime.console.api.answers import answer, key_of, refuse
from talktime.console.databases import current
from talktime.console.identity import ID_MAX, new_ids
from talktime.core.catalogue import Catalogue
from talktime.core.keys import BILLING, OPERATOR
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.money import parse_micros
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import seller_of
from talktime.operations.counters import Counters
from talktime.operations.eligibility import why_not_buy
from talktime.operations.money_requests import answer_once
from talktime.operations.organisations import find_organisation
from talktime.operations.till import Counter, NoWallet, counter_refusal
from talktime.store.database import Connection, Outage, connect

Body = TypeVar("Body", bound=msgspec.Struct)
Answer = dict[str, Any]


class Asked(NamedTuple):
    """One request: where its organisation pays, why it may not buy, who asks, what was sent."""

    request: HttpRequest
    control: Connection
    catalogue: Catalogue
    counter: Counter
    why_not: Refusal | None
    actor: str
    sent: bytes

    @property
    def key(self) -> str:
        """The idempotency key; a handler that moves money has one."""
        return self.request.headers.get("Idempotency-Key", "")

    def body(self, kind: type[Body]) -> Body | Refusal:
        """What was sent, as the endpoint takes it. Refuses: invalid_request."""
        try:
            return msgspec.json.decode(self.sent or b"{}", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Refusal("invalid_request", str(error))


Handler = Callable[..., Answer | Refusal]


def moves_money(handler: Handler) -> Handler:
    """Mark a handler that moves money, or begins to."""
    handler.moves_money = True  # type: ignore[attr-defined]
    return handler


def by_operator(handler: Handler) -> Handler:
    """Mark a handler of what an organisation cannot do for itself: it wants a key of that scope."""
    handler.scope = OPERATOR  # type: ignore[attr-defined]
    return handler


def door(**handlers: Handler) -> Callable[..., HttpResponseBase]:
    """The view of an address: a handler for each method (GET, POST ...) that it takes."""

    @csrf_exempt
    @never_cache
    def view(request: HttpRequest, name: str, **place: int) -> HttpResponse:
        handler = handlers.get(request.method or "")
        if handler is None:
            detail = f"this address takes {', '.join(handlers)}, not {request.method}"
            return refuse(Refusal("method_not_allowed", detail))
        try:
            with closing(connect(current().control_plane)) as control:
                return _answered(request, control, name, handler, place)
        except NoWallet as error:
            return refuse(counter_refusal(error))
        except Outage as error:
            return refuse(Refusal("unavailable", str(error)))

    view.handlers = handlers  # type: ignore[attr-defined]
    return view


def _answered(
    request: HttpRequest,
    control: Connection,
    name: str,
    handler: Handler,
    place: dict[str, int],
) -> HttpResponse:
    key = key_of(control, request, getattr(handler, "scope", BILLING), now_ms())
    if isinstance(key, Refusal):
        return refuse(key)
    with control.reading():
        owner = find_organisation(control, name)
    if isinstance(owner, Refusal):
        return refuse(owner)
    address = current().cells.get(owner.cell)
    if address is None:
        return refuse(Refusal("unavailable", f"this process does not know the cell {owner.cell}"))
    if any(number > ID_MAX for number in place.values()):
        return refuse(Refusal("not_found", "no id is that large"))
    with closing(connect(address)) as cell:
        counters = Counters(lambda: control, cell, now_ms, new_ids().next, seller_of(current()))
        asked = Asked(
            *(request, control, counters.catalogue, counters.of(owner)),
            why_not_buy(counters.catalogue, owner),
            *(f"key {key.name} ({key.id})", request.read()),
        )
        if getattr(handler, "moves_money", False):
            return _once(asked, handler, place)
        done = handler(asked, **place)
    return refuse(done) if isinstance(done, Refusal) else answer(done)


def _once(asked: Asked, handler: Handler, place: dict[str, int]) -> HttpResponse:
    """Do it once for its key; the same again gets the same answer, and says `replayed`."""

    def act() -> str | Refusal:
        done = handler(asked, **place)
        return done if isinstance(done, Refusal) else json.dumps(done)

    request, counter = asked.request, asked.counter
    answered, replayed = answer_once(
        counter.cell,
        counter.organisation.id,
        request.headers.get("Idempotency-Key", ""),
        f"{request.method} {sorted(place.items())} {request.path} ".encode() + asked.sent,
        act,
        counter.now_ms,
    )
    if isinstance(answered, Refusal):
        return refuse(answered)
    return answer({**json.loads(answered), "replayed": replayed})


def amount_in(text: str, what: str) -> int | Refusal:
    """An amount as sent, in micros. Refuses: invalid_value."""
    try:
        return parse_micros(text)
    except ValueError as error:
        return Refusal("invalid_value", f"{what}: {error}")


def page_asked(request: HttpRequest) -> tuple[int | None, int] | Refusal:
    """`before` and `limit` of a list that is read in pages. Refuses: invalid_request."""
    limit, before = request.GET.get("limit", str(PAGE_ROWS_MAX)), request.GET.get("before", "")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE_ROWS_MAX):
        detail = f"limit must be a whole number from 1 to {PAGE_ROWS_MAX}"
        return Refusal("invalid_request", detail)
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        return Refusal("invalid_request", "before must be an id of this list")
    return int(before) if before else None, int(limit)

"""The door of every address of the management API: whose key it is, what it opens, done once.

A handler gets what was asked (`Asked`) and what was sent, and gives an answer or a refusal. It is
put under an address by a `Resource`, with the scopes that open it; one that moves money, or begins
to, is done once for its Idempotency-Key and answered the same again. One that makes something that
cannot be found by a name may have such a key, and is done in a transaction that is opened here.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from inspect import Parameter, Signature, signature
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec
from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field, TypeAdapter, create_model

from talktime.clock import now_ms
from talktime.console.api.refusals import Refused, refuse
from talktime.console.api.shapes import OrganisationName, Page
from talktime.console.api.throttle import known, strangers, throttle
from talktime.console.databases import current
from talktime.console.identity import new_ids
from talktime.console.kept_connections import lent
from talktime.core.audit import Actor
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.keys import READ, ApiKey
from talktime.core.limits import DETAIL_TEXT_MAX, NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import MADE_BY, acting
from talktime.operations.billing_profiles import seller_of
from talktime.operations.counters import Counters
from talktime.operations.creations import make_once
from talktime.operations.eligibility import why_not_buy
from talktime.operations.keys import note_use, secret_hash
from talktime.operations.money_requests import answer_once
from talktime.operations.organisations import find_organisation
from talktime.operations.till import Counter
from talktime.store.creations import Creations
from talktime.store.database import Connection
from talktime.store.keys import key_of_hash

IDEMPOTENCY_KEY = "Idempotency-Key"
Handler = Callable[..., Any]
Place = Literal["", "control_plane", "cell"]


class Asked:
    """One request: whose key, which organisation, with the databases open while it is answered."""

    def __init__(
        self, request: HttpRequest, control: Connection, key: ApiKey, opened: ExitStack
    ) -> None:
        self.request, self.control, self.key = request, control, key
        self._opened = opened
        self.now_ms = now_ms()
        self.next_id = new_ids().next

    @property
    def actor(self) -> str:
        """Who does it, as it is kept."""
        maker = self.key.made_by
        return f"key {self.key.name} ({self.key.id})" + (f"{MADE_BY}{maker}" if maker else "")

    @property
    def idempotency_key(self) -> str:
        """The key of the request; a handler that moves money has one."""
        return self.request.headers.get(IDEMPOTENCY_KEY, "")

    @cached_property
    def owner(self) -> Organisation:
        """The organisation of the address. Raises Refused where the key does not open it."""
        assert self.request.resolver_match is not None
        name = self.request.resolver_match.kwargs["organisation"]
        with self.control.reading():
            found = find_organisation(self.control, name)
        if isinstance(found, Refusal):
            raise Refused(found)
        if self.key.organisation_id not in (None, found.id):
            detail = f"no organisation is named {name[:NAME_TEXT_MAX]!r}"
            raise Refused(Refusal("unknown_organisation", detail))
        return found

    @cached_property
    def cell(self) -> Connection:
        """The organisation's cell. Raises Refused, Outage."""
        return self.cell_named(self.owner.cell)

    @property
    def hidden_digits(self) -> int:
        """How many digits of other parties' numbers nobody sees in this organisation (R78)."""
        return self.catalogue.country(self.owner.country).masked_digits

    def cell_named(self, name: str) -> Connection:
        """A connection to a cell, until the request is answered. Raises Refused, Outage."""
        address = current().cells.get(name)
        if address is None:
            raise Refused(Refusal("unavailable", f"this process does not know the cell {name}"))
        return self._opened.enter_context(lent(address))

    @cached_property
    def counters(self) -> Counters:
        """What operations on money are called with."""
        return Counters(lambda: self.control, self.cell, now_ms, self.next_id, seller_of(current()))

    @cached_property
    def counter(self) -> Counter:
        """Where the organisation pays."""
        return self.counters.of(self.owner)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue in force."""
        return self.counters.catalogue

    @cached_property
    def why_not(self) -> Refusal | None:
        """Why the organisation cannot buy credits, where it cannot."""
        return why_not_buy(self.catalogue, self.owner)

    def page(self, page: Page, name: str, rows: list[Any], place: Callable[[Any], Any]) -> Any:
        """An answer that is one page of a list; `place` gives the cursor behind a row."""
        full = rows and len(rows) >= page.limit
        return {name: rows, "next": self.following(page, place(rows[-1])) if full else None}

    def following(self, page: Page, cursor: object) -> str:
        """The address of the page that begins at a cursor, with the same filters."""
        query = self.request.GET.copy()
        query["limit"], query["cursor"] = str(page.limit), str(cursor)
        return f"{quote(self.request.path)}?{query.urlencode()}"


class Told(NamedTuple):
    """What the document says of an operation beside what its signature says."""

    scopes: tuple[str, ...]
    moves_money: bool
    makes: Place
    secret: str
    at_organisation: bool
    refusals: tuple[str, ...]
    sent: Any
    takes: str
    gives: str


class Door:
    """Lets a request in whose key has one of the scopes."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.query: frozenset[str] = frozenset()  # the names that it may have

    def __call__(self, request: HttpRequest) -> Asked:
        """Open what the request needs. Raises Refused, Outage."""
        opened: ExitStack = request.opened  # type: ignore[attr-defined]
        control = opened.enter_context(lent(current().control_plane))
        at_ms = now_ms()
        key = _key_of(control, request, at_ms)
        if not throttle.takes(key.id, at_ms):
            raise Refused(Refusal("too_many_requests", "the key has made too many requests"))
        if self.told.scopes and key.scopes.isdisjoint(self.told.scopes):
            wanted = " or ".join(repr(scope) for scope in self.told.scopes)
            raise Refused(Refusal("scope_missing", f"the key lacks the scope {wanted}"))
        asked = Asked(request, control, key, opened)
        note_use(control, key, asked.now_ms)
        address = request.META.get("REMOTE_ADDR") or ""
        actor = Actor("key", f"{key.name} ({key.id})", address)
        person = key.made_by or ""
        opened.enter_context(acting(actor, now_ms, asked.next_id, person=person))
        if self.told.at_organisation:
            _ = asked.owner
        _require_query(request, self.query)
        return asked


class Resource:
    """The addresses of one resource, under one heading of the document."""

    def __init__(self, name: str, about: str, *, at_organisation: bool = True) -> None:
        self.name, self.about, self._at_organisation = name, about, at_organisation
        self.router = Router(tags=[name])
        self.prefix = "/organisations/{organisation}" if at_organisation else ""

    def reads(
        self, path: str, answer: Any, *, by: tuple[str, ...] = (READ,), **more: Any
    ) -> Callable[[Handler], Handler]:
        """A GET of something. `by` names the scopes of which one is needed."""
        return self.does("GET", path, answer, by=by, **more)

    def does(
        self,
        method: str,
        path: str,
        answer: Any,
        *,
        by: tuple[str, ...],
        moves_money: bool = False,
        makes: Place = "",
        secret: str = "",
        refusals: tuple[str, ...] = (),
        sent: Any = None,
        takes: str = "",
        gives: str = "",
        sparse: bool = False,
    ) -> Callable[[Handler], Handler]:
        """A change of something. One that `makes` something, there, with the field `secret` in its
        answer once, opens no transaction. `sent` is an example of its body; `takes`
        and `gives` are the media types where they are not JSON; of a `sparse` answer, what is not
        there is left out."""
        told = Told(
            *(by, moves_money, makes, secret, self._at_organisation),
            *(refusals, sent, takes, gives),
        )

        def put(handler: Handler) -> Handler:
            given = _done_once(answer) if moves_money or makes else answer
            door = Door(told)
            self.router.api_operation(
                [method],
                path,
                auth=door,
                response=None if gives else given,
                by_alias=True,
                exclude_unset=sparse,
                summary=_summary(handler),
                description=_description(handler),
                operation_id=handler.__name__,
            )(_view(handler, told, answer))
            door.query = _query_of(self.router, path)
            return handler

        return put


def _query_of(router: Router, path: str) -> frozenset[str]:
    """The names that the query of the operation may have that was put there last."""
    models = router.path_operations[path].operations[-1].models
    takes = [each for each in models if each.__ninja_param_source__ == "query"]
    return frozenset(name for each in takes for name in each.__ninja_flatten_map__)


def _require_query(request: HttpRequest, known: frozenset[str]) -> None:
    """Raise Refused for what is not known, or there twice: a filter that is passed over, because
    its name is misspelt, gives a wrong answer that looks like a right one."""
    errors = []
    for name, values in request.GET.lists():
        if name not in known:
            errors.append((name, "is no known parameter"))
        elif len(values) > 1:
            errors.append((name, "is given more than once"))
    if errors:
        name, reason = errors[0]
        told = [{"in": "query", "path": f"/{name}", "reason": why} for name, why in errors]
        detail = f"/{name}: {reason}"[:DETAIL_TEXT_MAX]
        raise Refused(Refusal("invalid_request", detail), told)


def _view(handler: Handler, told: Told, answer: Any) -> Handler:
    """The handler as ninja calls it."""

    def view(request: HttpRequest, **sent: Any) -> Any:
        asked: Asked = request.auth  # type: ignore[attr-defined]
        sent.pop("organisation", None)
        if told.moves_money:
            return _once(asked, handler, sent, answer)
        if told.makes:
            return _made(asked, handler, sent, told, answer)
        done = handler(asked, **sent)
        return refuse(done) if isinstance(done, Refusal) else done

    parameters = [Parameter("request", Parameter.POSITIONAL_OR_KEYWORD)]
    if told.at_organisation:
        place = Parameter("organisation", Parameter.KEYWORD_ONLY, annotation=OrganisationName)
        parameters.append(place)
    taken = list(signature(handler).parameters.values())[1:]
    parameters += [each.replace(kind=Parameter.KEYWORD_ONLY) for each in taken]
    view.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    view.__name__, view.__doc__ = handler.__name__, handler.__doc__
    view.told = told  # type: ignore[attr-defined]
    return view


def _once(asked: Asked, handler: Handler, sent: dict[str, Any], answer: Any) -> Any:
    """Do it once for its key; the same again gets the same answer, and says `replayed`."""

    def act() -> str | Refusal:
        done = handler(asked, **sent)
        return done if isinstance(done, Refusal) else _shown(done, answer).model_dump_json()

    answered, replayed = answer_once(
        asked.cell,
        asked.owner.id,
        asked.idempotency_key,
        _meant(asked.request),
        act,
        asked.now_ms,
    )
    if isinstance(answered, Refusal):
        return refuse(answered)
    return {**json.loads(answered), "replayed": replayed}


def _made(asked: Asked, handler: Handler, sent: dict[str, Any], told: Told, answer: Any) -> Any:
    """Make it; where there is a key, once, and the same again gets the same answer without its
    secret, and says `replayed`."""

    def act() -> dict[str, Any] | Refusal:
        done = handler(asked, **sent)
        return done if isinstance(done, Refusal) else _shown(done, answer).model_dump(mode="json")

    answered: dict[str, Any] | Refusal
    in_cell = told.makes == "cell"
    place = asked.cell if in_cell else asked.control
    with place.transaction():
        if IDEMPOTENCY_KEY not in asked.request.headers:
            answered, replayed = act(), False
        else:
            answered, replayed = make_once(
                Creations(place, asked.owner.id if told.at_organisation else 0, in_cell),
                asked.idempotency_key,
                _meant(asked.request),
                act,
                secret=told.secret,
                seal_keys=current().seal_keys(),
                now_ms=asked.now_ms,
            )
    if isinstance(answered, Refusal):
        return refuse(answered)
    return {**answered, "replayed": replayed}


def _meant(request: HttpRequest) -> bytes:
    """What tells a request from another of the same idempotency key: not the order of its fields
    and the spaces between them, nor whether the organisation is named, or its id is given."""
    found = request.resolver_match
    assert found is not None
    place = {name: value for name, value in found.kwargs.items() if name != "organisation"}
    try:
        body = msgspec.json.decode(request.body or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = request.body.hex()  # of one that takes no body: nobody has read it
    return msgspec.json.encode(
        [request.method, found.route, place, body], order="deterministic", enc_hook=str
    )


def _shown(done: Any, answer: Any) -> BaseModel:
    shown: BaseModel = TypeAdapter(answer).validate_python(done)
    return shown


def _done_once(answer: type[BaseModel]) -> type[BaseModel]:
    said = Field(description="Whether it was answered before: this is that answer.")
    return create_model(f"{answer.__name__}Done", __base__=answer, replayed=(bool, said))


def _key_of(control: Connection, request: HttpRequest, at_ms: int) -> ApiKey:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        detail = "the request has no Authorization header of scheme Bearer"
        raise Refused(Refusal("unauthorized", detail))
    hashed = secret_hash(secret.strip())
    if hashed not in known and not strangers.takes(request.META.get("REMOTE_ADDR"), at_ms):
        detail = "this address has made too many requests with keys that are not known"
        raise Refused(Refusal("too_many_requests", detail))
    with control.reading():
        key = key_of_hash(control, hashed)
    if key is None or not key.usable(at_ms):
        known.discard(hashed)
        detail = "the key is not known, or was revoked, or has expired"
        raise Refused(Refusal("unauthorized", detail))
    known.add(hashed)
    return key


def _summary(handler: Handler) -> str:
    return (handler.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def _description(handler: Handler) -> str:
    lines = (handler.__doc__ or "").strip().partition("\n")[2].splitlines()
    return " ".join(line.strip() for line in lines if line.strip()) or _summary(handler) + "."

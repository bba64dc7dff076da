"""Every page's door: who may come in, and what is laid out for them there.

A page is a function that takes a desk and returns a response, under one of

- `@page(may=...)` for a page of an organisation, its address below `organisations/<id>/`
- `@operator_page(may=...)` for a page of the operator's
- `@personal_page()` for a page about the reader's own account

Each says which methods it takes and leaves `view.door` behind, by which a test knows whom every
address is for. What somebody may not see does not exist for them (404); what they may see but not
do says so (403).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from functools import cached_property, partial, wraps
from typing import Any, NamedTuple

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from talktime.clock import now_ms
from talktime.console.control_plane.models import Account, Membership
from talktime.console.databases import current
from talktime.console.entering import signed_in, taking
from talktime.console.identity import new_ids
from talktime.console.kept_connections import lent
from talktime.console.roles import SEE, Permission, permissions_of
from talktime.console.start.shown import PageWording, clock_words, wording_of
from talktime.core.audit import Actor
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import acting
from talktime.operations.billing_profiles import seller_of
from talktime.operations.counters import Counters
from talktime.operations.eligibility import why_not_buy
from talktime.operations.till import Counter, NoWallet
from talktime.operations.wording import Amount, Wording
from talktime.store.database import Connection, Outage
from talktime.store.organisations import organisation_of_id

log = structlog.get_logger(__name__)

Shown = dict[str, Any]
View = Callable[..., HttpResponseBase]
READ, CHANGE = ("GET", "HEAD"), ("GET", "HEAD", "POST")


class Door(NamedTuple):
    """Whom an address is for. `kind`: organisation, operator, personal, anyone."""

    kind: str
    may: Permission | None
    methods: tuple[str, ...]


class Desk:
    """One reader at one organisation's page, with its databases open while the page is made."""

    def __init__(
        self,
        request: HttpRequest,
        control: Connection,
        cell: Connection,
        owner: Organisation,
        permissions: frozenset[Permission],
    ) -> None:
        self.request = request
        self.control = control
        self.cell = cell
        self.owner = owner
        self.permissions = permissions
        self.now_ms = now_ms()
        self.next_id = new_ids().next

    @cached_property
    def counters(self) -> Counters:
        """What the operations on money are called with."""
        control = self.control
        return Counters(lambda: control, self.cell, now_ms, self.next_id, seller_of(current()))

    @cached_property
    def counter(self) -> Counter:
        """The organisation's counter. Raises NoWallet where it has never had one."""
        return self.counters.of(self.owner)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue as it is now."""
        return self.counters.catalogue

    @cached_property
    def why_not(self) -> Refusal | None:
        """Why the organisation cannot buy credits, where it cannot."""
        return why_not_buy(self.catalogue, self.owner)

    @cached_property
    def wording(self) -> PageWording:
        """Amounts and times as this reader writes them."""
        return wording_of(self.request, self.owner.time_zone)

    @property
    def clock(self) -> str:
        """By which clock the page shows its times; empty where it shows none so far."""
        return self.always_clock if self.wording.written else ""

    @property
    def always_clock(self) -> str:
        """By which clock the page shows its times, though they come later."""
        return clock_words(self.request, self.wording, True)

    @property
    def actor(self) -> str:
        """Who does it, as it is kept."""
        return self.request.user.get_username()

    def may(self, permission: Permission) -> bool:
        """Whether the reader may do that here."""
        return permission in self.permissions

    def money(self, micros: int) -> Amount:
        """An amount in the organisation's currency."""
        return self.wording.money(micros, self.owner.currency)

    def page(self, template: str, shown: Shown | None = None, status: int = 200) -> HttpResponse:
        """A page of the organisation, below its heading and beside its menu."""
        context = {"desk": self, "organisation": self.owner, **(shown or {})}
        return render(self.request, template, context, status=status)


class OperatorDesk:
    """Somebody of the operator's at a page about all organisations."""

    def __init__(
        self, request: HttpRequest, control: Connection, permissions: frozenset[Permission]
    ) -> None:
        self.request = request
        self.control = control
        self.permissions = permissions
        self.now_ms = now_ms()
        self.next_id = new_ids().next

    @cached_property
    def wording(self) -> PageWording:
        """Amounts and times as this reader writes them; UTC where they chose no zone."""
        return wording_of(self.request, "UTC")

    @cached_property
    def in_utc(self) -> Wording:
        """The reader's wording by UTC, for what is written, and read, by UTC alone."""
        return replace(self.wording, zone=UTC)

    @property
    def clock(self) -> str:
        """By which clock the page shows its times; empty where it shows none."""
        return clock_words(self.request, self.wording, False) if self.wording.written else ""

    @property
    def actor(self) -> str:
        """Who does it, as it is kept."""
        return self.request.user.get_username()

    def may(self, permission: Permission) -> bool:
        """Whether the reader may do that."""
        return permission in self.permissions

    def cells(self) -> Iterator[tuple[str, Connection | None]]:
        """Each cell's name with a connection while it is looked at; None where it is away."""
        for name, address in current().cells.items():
            try:
                with lent(address) as cell:
                    yield name, cell
            except Outage as error:
                log.error("a cell does not answer", cell=name, reason=str(error))
                yield name, None

    def page(self, template: str, shown: Shown | None = None, status: int = 200) -> HttpResponse:
        """A page of the operator's, beside the operator's menu."""
        context = {"desk": self, "operating": True, **(shown or {})}
        return render(self.request, template, context, status=status)


def page(*, may: Permission = SEE, methods: tuple[str, ...] = READ) -> Callable[[View], View]:
    """A page of an organisation. Who is no member finds nothing (404); a member who lacks the
    permission is told so (403). Somebody who may only see may open a page that changes things, and
    finds its form closed, where `may` is SEE and the page asks `desk.may(...)` itself."""

    def wrap(view: View) -> View:
        @taking(methods)
        @signed_in
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, organisation_id: int, **place: Any) -> HttpResponseBase:
            numbers = [organisation_id, *(x for x in place.values() if isinstance(x, int))]
            permissions = permissions_at(request, organisation_id)
            if max(numbers) > ID_MAX or SEE not in permissions:
                raise Http404
            if may not in permissions:
                raise PermissionDenied
            laid = partial(view, **place)
            return at_the_desk(request, organisation_id, permissions, laid)

        answer.door = Door("organisation", may, methods)  # type: ignore[attr-defined]
        return answer

    return wrap


def operator_page(*, may: Permission, methods: tuple[str, ...] = READ) -> Callable[[View], View]:
    """A page of the operator's: for everybody else there is none."""

    def wrap(view: View) -> View:
        @taking(methods)
        @signed_in
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, **place: Any) -> HttpResponseBase:
            permissions = permissions_of("", account_of(request).staff_role)
            if may not in permissions or any(
                isinstance(x, int) and x > ID_MAX for x in place.values()
            ):
                raise Http404
            with lent(current().control_plane) as control:
                desk = OperatorDesk(request, control, permissions)
                with acting(actor_of(request), now_ms, desk.next_id):
                    return view(desk, **place)

        answer.door = Door("operator", may, methods)  # type: ignore[attr-defined]
        return answer

    return wrap


def personal_page(*, methods: tuple[str, ...] = READ) -> Callable[[View], View]:
    """A page about the reader's own account: `view(request, ...)`."""

    def wrap(view: View) -> View:
        @taking(methods)
        @signed_in
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, **place: Any) -> HttpResponseBase:
            if any(isinstance(x, int) and x > ID_MAX for x in place.values()):
                raise Http404
            with acting(actor_of(request), now_ms, new_ids().next):
                return view(request, **place)

        answer.door = Door("personal", None, methods)  # type: ignore[attr-defined]
        return answer

    return wrap


def for_anyone(view: View) -> View:
    """Mark a page that needs no sign-in."""
    view.door = Door("anyone", None, CHANGE)  # type: ignore[attr-defined]
    return view


def actor_of(request: HttpRequest) -> Actor:
    """Who asks, for the audit log."""
    return Actor("account", account_of(request).email, request.META.get("REMOTE_ADDR") or "")


def account_of(request: HttpRequest) -> Account:
    """The account that is signed in."""
    assert isinstance(request.user, Account)
    return request.user


def permissions_at(request: HttpRequest, organisation_id: int) -> frozenset[Permission]:
    """What the reader may do at this organisation; nothing where it is none of theirs."""
    account = account_of(request)
    role = (
        Membership.objects.filter(account_id=account.id, organisation_id=organisation_id)
        .values_list("role", flat=True)
        .first()
    )
    return permissions_of(role or "", account.staff_role)


def at_the_desk(
    request: HttpRequest,
    organisation_id: int,
    permissions: frozenset[Permission],
    view: Callable[[Desk], HttpResponseBase],
) -> HttpResponseBase:
    """What the view makes at the organisation's desk, or a page that says that its cell is away."""
    with lent(current().control_plane) as control:
        with control.reading():
            owner = organisation_of_id(control, organisation_id)
        if owner is None:
            raise Http404
        address = current().cells.get(owner.cell)
        try:
            if address is None:
                raise Outage(f"this process does not know the cell {owner.cell}")
            with lent(address) as cell:
                desk = Desk(request, control, cell, owner, permissions)
                with acting(actor_of(request), now_ms, desk.next_id):
                    return view(desk)
        except NoWallet as error:
            log.error("an organisation has no wallet", cell=owner.cell, reason=str(error))
            return render(request, "start/no_wallet.html", {"organisation": owner}, status=503)
        except Outage as error:
            log.error("a cell does not answer", cell=owner.cell, reason=str(error))
            return render(request, "start/cell_away.html", {"organisation": owner}, status=503)

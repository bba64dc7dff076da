"""The sandbox's own pages: what "the bank" sees, and how it shall behave. They are there for tests
and the demo alone, where the clock can be moved: in production nobody can make up a card."""

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from talktime.clock import is_movable, now_ms
from talktime.console.billing.sandbox_shown import card_shown, charge_shown
from talktime.console.control_plane.models import Membership, Organisation
from talktime.console.databases import current
from talktime.console.doors import CHANGE, Shown, personal_page
from talktime.console.identity import new_ids
from talktime.console.kept_connections import lent
from talktime.console.roles import MONEY_ROLES
from talktime.console.start.shown import wording_for
from talktime.core.money import parse_micros
from talktime.core.refusal import Refusal
from talktime.core.sandbox import BEHAVIOURS, DECLINE_THEN_APPROVE, WEBHOOKS
from talktime.operations import sandbox
from talktime.operations.provider_settings import SANDBOX, show_providers
from talktime.operations.wording import Wording
from talktime.store.database import Connection
from talktime.store.sandbox import SandboxCard, SandboxCharge

SHOWN_MAX = 100
DECLINES = 2
"""How often a card is declined that is charged in the end."""


class Bench(NamedTuple):
    """One reader at the sandbox, with the organisations that they look after, by id."""

    request: HttpRequest
    control: Connection
    mine: dict[int, str]
    wording: Wording

    def page(self, template: str, shown: Shown, status: int = 200) -> HttpResponse:
        """A page of the sandbox."""
        context = {"behaviours": BEHAVIOURS, **shown}
        return render(self.request, f"billing/sandbox/{template}.html", context, status=status)

    def card(self, card_id: int) -> SandboxCard:
        """A card of one of these organisations."""
        with self.control.reading():
            found = sandbox.find_sandbox_card(self.control, card_id)
        if isinstance(found, Refusal) or found.organisation_id not in self.mine:
            raise Http404
        return found

    def charge(self, charge_id: int) -> SandboxCharge:
        """A charge of one of these organisations."""
        with self.control.reading():
            found = sandbox.find_sandbox_charge(self.control, charge_id)
        if isinstance(found, Refusal) or found.organisation_id not in self.mine:
            raise Http404
        return found


View = Callable[..., HttpResponseBase]


def in_the_sandbox(view: View) -> Callable[..., HttpResponseBase]:
    """A page of the sandbox, where that is in use and the clock can be moved, for who spends the
    money of an organisation; else none."""

    @personal_page(methods=CHANGE)
    @wraps(view)
    def page(request: HttpRequest, **place: int) -> HttpResponseBase:
        email = request.user.get_username()
        members = Membership.objects.filter(account__email=email, role__in=MONEY_ROLES)
        ids = members.values_list("organisation_id")
        mine = dict(Organisation.objects.filter(id__in=ids).values_list("id", "name"))
        if not is_movable() or not mine:
            raise Http404
        with lent(current().control_plane) as control:
            if not sandbox_in_use(control):
                raise Http404
            wording = wording_for(request.headers.get("Accept-Language", ""), "UTC")
            return view(Bench(request, control, mine, wording), **place)

    return page


def sandbox_in_use(control: Connection) -> bool:
    """Whether new cards go to the sandbox."""
    with control.reading():
        return any(each.active and each.name == SANDBOX for each in show_providers(control))


@in_the_sandbox
def bank(bench: Bench) -> HttpResponse:
    """What the bank sees: cards, charges, disputes, webhooks."""
    control, posted = bench.control, bench.request.POST
    if bench.request.method == "POST":
        with control.transaction():
            sandbox.set_sandbox(
                control,
                webhooks=posted.get("webhooks", ""),
                down="down" in posted,
                actor=bench.request.user.get_username(),
                now_ms=now_ms(),
            )
        return redirect("sandbox")
    with control.reading():
        cards = sandbox.list_sandbox_cards(control, limit=SHOWN_MAX)
        charges = sandbox.list_sandbox_charges(control, limit=SHOWN_MAX)
        events = sandbox.list_sandbox_events(control, limit=SHOWN_MAX)
        disputes = {each.id: sandbox.list_sandbox_disputes(control, each.id) for each in charges}
        switches = sandbox.sandbox_switches(control)
    digits = {card.id: card.last4 for card in cards}
    shown: Shown = {
        "cards": [
            card_shown(card, bench.mine) for card in cards if card.organisation_id in bench.mine
        ],
        "charges": [
            charge_shown(each, bench.wording, digits, bench.mine, disputes[each.id])
            for each in charges
            if each.organisation_id in bench.mine
        ],
        "waiting_events": sum(each.due_ms is not None for each in events),
        "sent_events": sum(each.sent_ms is not None for each in events),
        "webhooks": WEBHOOKS,
        "switches": switches,
    }
    return bench.page("bank", shown)


@in_the_sandbox
def card(bench: Bench, card_id: int) -> HttpResponse:
    """The page on which a card is entered; later, what it does when it is charged."""
    found, posted, wrong = bench.card(card_id), bench.request.POST, None
    if bench.request.method == "POST":
        done = _card_changed(bench, found)
        if isinstance(done, Refusal):
            wrong = done
        elif found.state == "waiting":
            return redirect(path_of(done.return_url))
        else:
            return redirect("sandbox")
    shown: Shown = {
        "card": card_shown(found, bench.mine),
        "waiting": found.state == "waiting",
        "script": posted.get("script", found.script),
        "wrong": wrong,
    }
    return bench.page("card", shown, 200 if wrong is None else wrong.kind.status)


def _card_changed(bench: Bench, found: SandboxCard) -> SandboxCard | Refusal:
    control, posted = bench.control, bench.request.POST
    script = posted.get("script", "")
    declines = DECLINES if script == DECLINE_THEN_APPROVE else 0
    next_id, at_ms = new_ids().next, now_ms()
    with control.transaction():
        if "leave" in posted:
            return sandbox.fail_sandbox_card(control, found.id, now_ms=at_ms, next_id=next_id)
        if found.state == "waiting":
            return sandbox.add_sandbox_card(
                *(control, found.id),
                script=script,
                declines=declines,
                last4=posted.get("last4", ""),
                now_ms=at_ms,
                next_id=next_id,
            )
        return sandbox.change_sandbox_card(control, found.id, script=script, declines=declines)


@in_the_sandbox
def charge(bench: Bench, charge_id: int) -> HttpResponse:
    """Where the cardholder confirms a payment; and what the bank can do to it later."""
    found, wrong = bench.charge(charge_id), None
    if bench.request.method == "POST":
        wrong = _charge_changed(bench, found)
        if wrong is None and found.state == "confirming":
            return redirect(path_of(found.return_url))
        if wrong is None:
            return redirect("sandbox")
    with bench.control.reading():
        disputes = sandbox.list_sandbox_disputes(bench.control, found.id)
    digits = {found.card_id: bench.card(found.card_id).last4}
    shown: Shown = {
        "charge": charge_shown(found, bench.wording, digits, bench.mine, disputes),
        "wrong": wrong,
    }
    return bench.page("charge", shown, 200 if wrong is None else wrong.kind.status)


def _charge_changed(bench: Bench, found: SandboxCharge) -> Refusal | None:
    control, posted = bench.control, bench.request.POST
    next_id, at_ms = new_ids().next, now_ms()
    with control.transaction():
        if "refund" in posted:
            try:
                amount_micros = parse_micros(posted["refund"])
            except ValueError as error:
                return Refusal("invalid_value", str(error))
            done: object = sandbox.refund_at_the_sandbox(
                *(control, found.id), amount_micros=amount_micros, now_ms=at_ms, next_id=next_id
            )
        elif "dispute" in posted:
            done = sandbox.open_sandbox_dispute(control, found.id, now_ms=at_ms, next_id=next_id)
        elif "won" in posted or "lost" in posted:
            done = _disputed(bench, found)
        else:
            confirmed = "confirm" in posted
            done = sandbox.confirm_sandbox_charge(
                *(control, found.id), confirmed=confirmed, now_ms=at_ms, next_id=next_id
            )
    return done if isinstance(done, Refusal) else None


def _disputed(bench: Bench, found: SandboxCharge) -> object:
    for dispute in sandbox.list_sandbox_disputes(bench.control, found.id):
        if dispute.state == "open":
            return sandbox.decide_sandbox_dispute(
                *(bench.control, dispute.id),
                won="won" in bench.request.POST,
                now_ms=now_ms(),
                next_id=new_ids().next,
            )
    return Refusal("sandbox_not_possible", "the charge has no open dispute")


def path_of(url: str) -> str:
    """Where somebody comes back to: a place of this console's, whatever host the address names.

    >>> path_of("https://other.example/organisations/7/credits/"), path_of("//other.example")
    ('/organisations/7/credits/', '/')
    """
    path = urlsplit(url).path
    return f"/{path.lstrip('/')}"

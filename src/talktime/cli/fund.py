"""`talktime fund`: an operator puts money into a wallet by hand."""

import getpass
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from talktime.cli.failures import Failure, no_wallet, reason_for, refused, unless_refused
from talktime.cli.installation import (
    catalogue_of,
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, amount, moment, panel, show
from talktime.clock import now_ms
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.documents import GIVEN
from talktime.core.figures import figures_of
from talktime.core.money import decimal_text, parse_micros
from talktime.core.outcomes import Funded
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import seller_of
from talktime.operations.eligibility import why_not_enter
from talktime.operations.four_eyes import approval_above, take
from talktime.operations.fund import ENTERED, fund
from talktime.operations.grants import Giver, Grant, give
from talktime.operations.money_documents import grant_document
from talktime.operations.till import NoWallet
from talktime.store.database import Connection
from talktime.store.four_eyes import Given
from talktime.store.grants import GrantRequest
from talktime.store.organisations import wallet_here
from talktime.store.wallet_shown import debt_of

Money = Annotated[
    str, typer.Argument(help="How much, in the wallet's currency: 250 or 99.50.", metavar="AMOUNT")
]
Reason = Annotated[str, typer.Option(help="Why; kept with the money.")]
Source = Annotated[str, typer.Option(help="purchase, grant or adjustment.")]
Actor = Annotated[str, typer.Option(help="Who does it. Default: the account of this shell.")]
IdempotencyKey = Annotated[
    str, typer.Option(help="The same key again funds nothing twice. Default: a new one.")
]
Expires = Annotated[
    str, typer.Option(metavar="TIME", help="When it expires. Default: as what is bought.")
]


def fund_command(
    organisation: Annotated[str, typer.Argument(help="Its name.", metavar="ORGANISATION")],
    money: Money,
    reason: Reason,
    source: Source = "purchase",
    actor: Actor = "",
    idempotency_key: IdempotencyKey = "",
    expires: Expires = "",
    priority: Annotated[int, typer.Option(help="Lower is spent first.")] = 0,
    promotional: Annotated[
        bool, typer.Option("--promotional", help="Given, not paid for.")
    ] = False,
    json: Json = False,
) -> None:
    """Put money into an organisation's wallet; debt is paid first.

    It expires 12 months later in the organisation's time zone, or after the months that the
    catalogue says (`lot_months`). A purchase of more than one person may enter in 24 hours waits
    until another has approved it.
    """
    try:
        micros = parse_micros(money)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="AMOUNT") from error
    key, who = idempotency_key or secrets.token_hex(16), actor or account()
    lasts_until_ms = moment_ms(expires) if expires else None
    grant = Grant(micros, reason, who, key, promotional, lasts_until_ms, source)
    owner, done = entered(organisation, grant, priority)
    if isinstance(done, GrantRequest):
        show(json, {**grant_document(done), "idempotency_key": key}, asked(done))
    else:
        show(json, document(owner, done, key), picture(owner, done, key))


def entered(name: str, grant: Grant, priority: int) -> tuple[Organisation, Funded | GrantRequest]:
    """Enter it, or a purchase that is too much for one person: ask for it."""
    settings, micros = installation(), grant.amount_micros
    with control_plane(settings) as control:
        owner, catalogue = organisation_of(control, name), catalogue_of(control)
        with cell(settings, owner.cell) as connection, repeatable(grant.idempotency_key):
            with connection.reading():
                if wallet_here(connection, owner.id) is None:
                    raise no_wallet(owner)
                debt_micros = debt_of(connection, owner.id)
            why_not = why_not_enter(catalogue, owner, grant.source, micros, debt_micros)
            counts = micros > 0 and grant.source in ENTERED and why_not is None
            alone = not counts or may_alone(control, catalogue, owner, grant)
            at, seller = now_ms(), seller_of(settings)
            if not alone:
                next_id = new_ids().next
                giver = Giver(
                    *(connection, owner, control, catalogue, at, next_id, seller), by_shell=True
                )
                done = give(giver, grant)
                if isinstance(done, Refusal):
                    raise refused(done)
                return owner, done
            funded = fund(
                *(connection, owner),
                **grant._asdict(),
                priority=priority,
                why_not=why_not,
                seller=seller,
                lot_months=figures_of(catalogue.settings).lot_months,
                now_ms=at,
                next_id=new_ids().next,
            )
            return owner, unless_refused(funded)


def may_alone(control: Connection, catalogue: Catalogue, owner: Organisation, grant: Grant) -> bool:
    """Count what is entered without approval; False for a purchase, Failure for what is given,
    where one person may not enter so much."""
    given = Given(
        *(new_ids().next(), grant.actor, owner.id, grant.idempotency_key, owner.currency),
        *(grant.amount_micros, now_ms()),
    )
    if take(control, catalogue, given, by_shell=True):
        return True
    if grant.source in GIVEN:
        limit = decimal_text(approval_above(catalogue, owner.currency))
        raise Failure(
            f"one person gives at most {limit} {owner.currency} in 24 hours: "
            "ask another to approve it with `talktime grant give`"
        )
    return False


def asked(request: GrantRequest) -> RenderableType:
    """A purchase that another operator decides, or has decided, for people."""
    facts = {"Id": request.id, "State": request.state, "Asked by": request.asked_by}
    facts |= {"Decided by": request.decided_by} if request.decided_by else {}
    facts |= {"Lot": request.lot_id} if request.lot_id else {}
    waits = request.state == "asked"
    waiting = "Another operator decides, with talktime grant approve or reject"
    return panel(waiting if waits else f"It was asked for before, and is {request.state}", facts)


@contextmanager
def repeatable(key: str, done: str = "it was funded", does: str = "funds") -> Iterator[None]:
    """Whatever fails within may have come after the commit: say how to ask again without harm.

    The connections are opened outside: where that fails, nothing was done.
    """
    try:
        yield
    except (Failure, NoWallet):
        raise
    except (Exception, KeyboardInterrupt) as error:
        again = (
            f"Whether {done} is not known: "
            f"repeat it with --idempotency-key {shlex.quote(key)}, which {does} once"
        )
        stopped = isinstance(error, KeyboardInterrupt)
        reason = "stopped." if stopped else reason_for(error)
        if reason is None:
            print(f"talktime: {again}", file=sys.stderr)
            raise
        raise Failure(f"{reason} {again}") from error


def picture(owner: Organisation, funded: Funded, key: str) -> RenderableType:
    """What was funded, for people."""
    lot = funded.lot
    facts = {
        "Lot": lot.id,
        "Source": lot.source,
        "Expires": moment(lot.expires_ms),
        "Reason": lot.reason,
        "By": lot.actor,
        "Available now": amount(funded.available_micros, owner.currency),
        "Idempotency key": key,
    }
    done = "had been funded with this key before" if funded.replayed else "funded"
    return panel(f"{owner.name}: {amount(lot.amount_micros, owner.currency)} {done}", facts)


def account() -> str:
    """Who runs this shell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise Failure("this shell has no account name: say who does it with --actor") from error


def document(owner: Organisation, funded: Funded, key: str) -> dict[str, Any]:
    """What was funded, for programs."""
    return {
        "organisation": owner.name,
        "organisation_id": str(owner.id),
        "lot_id": str(funded.lot.id),
        "source": funded.lot.source,
        "amount": decimal_text(funded.lot.amount_micros),
        "currency": owner.currency,
        "expires": moment(funded.lot.expires_ms),
        "available": decimal_text(funded.available_micros),
        "replayed": funded.replayed,
        "idempotency_key": key,
    }

"""What of the demo pays: a card of the sandbox's, and somebody who is told what happens.

Auto-recharge is left off: the console suggests values for it.
"""

from collections.abc import Callable

from talktime.core.directory import Organisation
from talktime.core.notices import ROLES
from talktime.core.payments import CARD, PaymentMethod
from talktime.core.sandbox import APPROVE, BRAND
from talktime.operations.payment_methods import add_method
from talktime.operations.provider_settings import SANDBOX, active_provider
from talktime.operations.recipients import add_recipient
from talktime.operations.sandbox import add_sandbox_card
from talktime.operations.sandbox_charges import CARD_REF, begin_sandbox_card
from talktime.store.database import Connection
from talktime.store.payments import methods_of
from talktime.store.recipients import recipients_of
from talktime.store.sandbox import SandboxCard

ADMIN_EMAIL = "admin@contoso.example"
LANGUAGE = "en"


def ensure_money(
    control: Connection,
    cell: Connection,
    organisation: Organisation,
    now_ms: int,
    next_id: Callable[[], int],
) -> None:
    """Give the demo a card, unless it has a payment method or pays another provider, and a
    recipient of its mail, unless it has any. In transactions of its own."""
    with cell.reading():
        methods = methods_of(cell, organisation.id)
        told = recipients_of(cell, [organisation.id])
    if not told:
        with cell.transaction():
            add_recipient(
                *(cell, organisation.id, ADMIN_EMAIL),
                roles=ROLES,
                language=LANGUAGE,
                time_zone=organisation.time_zone,
                now_ms=now_ms,
                next_id=next_id,
            )
    with control.transaction():
        if methods or active_provider(control) != SANDBOX:
            return
        card = _card(control, organisation, now_ms, next_id)
    with cell.transaction():
        add_method(cell, _method(organisation, card, now_ms, next_id))


def _card(
    control: Connection, organisation: Organisation, now_ms: int, next_id: Callable[[], int]
) -> SandboxCard:
    """The one that a start before has made, or a new one; the organisation's id stands for its
    set-up, which nobody began."""
    card = begin_sandbox_card(
        control,
        setup_id=organisation.id,
        organisation_id=organisation.id,
        customer_ref=f"sbx_customer_{organisation.id}",
        name=organisation.name,
        return_url="/",
        now_ms=now_ms,
        next_id=next_id,
    )
    if card.state == "waiting":
        add_sandbox_card(control, card.id, script=APPROVE, now_ms=now_ms, next_id=next_id)
    return card


def _method(
    organisation: Organisation, card: SandboxCard, now_ms: int, next_id: Callable[[], int]
) -> PaymentMethod:
    return PaymentMethod(
        *(next_id(), organisation.id, CARD, "active", 0, SANDBOX, card.customer_ref),
        *(f"{CARD_REF}{card.id}", BRAND, card.last4, card.exp_year, card.exp_month),
        *("", "", now_ms, "demo"),
    )

"""`.../payment-methods`: what an organisation pays with. A card is added by its holder, on a page
of the provider's; an agreement to pay invoices is added here."""

from typing import Literal

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import IdText, Moment, PathId, Sent, Shown, listing
from talktime.core.keys import BILLING, OPERATOR, READ
from talktime.core.limits import AGREEMENT_TEXT_MAX, PO_NUMBER_TEXT_MAX
from talktime.core.payments import PaymentMethod as Method
from talktime.core.refusal import Refusal
from talktime.operations.card_setups import find_card_setup, set_up_card
from talktime.operations.money_documents import Document, method_document, setup_document
from talktime.operations.payment_methods import (
    agree,
    declined_for_good,
    find_method,
    list_methods,
    make_first,
    remove_method,
)
from talktime.operations.provider_settings import active_provider

SEES = (READ, BILLING)
methods = Resource("Payment methods", "Cards, in the order in which they are tried; agreements.")


class DeclinedCharge(Shown):
    """The last charge of a card, which the bank declined for good: another will be, too."""

    at: Moment
    code: str
    detail: str


class PaymentMethod(Shown):
    """A card (of which only what may be shown), or an agreement to pay invoices."""

    method_id: IdText
    kind: str
    name: str
    created: Moment
    created_by: str
    brand: str | None = None
    last4: str | None = None
    expires: str | None = Field(None, description="The card's last month: 2030-04.")
    declined: DeclinedCharge | None = Field(
        None, description="Of a card whose last charge was declined for good; else null."
    )
    agreement: str | None = None
    po_number: str | None = None


class CardSetup(Shown):
    """A card being added: started, waiting (at `url`), done (`method_id`) or failed (`detail`)."""

    setup_id: IdText
    state: str
    url: str | None
    method_id: IdText | None
    detail: str
    created: Moment


class SentInvoice(Sent):
    """An agreement to pay invoices, as sent."""

    agreement: str = Field(min_length=1, max_length=AGREEMENT_TEXT_MAX)
    kind: Literal["invoice"] = "invoice"
    po_number: str = Field("", max_length=PO_NUMBER_TEXT_MAX)


class SentCard(Sent):
    """A card to be added: where its holder comes back to."""

    return_url: str = Field(examples=["https://portal.contoso.example/cards"])


METHOD_LIST = listing("payment_methods", PaymentMethod, paged=False)
UNKNOWN = ("unknown_payment_method",)


@methods.reads("/payment-methods", METHOD_LIST, by=SEES)
def get_methods(asked: Asked) -> Document:
    """The methods in the order in which they are tried."""
    found = list_methods(asked.cell, asked.owner)
    return _all(asked, found)


@methods.does(
    *("POST", "/payment-methods", PaymentMethod),
    by=(OPERATOR,),
    makes="cell",
    sent={"agreement": "EA-4711"},
)
def post_method(asked: Asked, sent: SentInvoice) -> Document | Refusal:
    """Let the organisation pay by invoice: the operator has the agreement."""
    made = agree(
        asked.cell,
        asked.owner,
        agreement=sent.agreement,
        po_number=sent.po_number,
        actor=asked.actor,
        now_ms=asked.now_ms,
        next_id=asked.next_id,
    )
    return made if isinstance(made, Refusal) else method_document(made)


@methods.does(
    *("POST", "/payment-methods/cards", CardSetup),
    by=(BILLING,),
    makes="cell",
    sent={"return_url": "https://portal.contoso.example/cards"},
)
def post_card(asked: Asked, sent: SentCard) -> Document | Refusal:
    """Begin to add a card.

    Its holder enters it on the page of the provider's that is there soon, never here.
    """
    with asked.control.reading():
        provider = active_provider(asked.control)
    begun = set_up_card(
        asked.counter, provider=provider, return_url=sent.return_url, actor=asked.actor
    )
    return begun if isinstance(begun, Refusal) else setup_document(begun)


@methods.reads("/payment-methods/cards/{int:setup_id}", CardSetup, by=SEES, refusals=UNKNOWN)
def get_card(asked: Asked, setup_id: PathId) -> Document | Refusal:
    """How adding a card stands: where its page is, later which method it became."""
    found = find_card_setup(asked.counter, setup_id)
    return found if isinstance(found, Refusal) else setup_document(found)


@methods.reads("/payment-methods/{int:method_id}", PaymentMethod, by=SEES, refusals=UNKNOWN)
def get_method(asked: Asked, method_id: PathId) -> Document | Refusal:
    """One method, a removed one too."""
    found = find_method(asked.counter, method_id)
    if isinstance(found, Refusal):
        return found
    return method_document(found, declined_for_good(asked.cell, asked.owner).get(found.id))


@methods.does(
    *("DELETE", "/payment-methods/{int:method_id}", PaymentMethod),
    by=(BILLING,),
    refusals=UNKNOWN,
)
def delete_method(asked: Asked, method_id: PathId) -> Document | Refusal:
    """Use a method no more."""
    removed = remove_method(asked.counter, method_id)
    return removed if isinstance(removed, Refusal) else method_document(removed)


@methods.does(
    *("POST", "/payment-methods/{int:method_id}/first", METHOD_LIST),
    by=(BILLING,),
    refusals=UNKNOWN,
)
def post_first_method(asked: Asked, method_id: PathId) -> Document | Refusal:
    """Try this method before all others."""
    found = make_first(asked.counter, method_id)
    return found if isinstance(found, Refusal) else _all(asked, found)


def _all(asked: Asked, found: list[Method]) -> Document:
    declined = declined_for_good(asked.cell, asked.owner)
    return {"payment_methods": [method_document(each, declined.get(each.id)) for each in found]}

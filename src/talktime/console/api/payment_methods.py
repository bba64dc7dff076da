"""`/api/v1/organisations/NAME/payment-methods`: what an organisation pays with. A card is added by
its holder, on a page of the provider's; an agreement to pay invoices is added here."""

from msgspec import Struct

from talktime.console.api.doors import Answer, Asked, door
from talktime.core.refusal import Refusal
from talktime.operations.card_setups import begin_card, find_card_setup
from talktime.operations.money_documents import method_document, setup_document
from talktime.operations.payment_methods import (
    add_invoice,
    find_method,
    list_methods,
    make_first,
    remove_method,
)
from talktime.operations.provider_settings import active_provider


class SentInvoice(Struct, forbid_unknown_fields=True, kw_only=True):
    """An agreement to pay invoices, as sent."""

    agreement: str
    kind: str = "invoice"
    po_number: str = ""


class SentCard(Struct, forbid_unknown_fields=True, kw_only=True):
    """A card to be added: where its holder comes back to."""

    return_url: str


def methods(asked: Asked) -> Answer | Refusal:
    """The methods in the order in which they are tried."""
    found = list_methods(asked.counter.cell, asked.counter.organisation)
    return {"payment_methods": [method_document(each) for each in found]}


def add(asked: Asked) -> Answer | Refusal:
    """Let the organisation pay by invoice."""
    sent = asked.body(SentInvoice)
    if isinstance(sent, Refusal):
        return sent
    if sent.kind != "invoice":
        detail = "kind must be invoice: a card is added by its holder, in the console"
        return Refusal("invalid_value", detail)
    counter = asked.counter
    made = add_invoice(
        counter.cell,
        counter.organisation,
        agreement=sent.agreement,
        po_number=sent.po_number,
        actor=asked.actor,
        now_ms=counter.now_ms,
        next_id=counter.next_id,
    )
    return made if isinstance(made, Refusal) else method_document(made)


def begin(asked: Asked) -> Answer | Refusal:
    """Begin to add a card: its holder enters it on the page that is there soon."""
    sent = asked.body(SentCard)
    if isinstance(sent, Refusal):
        return sent
    with asked.control.reading():
        provider = active_provider(asked.control)
    begun = begin_card(
        asked.counter, provider=provider, return_url=sent.return_url, actor=asked.actor
    )
    return begun if isinstance(begun, Refusal) else setup_document(begun)


def begun(asked: Asked, setup_id: int) -> Answer | Refusal:
    """How adding a card stands: where its page is, later which method it became."""
    found = find_card_setup(asked.counter, setup_id)
    return found if isinstance(found, Refusal) else setup_document(found)


def method(asked: Asked, method_id: int) -> Answer | Refusal:
    """One method, a removed one too."""
    found = find_method(asked.counter, method_id)
    return found if isinstance(found, Refusal) else method_document(found)


def remove(asked: Asked, method_id: int) -> Answer | Refusal:
    """Use a method no more."""
    removed = remove_method(asked.counter, method_id)
    return removed if isinstance(removed, Refusal) else method_document(removed)


def put_first(asked: Asked, method_id: int) -> Answer | Refusal:
    """Try this method before all others."""
    found = make_first(asked.counter, method_id)
    if isinstance(found, Refusal):
        return found
    return {"payment_methods": [method_document(each) for each in found]}


cards_door = door(POST=begin)
card_door = door(GET=begun)
methods_door = door(GET=methods, POST=add)
method_door = door(GET=method, DELETE=remove)
first_door = door(POST=put_first)

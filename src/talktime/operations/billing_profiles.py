"""To whom an organisation's documents are addressed: a legal name, an address, a tax id."""

from talktime.config import Settings
from talktime.core.directory import Organisation
from talktime.core.documents import Buyer, Seller
from talktime.core.limits import ADDRESS_TEXT_MAX, LEGAL_NAME_TEXT_MAX, TAX_ID_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_text, first
from talktime.store.database import Connection
from talktime.store.documents import billing_profile, put_billing_profile


def buyer_of(cell: Connection, organisation: Organisation) -> Buyer:
    """To whom documents are addressed now: the organisation's own name where nothing was set."""
    profile = billing_profile(cell, organisation.id)
    if profile is None:
        return Buyer(organisation.name, organisation.name)
    legal_name, address, tax_id = profile
    return Buyer(organisation.name, legal_name, address, tax_id)


def seller_of(settings: Settings) -> Seller:
    """Who issues documents now."""
    return Seller(*settings.seller)


def address_kept(text: str) -> str:
    r"""An address as it is kept: its lines without blanks around them, and no empty ones.

    >>> address_kept(" Harbour 1\r\n\r\nOslo ")
    'Harbour 1\nOslo'
    """
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def set_billing_profile(
    cell: Connection, organisation: Organisation, *, legal_name: str, address: str, tax_id: str
) -> Buyer | Refusal:
    """Say to whom documents are addressed from now on; those that were issued stay.

    The address may have several lines, and it and the tax id may be empty. The caller opens and
    commits the transaction. Refuses: invalid_value.
    """
    kept = address_kept(address)
    refusal = first(
        check_text("the legal name", legal_name, LEGAL_NAME_TEXT_MAX),
        *(
            check_text("each line of the address", line, ADDRESS_TEXT_MAX)
            for line in kept.splitlines()
        ),
        check_text("the tax id", tax_id, TAX_ID_TEXT_MAX) if tax_id else None,
    )
    if refusal is not None:
        return refusal
    if len(kept) > ADDRESS_TEXT_MAX:
        detail = f"the address must be at most {ADDRESS_TEXT_MAX} characters"
        return Refusal("invalid_value", detail)
    old, new = buyer_of(cell, organisation), Buyer(organisation.name, legal_name, kept, tax_id)
    put_billing_profile(cell, organisation.id, legal_name, kept, tax_id)
    before, after = old._asdict(), new._asdict()
    note(cell, organisation.id, "billing_profile.set", before=before, after=after, always=True)
    return new

"""Tell an organisation's owners by mail that a key was made which opens it."""

from talktime.core.keys import ApiKey
from talktime.operations.account_mail import MailSealed, write_mail
from talktime.operations.accounts import reader_of
from talktime.operations.audit import who_acts
from talktime.store.database import Connection
from talktime.store.organisations import organisation_of_id
from talktime.store.people import owners_of

KEY_CREATED, KEY_ROTATED = "key_created", "key_rotated"


def tell_owners(control: Connection, key: ApiKey, kind: str, mail: MailSealed) -> None:
    """Write to each owner that the key was made (KEY_CREATED) or put in another's place
    (KEY_ROTATED), and by whom, in the transaction in which it was.

    Nothing is written of a key that is no organisation's.
    """
    if key.organisation_id is None:
        return
    organisation = organisation_of_id(control, key.organisation_id)
    if organisation is None:
        raise LookupError(f"key {key.id} is of no organisation {key.organisation_id}")
    actor = who_acts()
    facts = {
        "organisation": organisation.name,
        "key": key.name,
        "by": actor.name if actor else "",
        "place": actor.place if actor else "",
        "link": f"{mail.address}/organisations/{organisation.id}/keys/",
    }
    for owner in owners_of(control, organisation.id):
        write_mail(control, owner.email, kind, {**facts, **reader_of(owner)}, mail)

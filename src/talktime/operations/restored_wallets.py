"""Make directory and cells belong together again after one was restored to a time before the other.

An organisation without a wallet gets an empty one; a wallet that nobody names is given its
organisation by `create_organisation`. Both are what `check_directory` finds.
"""

from talktime.core.directory import Organisation
from talktime.operations.audit import note
from talktime.operations.till import CLOSED
from talktime.store.database import Connection
from talktime.store.organisations import insert_missing_wallet


def make_missing_wallet(cell: Connection, organisation: Organisation) -> bool:
    """Give an organisation an empty wallet where its cell has none; the one that is there stays as
    it is. Whether there was none.

    The mark of a commerce model in which nothing is bought is made with it. What the cell knew
    beside the money (users, payment methods, recipients, settings) is not there either, and is to
    be made again. The caller opens and commits the cell's transaction. Raises Outage.
    """
    model = organisation.commerce_model
    no_buying = model if model in CLOSED else None
    made = insert_missing_wallet(cell, organisation.id, organisation.currency, no_buying)
    if made:
        after = {"currency": organisation.currency}
        note(cell, organisation.id, "wallet.made", organisation.name, after=after)
    return made

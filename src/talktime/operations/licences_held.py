"""Which licences an organisation's users have, and how many of each."""

from collections import Counter
from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.store.database import Connection
from talktime.store.users import licences_counted


class Held(NamedTuple):
    """A licence by code and name, and how many users were given it; included ones not counted."""

    code: str
    name: str
    users: int


def licences_held(cell: Connection, organisation: Organisation, catalogue: Catalogue) -> list[Held]:
    """The licences in use, the most given first; one that is not in the catalogue any more has its
    code for a name. The caller's transaction or `reading` is open."""
    counts: Counter[str] = Counter()
    for licences, users in licences_counted(cell, organisation.id):
        for code in licences:
            counts[code] += users
    held = []
    for code, users in counts.items():
        licence = catalogue.licences.get(code)
        held.append(Held(code, licence.name if licence else code, users))
    return sorted(held, key=lambda each: (-each.users, each.name))

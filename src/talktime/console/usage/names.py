"""The words of usage reports: columns, types of call, capabilities."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from talktime.core.calls import CALL_TYPES

TYPES: dict[str, Promise] = {
    "user_in": _("Inbound"),
    "user_out": _("Outbound"),
    "user_out_conf": _("Outbound, several parties"),
    "user_out_transfer": _("Transfer"),
    "user_out_forwarding": _("Forwarding"),
    "conf_in": _("Meeting dial-in"),
    "conf_out": _("Meeting dial-out"),
    "ucap_in": _("Attendant or queue, in"),
    "ucap_out": _("Attendant or queue, out"),
}
assert set(TYPES) == set(CALL_TYPES)

CAPABILITIES: dict[str, Promise] = {
    "MCOPSTNPP": _("Communications Credits"),
    "MCOPSTN1": _("Domestic calling plan"),
    "MCOPSTN2": _("International calling plan"),
    "MCOPSTN5": _("Domestic calling plan, 120 minutes"),
    "MCOPSTN6": _("Domestic calling plan, 240 minutes"),
    "MCOPSTN8": _("Domestic calling plan, not pooled"),
    "MCOPSTN9": _("International calling plan"),
    "MCOPSTNCAP": _("Common area phone"),
    "MCOMEETADD": _("Audio Conferencing"),
    "MCOMEETADD_DIALOUT_US": _("Extended dial-out"),
    "MCOMEETACPEA": _("Audio Conferencing, pay per minute"),
    "MCOEV": _("Voice applications"),
    "MCOEV_VIRTUALUSER": _("Voice applications"),
    "FREECALL": _("Free: it could not be priced"),
}
CONTEXTS: dict[str, Promise] = {"Domestic": _("Domestic"), "International": _("International")}


class Column(NamedTuple):
    """A column of the report. `first` says whether it is shown before somebody edits them."""

    key: str
    label: Promise
    first: bool = False


COLUMNS = (
    Column("started", _("Time stamp (UTC)"), True),
    Column("display_name", _("Display name"), True),
    Column("username", _("Username")),
    Column("phone_number", _("Phone number")),
    Column("type", _("Call type"), True),
    Column("called_to", _("Called to"), True),
    Column("to_country", _("To country or region"), True),
    Column("called_from", _("Called from")),
    Column("from_country", _("From country or region")),
    Column("charge", _("Charge"), True),
    Column("currency", _("Currency")),
    Column("duration", _("Duration"), True),
    Column("context", _("Domestic/International")),
    Column("call_id", _("Call ID")),
    Column("number_type", _("Number type")),
    Column("location", _("Country or region")),
    Column("conference_id", _("Conference ID")),
    Column("capability", _("Capability"), True),
)
"""In the order of the reference (5.1)."""


def type_name(type_: str) -> Promise | str:
    """A type of call in words."""
    return TYPES.get(type_, type_)


def capability_name(capability: str) -> Promise | str:
    """A capability in words; an unknown one as it is."""
    return CAPABILITIES.get(capability) or capability or _("No capability")


def in_words(code: str) -> str:
    """A code of the API as a label.

    >>> in_words("settled_by_deadline")
    'Settled by deadline'
    """
    return code.replace("_", " ").capitalize()

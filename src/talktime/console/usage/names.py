"""The words of usage reports: columns, types of call, capabilities; of a call's page: flags, and
why it ended."""

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
    "unassigned_in": _("Inbound, to an unassigned number"),
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
NUMBER_TYPES: dict[str, Promise] = {
    "Subscriber": _("Subscriber"),
    "TollService": _("Service number, toll"),
    "TollFreeService": _("Service number, toll-free"),
}
FLAGS: dict[str, Promise] = {
    "expired": _("Ended by its deadline"),
    "overdraft": _("The charge made a debt"),
    "late_report": _("Reported late"),
    "freecall": _("Free: it could not be priced"),
}
CAUSES: dict[str, Promise] = {
    # Of the service itself, of its shell, and of the configuration for Kamailio.
    "normal": _("Ended as usual"),
    "normal_clearing": _("Ended as usual"),
    "no_answer": _("Not answered"),
    "deadline_passed": _("Nobody reported in time"),
    "credit_ended": _("The credits were used up"),
    "grant_used_up": _("The time granted was used up"),
    "closed_by_service": _("Closed by the service"),
    # Acct-Terminate-Cause of RADIUS.
    "user_request": _("Hung up"),
    "lost_carrier": _("The line was lost"),
    "lost_service": _("The connection was lost"),
    "idle_timeout": _("Nothing was heard for too long"),
    "session_timeout": _("The time granted was used up"),
    "admin_reset": _("Ended by an administrator"),
    "admin_reboot": _("The switch was restarted by an administrator"),
    "port_error": _("A fault of the switch's port"),
    "nas_error": _("A fault of the switch"),
    "nas_request": _("Ended by the switch"),
    "nas_reboot": _("The switch restarted"),
    "port_unneeded": _("The switch's port was needed no more"),
    "port_preempted": _("The switch's port was needed for another call"),
    "port_suspended": _("The switch's port was suspended"),
    "service_unavailable": _("The service was not available"),
    "callback": _("Ended to be called back"),
    "user_error": _("A mistake by the user"),
    "host_request": _("Ended by the other side"),
    # Termination-Cause of Diameter.
    "termination_cause_2": _("The service was not available"),
    "termination_cause_3": _("The answer was not understood"),
    "termination_cause_4": _("Ended by an administrator"),
    "termination_cause_5": _("The connection was lost"),
    "termination_cause_6": _("The authorization had expired"),
    "termination_cause_7": _("The user moved to another switch"),
    "termination_cause_8": _("The time granted was used up"),
}
"""What switches and protocols say as a code; others are shown as they came."""
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


def number_type_name(type_: str) -> Promise | str:
    """The type of an organisation's own number in words."""
    return NUMBER_TYPES.get(type_, type_)


def flag_name(flag: str) -> Promise | str:
    """A flag of a record in words."""
    return FLAGS.get(flag, flag)

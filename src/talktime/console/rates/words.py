"""What features, payers and kinds of destination are called in the pages of plans and rates."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from talktime.core.rates import OUTBOUND, TOLL_FREE_IN, TOLL_IN

FEATURES: dict[str, Promise] = {
    "Be called": _("Be called"),
    "Call within the country": _("Call within the country"),
    "Call within the country, minutes used up": _("Call within the country, minutes used up"),
    "Call abroad": _("Call abroad"),
    "Call abroad, minutes used up": _("Call abroad, minutes used up"),
    "Let people dial in to meetings, toll": _("Let people dial in to meetings, toll"),
    "Let people dial in to meetings, toll-free": _("Let people dial in to meetings, toll-free"),
    "Dial out from meetings, to zone A": _("Dial out from meetings, to zone A"),
    "Dial out from meetings, to zone A, minutes used up": _(
        "Dial out from meetings, to zone A, minutes used up"
    ),
    "Dial out from meetings, beyond zone A": _("Dial out from meetings, beyond zone A"),
    "Dial out from meetings, to USA and Canada without end": _(
        "Dial out from meetings, to USA and Canada without end"
    ),
    "Reach an attendant or queue, toll": _("Reach an attendant or queue, toll"),
    "Reach an attendant or queue, toll-free": _("Reach an attendant or queue, toll-free"),
    "Let an attendant or queue call out": _("Let an attendant or queue call out"),
    "Let an attendant or queue call out, minutes used up": _(
        "Let an attendant or queue call out, minutes used up"
    ),
}
"""By the name of the licensing table's feature."""
PAYERS: dict[str, Promise] = {
    "free": _("It is free"),
    "pool": _("Included minutes"),
    "credits": _("Communications Credits"),
}
DIRECTIONS: dict[str, Promise] = {
    OUTBOUND: _("Calls out"),
    TOLL_FREE_IN: _("Calls in on toll-free numbers"),
    TOLL_IN: _("Calls in on toll numbers, meetings paid by the minute"),
}
KINDS: dict[str, Promise] = {
    "landline": _("Landline"),
    "mobile": _("Mobile"),
    "mixed": _("Landline and mobile"),
    "non-geographic": _("Non-geographic"),
    "special": _("Special"),
    "freephone": _("Freephone"),
}

"""Who may do what in the console and with keys of the management API: roles, and what each opens.

A member of an organisation has one of four roles there; somebody of the operator's has a staff
role, which opens every organisation to be read, and the operator's own pages.
"""

from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Permission = Literal["see", "billing", "voice", "notices", "team", "finance", "operate"]

SEE: Permission = "see"
"""Look at everything of the organisation."""
BILLING: Permission = "billing"
"""Spend its money: add funds, auto-recharge, payment methods, how it pays."""
VOICE: Permission = "voice"
"""Say who may call: users, licences, policies, limits."""
NOTICES: Permission = "notices"
"""Say who is told of what."""
TEAM: Permission = "team"
"""Say who may sign in, and which keys open the API."""
FINANCE: Permission = "finance"
"""Read the operator's accounts, over all organisations."""
OPERATE: Permission = "operate"
"""Look after all organisations: publish, grant, refund, block."""

MEMBER_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "owner": frozenset({SEE, BILLING, VOICE, NOTICES, TEAM}),
    "billing_admin": frozenset({SEE, BILLING, NOTICES}),
    "voice_admin": frozenset({SEE, VOICE, NOTICES}),
    "viewer": frozenset({SEE}),
}
STAFF_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "": frozenset(),
    "finance": frozenset({SEE, FINANCE}),
    "operator": frozenset({SEE, FINANCE, OPERATE}),
}
ROLE_NAMES: dict[str, Promise] = {
    "owner": _("Owner"),
    "billing_admin": _("Billing admin"),
    "voice_admin": _("Voice admin"),
    "viewer": _("Viewer"),
}
STAFF_NAMES: dict[str, Promise] = {
    "operator": _("Operator"),
    "finance": _("Operator's finance"),
}


MONEY_ROLES = tuple(role for role, may in MEMBER_PERMISSIONS.items() if BILLING in may)
"""The roles of members who spend an organisation's money."""


def permissions_of(member_role: str, staff_role: str) -> frozenset[Permission]:
    """All that somebody may do at an organisation; `member_role` is empty for no member.

    >>> sorted(permissions_of("viewer", "")), sorted(permissions_of("", "finance"))
    (['see'], ['finance', 'see'])
    >>> permissions_of("", "")
    frozenset()
    """
    return MEMBER_PERMISSIONS.get(member_role, frozenset()) | STAFF_PERMISSIONS[staff_role]

"""The kinds of refusals that are about people, and what a kind is made of (core/refusal.py)."""

from typing import NamedTuple


class RefusalKind(NamedTuple):
    """What is the same for every refusal of one code."""

    status: int
    title: str
    remedy: str
    who: str


SWITCH = "switch developer"
DEVELOPER = "developer"
ADMIN = "organisation admin"
BILLING = "billing admin"
OPERATOR = "operator"

PEOPLE: dict[str, RefusalKind] = {
    "unknown_account": RefusalKind(
        404,
        "Nobody signs in with this address",
        "List those who can sign in and use one's address, or make the account first.",
        OPERATOR,
    ),
    "unknown_member": RefusalKind(
        404, "Nobody of this team has this id", "List the team's members and use one's id.", ADMIN
    ),
    "unknown_invitation": RefusalKind(
        404,
        "The invitation is not open",
        "Ask an owner of the organisation to send another.",
        ADMIN,
    ),
    "another_account": RefusalKind(
        403,
        "The invitation is for somebody else",
        "Sign in with the address that the invitation was sent to.",
        ADMIN,
    ),
    "last_owner": RefusalKind(
        409,
        "The organisation's last owner stays",
        "Make somebody else an owner first.",
        ADMIN,
    ),
    "too_many_invitations": RefusalKind(
        429,
        "The organisation has sent as many invitations as it may in a day",
        "Wait until tomorrow, or ask the operator to add the person.",
        ADMIN,
    ),
}

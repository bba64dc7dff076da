"""An organisation, its users, and what they can be given, for tests."""

from talktime.core.catalogue import Catalogues
from talktime.core.directory import NumberEntry, Organisation, User
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.number_quotas import Allowance
from talktime.operations.user_changes import UserChange

NOW_MS = 1_795_428_000_000
CATALOGUE = Catalogues(seed_entries()).in_force(NOW_MS)

ODD_TEXT = 'Côte "d\'Or" \\ {東京}, null'
CONTOSO = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
FABRIKAM = CONTOSO._replace(id=8, name="Fabrikam")
PLENTY = Allowance(100, 100, True)

PAYS_AS_IT_GOES = frozenset({"MCOEV", "MCOPSTN_PAYG_1", "MCOPSTNC"})
"""What a user in the US, Canada or Great Britain needs for calls on credits."""
FRONT_DESK = User(
    *(2**62 + 1, 7, "front-desk@contoso.example", ODD_TEXT, "US"),
    *(PAYS_AS_IT_GOES, "person", True),
)
NUMBER = NumberEntry("14255550100", 7, FRONT_DESK.id, "user")


def change(name: str, licences: str = "", **said: object) -> UserChange:
    """The user of this name is to have these licences of their own (separated by spaces)."""
    return UserChange(name, licences=frozenset(licences.split()), **said)

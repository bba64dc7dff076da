"""How many numbers an organisation may have, by its licences (R88), and of which kind (R89).

Licences and money are in the organisation's cell, numbers in the control plane: what is allowed is
read first, and handed to whoever assigns a number.
"""

from typing import NamedTuple

from talktime.core.catalogue import (
    CONFERENCING,
    PAY_AS_YOU_GO,
    PHONE,
    PLAN,
    RESOURCE,
    USER_NUMBERS_MORE,
    USER_NUMBERS_PERCENT,
    Catalogue,
    NumberTier,
)
from talktime.core.directory import USER_NUMBER, Organisation
from talktime.store.database import Connection
from talktime.store.organisations import first_funded_ms
from talktime.store.users import licences_counted


class Allowance(NamedTuple):
    """The numbers that an organisation may have: users' numbers, toll and toll-free numbers each;
    toll-free ones once it was `funded`."""

    user: int
    service: int
    funded: bool

    def of(self, kind: str) -> int:
        """How many numbers of this kind."""
        return self.user if kind == USER_NUMBER else self.service


class LicencesHeld(NamedTuple):
    """What of the users' licences counts: calling plans with minutes, pay-as-you-go plans, and
    those of Teams Phone and Audio Conferencing."""

    plans: int
    pay_as_you_go: int
    services: int


def read_allowance(cell: Connection, organisation: Organisation, catalogue: Catalogue) -> Allowance:
    """What the organisation may have now, by the licences its users have, those switched off too.

    The caller opens the cell's transaction.
    """
    held = read_held(cell, organisation, catalogue)
    funded = first_funded_ms(cell, organisation.id) is not None
    return allowance_for(held, catalogue, funded)


def read_held(cell: Connection, organisation: Organisation, catalogue: Catalogue) -> LicencesHeld:
    """What of the users' licences counts now. The caller opens the cell's transaction."""
    return licences_held(licences_counted(cell, organisation.id), catalogue)


def next_tier(held: LicencesHeld, catalogue: Catalogue) -> NumberTier | None:
    """The tier with which there may be more service numbers, None from the last one on.

    >>> catalogue = Catalogue([NumberTier(1, 5), NumberTier(26, 10)])
    >>> next_tier(LicencesHeld(0, 0, 25), catalogue)
    NumberTier(licences=26, service_numbers=10)
    >>> next_tier(LicencesHeld(0, 0, 26), catalogue) is None
    True
    """
    return next((tier for tier in catalogue.number_tiers if tier.licences > held.services), None)


def licences_held(counted: list[tuple[frozenset[str], int]], catalogue: Catalogue) -> LicencesHeld:
    """Add up licences, those in bundles each for itself; a resource account's own is free and
    counts for nothing."""
    plans = pay_as_you_go = services = 0
    for codes, count in counted:
        for code in catalogue.expanded(codes):
            features = catalogue.licences[code].features
            if PAY_AS_YOU_GO in features:
                pay_as_you_go += count
            elif PLAN in features:
                plans += count
            if features & {PHONE, CONFERENCING} and RESOURCE not in features:
                services += count
    return LicencesHeld(plans, pay_as_you_go, services)


def allowance_for(held: LicencesHeld, catalogue: Catalogue, funded: bool) -> Allowance:
    """The numbers that licences allow, by the catalogue's percentage, addition and tiers.

    >>> from talktime.core.catalogue import Setting
    >>> settings = Setting("user_numbers_percent", "110"), Setting("user_numbers_more", "10")
    >>> catalogue = Catalogue([*settings, NumberTier(1, 5), NumberTier(26, 10)])
    >>> allowance_for(LicencesHeld(30, 20, 25), catalogue, True)
    Allowance(user=63, service=5, funded=True)
    """
    percent = int(catalogue.settings.get(USER_NUMBERS_PERCENT, "100"))
    more = int(catalogue.settings.get(USER_NUMBERS_MORE, "0"))
    tiers = [tier for tier in catalogue.number_tiers if tier.licences <= held.services]
    return Allowance(
        held.plans * percent // 100 + more + held.pay_as_you_go,
        tiers[-1].service_numbers if tiers else 0,
        funded,
    )

"""What a set of licences lets a user do: features, the calling plan, the conferencing licence.

A licence counts only where the others meet what it requires (R31): a plan without a phone licence,
or Communications Credits alone, let nobody do anything.
"""

from functools import lru_cache
from typing import NamedTuple

from talktime.core.catalogue import (
    CONFERENCING,
    PAY_AS_YOU_GO,
    PER_MINUTE,
    PLAN,
    Catalogue,
    Licence,
)
from talktime.core.limits import ENTITLEMENTS_CACHED_MAX


class Entitlements(NamedTuple):
    """`codes` are the licences that count, bundles taken apart. `plan` is the calling plan, one
    with minutes before one without; `conferencing` the licence that meetings are held by, a
    subscription before one that pays per minute."""

    codes: frozenset[str]
    features: frozenset[str]
    plan: Licence | None
    conferencing: Licence | None

    @property
    def per_minute(self) -> bool:
        """Whether each leg of the user's meetings is paid for (R35)."""
        return self.conferencing is not None and PER_MINUTE in self.conferencing.features


@lru_cache(ENTITLEMENTS_CACHED_MAX)
def entitlements(catalogue: Catalogue, licences: frozenset[str]) -> Entitlements:
    """What these licences come to.

    >>> phone = Licence("PHONE", "", frozenset({"phone"}))
    >>> plan = Licence("PLAN", "", frozenset({"plan"}), requires=(frozenset({"phone"}),))
    >>> catalogue = Catalogue([phone, plan])
    >>> sorted(entitlements(catalogue, frozenset({"PLAN"})).features)
    []
    >>> entitlements(catalogue, frozenset({"PLAN", "PHONE"})).plan.code
    'PLAN'
    """
    left = [catalogue.licences[code] for code in sorted(catalogue.expanded(licences))]
    counted: list[Licence] = []
    features: frozenset[str] = frozenset()
    while True:
        found = [
            one for one in left if not one.requires or any(r <= features for r in one.requires)
        ]
        if not found:
            break
        counted += found
        left = [one for one in left if one not in found]
        features = features.union(*(one.features for one in found))
    plans = [one for one in counted if PLAN in one.features]
    plans.sort(key=lambda one: (PAY_AS_YOU_GO in one.features, one.code))
    meetings = [one for one in counted if CONFERENCING in one.features]
    meetings.sort(key=lambda one: (PER_MINUTE in one.features, not one.minutes, one.code))
    return Entitlements(
        frozenset(one.code for one in counted),
        features,
        plans[0] if plans else None,
        meetings[0] if meetings else None,
    )

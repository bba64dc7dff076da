"""Which licences a user may be given, and why not: pure rules over the catalogue."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from talktime.core.catalogue import (
    ANYWHERE,
    CONFERENCING,
    CREDITS,
    EXTENDED_DIAL_OUT,
    PAY_AS_YOU_GO,
    PER_MINUTE,
    PHONE,
    PLAN,
    RESOURCE,
    Catalogue,
    Licence,
)
from talktime.core.directory import PERSON, User
from talktime.core.refusal import Refusal

FEATURE_WORDS = {
    PHONE: "Teams Phone",
    PLAN: "a calling plan",
    PAY_AS_YOU_GO: "a pay-as-you-go plan",
    CONFERENCING: "Audio Conferencing",
    PER_MINUTE: "Audio Conferencing pay per minute",
    EXTENDED_DIAL_OUT: "extended dial-out",
    CREDITS: "Communications Credits",
    RESOURCE: "a resource account licence",
}
"""Features as people call them."""


class Holder(NamedTuple):
    """A user, and where the licences come from: given to the user (`own_licences`), or to the
    `groups` (names) the user is in. `user.licences` are all of them."""

    user: User
    own_licences: frozenset[str]
    groups: frozenset[str] = frozenset()


class LicenceGroup(NamedTuple):
    """Licences that all members of a group have."""

    id: int
    organisation_id: int
    name: str
    licences: frozenset[str]


def licences_possible(
    catalogue: Catalogue, codes: frozenset[str], kind: str, usage_location: str
) -> Refusal | None:
    """Whether a user of this kind, at this place, can have these licences together.

    Refuses: invalid_value for an unknown licence; licence_not_possible for one that is not for
    this kind of user, whose zone or countries do not cover the place (R49), a second calling plan
    (bundles counted), or what needs other licences that are not there (R31).

    >>> catalogue = Catalogue([Licence("MCOEV", "Teams Phone Standard", frozenset({PHONE}))])
    >>> licences_possible(catalogue, frozenset({"MCOEV"}), "person", "US") is None
    True
    >>> licences_possible(catalogue, frozenset({"E9"}), "person", "US").detail
    "'E9' is no licence; known are MCOEV"
    """
    unknown = unknown_licence(catalogue, codes)
    if unknown is not None:
        return unknown
    held = [catalogue.licences[code] for code in sorted(catalogue.expanded(codes))]
    problem = (
        next(_of_another_kind(held, kind), None)
        or next(_of_another_place(catalogue, held, kind, usage_location), None)
        or _second_plan(catalogue, codes)
        or next(_without_what_it_needs(catalogue, held, kind, usage_location), None)
    )
    return Refusal("licence_not_possible", problem) if problem else None


def unknown_licence(catalogue: Catalogue, codes: frozenset[str]) -> Refusal | None:
    """Whether the catalogue has all of these licences. Refuses: invalid_value."""
    unknown = sorted(codes - catalogue.licences.keys())
    if not unknown:
        return None
    known = ", ".join(sorted(catalogue.licences))
    return Refusal("invalid_value", f"{unknown[0][:40]!r} is no licence; known are {known}")


def covers(catalogue: Catalogue, licence: Licence, usage_location: str) -> bool:
    """Whether a licence is for users at this place (R49).

    >>> covers(Catalogue(), Licence("P", "", zones=frozenset({"2"})), "NO")
    False
    """
    if licence.zones:
        return catalogue.country(usage_location).payg_zone in licence.zones
    if licence.minutes and ANYWHERE not in licence.minutes:
        return usage_location in licence.minutes
    return True


def _of_another_kind(held: list[Licence], kind: str) -> Iterator[str]:
    for licence in held:
        if kind not in licence.kinds:
            whom = "people" if PERSON in licence.kinds else "resource accounts"
            yield f"{_named(licence)} is for {whom} alone; take it away"


def _of_another_place(
    catalogue: Catalogue, held: list[Licence], kind: str, usage_location: str
) -> Iterator[str]:
    for licence in held:
        if covers(catalogue, licence, usage_location):
            continue
        alike = [
            other.code
            for other in _that_can_be_given(catalogue, kind, usage_location)
            if other.features == licence.features
        ]
        instead = f"take {_one_of(alike)} instead" if alike else "take it away"
        yield f"{_named(licence)} is not for users in {usage_location}; {instead}"


def _second_plan(catalogue: Catalogue, codes: frozenset[str]) -> str | None:
    plans = [
        plan if plan == code else f"{plan} (with {code})"
        for code in sorted(codes)
        for plan in sorted(catalogue.expanded([code]))
        if PLAN in catalogue.licences[plan].features
    ]
    if len(plans) < 2:
        return None
    return f"{' and '.join(plans)} are calling plans, and a user has one; take one away"


def _without_what_it_needs(
    catalogue: Catalogue, held: list[Licence], kind: str, usage_location: str
) -> Iterator[str]:
    for licence in held:
        there = {feature for other in held if other is not licence for feature in other.features}
        if not licence.requires or any(needed <= there for needed in licence.requires):
            continue
        needs = ", or ".join(_together(needed) for needed in licence.requires)
        missing = sorted({each for needed in licence.requires for each in needed - there})
        givers = list(_that_can_be_given(catalogue, kind, usage_location))
        come_with = "; ".join(
            f"{FEATURE_WORDS[feature]} comes with "
            + _one_of(each.code for each in givers if feature in _all_features(catalogue, each))
            for feature in missing
        )
        yield f"{_named(licence)} needs {needs}; {come_with}; give them together"


def _that_can_be_given(catalogue: Catalogue, kind: str, usage_location: str) -> Iterator[Licence]:
    for _, licence in sorted(catalogue.licences.items()):
        inner = [catalogue.licences[code] for code in catalogue.expanded([licence.code])]
        if all(kind in each.kinds and covers(catalogue, each, usage_location) for each in inner):
            yield licence


def _all_features(catalogue: Catalogue, licence: Licence) -> frozenset[str]:
    inner = catalogue.expanded([licence.code])
    return frozenset().union(*(catalogue.licences[code].features for code in inner))


def _named(licence: Licence) -> str:
    return f"{licence.code} ({licence.name})"


def _together(features: Iterable[str]) -> str:
    return " and ".join(sorted(FEATURE_WORDS[feature] for feature in features))


def _one_of(codes: Iterable[str]) -> str:
    return " or ".join(codes) or "no licence that this user can have"

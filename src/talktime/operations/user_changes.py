"""What becomes of one user by a change, and whether the rules allow it. No database."""

from collections.abc import Iterable
from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.catalogue import Catalogue
from talktime.core.directory import PERSON, USER_KINDS, Organisation, User
from talktime.core.licensing import Holder, LicenceGroup, licences_possible
from talktime.core.limits import (
    NAME_TEXT_MAX,
    REASON_TEXT_MAX,
    USER_LICENCES_TEXT_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.input_checks import (
    check_country,
    check_limit,
    check_one_of,
    check_policy,
    check_text,
    check_word,
    first,
)

NO_LIMIT = -1
"""As a new spend limit: none of their own from now on."""
NOTHING: frozenset[str] = frozenset()


class UserChange(NamedTuple):
    """What is to be of the user `name`; what is None stays, or is the default of a new user.

    `licences` and `groups` are the whole set of the user's own; `add`, `remove`, `join` and
    `leave` change it. The default of a new user: in the organisation's country, a person, active.
    `reason` is why the user is blocked or may call again; it is kept with that alone.
    """

    name: str
    display_name: str | None = None
    usage_location: str | None = None
    licences: frozenset[str] | None = None
    add: frozenset[str] = NOTHING
    remove: frozenset[str] = NOTHING
    groups: frozenset[str] | None = None
    join: frozenset[str] = NOTHING
    leave: frozenset[str] = NOTHING
    policy: str | None = None
    spend_limit_micros: int | None = None
    toll_free_dial_in: bool | None = None
    kind: str | None = None
    active: bool | None = None
    reason: str = ""


def user_facts(holder: Holder) -> Facts:
    """A user as the audit log keeps it."""
    user = holder.user
    return {
        "display_name": user.display_name,
        "usage_location": user.usage_location,
        "licences": sorted(holder.own_licences),
        "groups": sorted(holder.groups),
        "policy": user.policy,
        "spend_limit_micros": user.spend_limit_micros,
        "toll_free_dial_in": user.toll_free_dial_in,
        "kind": user.kind,
        "active": user.active,
    }


class UserRules:
    """What the users of an organisation are held against: the catalogue in force, the groups."""

    def __init__(
        self, organisation: Organisation, catalogue: Catalogue, groups: Iterable[LicenceGroup]
    ) -> None:
        self._organisation = organisation
        self._catalogue = catalogue
        self._groups = {group.name: group.licences for group in groups}
        self._decided: dict[tuple[frozenset[str], str, str], Refusal | None] = {}

    def made(self, change: UserChange, user_id: int) -> Holder | Refusal:
        """The new user that a change describes. Refuses as `changed` does."""
        name, country = change.name.lower(), self._organisation.country
        kind = PERSON if change.kind is None else change.kind
        refusal = first(
            check_word("the user's name", name, USER_NAME_TEXT_MAX),
            check_one_of("the kind", kind, USER_KINDS),
        )
        if refusal is not None:
            return refusal
        user = User(
            *(user_id, self._organisation.id, name, name, country, NOTHING, kind, True),
        )
        return self.changed(Holder(user, NOTHING), change)

    def changed(self, old: Holder, change: UserChange) -> Holder | Refusal:
        """The user as a change makes it; the licences are checked when these, the groups or the
        place have changed.

        Refuses: invalid_value; unknown_group; licence_not_possible.
        """
        groups = old.groups if change.groups is None else change.groups
        own = old.own_licences if change.licences is None else change.licences
        groups = (groups | change.join) - change.leave
        own = (own | change.add) - change.remove
        user = _with(old.user, change)
        refusal = (
            self._malformed(old.user, user)
            or self._unknown_group(groups - old.groups)
            or self._another_kind(old.user, change)
            or self._removed_in_vain(old, change)
            or _reason_malformed(change.reason)
        )
        return refusal or self._licensed(old.user, Holder(user, own, groups))

    def with_groups(self, holder: Holder) -> Holder | Refusal:
        """A user whose groups have changed: those that are gone are left, the licences of the
        others are the user's. Refuses: licence_not_possible, naming the user."""
        left = frozenset(name for name in holder.groups if name in self._groups)
        found = self._licensed(holder.user, holder._replace(groups=left))
        if isinstance(found, Refusal):
            return found._replace(detail=f"{holder.user.name}: {found.detail}")
        return found

    def _licensed(self, old: User, new: Holder) -> Holder | Refusal:
        by_group = (self._groups.get(name, NOTHING) for name in new.groups)
        licences = new.own_licences.union(*by_group)
        place = new.user.usage_location
        if (licences, place) != (old.licences, old.usage_location):
            refusal = self._possible(licences, new.user.kind, place)
            if refusal is not None:
                return refusal
        return new._replace(user=new.user._replace(licences=licences))

    def _possible(self, licences: frozenset[str], kind: str, place: str) -> Refusal | None:
        if sum(len(code) + 3 for code in licences) > USER_LICENCES_TEXT_MAX:  # quotes and comma
            detail = f"the licences of one user take {USER_LICENCES_TEXT_MAX:,} characters at most"
            return Refusal("invalid_value", detail)
        key = (licences, kind, place)
        if key not in self._decided:
            self._decided[key] = licences_possible(self._catalogue, licences, kind, place)
        return self._decided[key]

    def _malformed(self, old: User, user: User) -> Refusal | None:
        return first(
            check_text("the display name", user.display_name, NAME_TEXT_MAX),
            check_country("the usage location", user.usage_location),
            check_limit("the spend limit", user.spend_limit_micros),
            None if user.policy == old.policy else check_policy(self._catalogue, user.policy),
        )

    def _unknown_group(self, groups: frozenset[str]) -> Refusal | None:
        unknown = sorted(groups - self._groups.keys())
        if not unknown:
            return None
        detail = f"{self._organisation.name} has no group named {unknown[0][:40]!r}"
        return Refusal("unknown_group", detail)

    def _another_kind(self, user: User, change: UserChange) -> Refusal | None:
        if change.kind in (None, user.kind):
            return None
        detail = f"{user.name} is a {user.kind} and stays one; make a new user"
        return Refusal("invalid_value", detail)

    def _removed_in_vain(self, old: Holder, change: UserChange) -> Refusal | None:
        for code in sorted(change.remove - old.own_licences):
            for group in sorted(old.groups - change.leave):
                if code in self._groups.get(group, NOTHING):
                    detail = f"{code} comes with the group {group}; take the user out of it"
                    return Refusal("invalid_value", detail)
        return None


def _reason_malformed(reason: str) -> Refusal | None:
    return check_text("the reason", reason, REASON_TEXT_MAX) if reason else None


def _with(user: User, change: UserChange) -> User:
    new_limit = change.spend_limit_micros
    limit = user.spend_limit_micros if new_limit is None else new_limit
    dial_in = change.toll_free_dial_in
    return user._replace(
        display_name=user.display_name if change.display_name is None else change.display_name,
        usage_location=(
            user.usage_location if change.usage_location is None else change.usage_location
        ),
        active=user.active if change.active is None else change.active,
        policy=user.policy if change.policy is None else change.policy,
        spend_limit_micros=None if limit == NO_LIMIT else limit,
        toll_free_dial_in=user.toll_free_dial_in if dial_in is None else dial_in,
    )

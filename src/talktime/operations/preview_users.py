"""What a change of many users would come to: who changes, who cannot and why, and what becomes of
the pools. Nothing is written; `put_users` then does it, for all of them or for none."""

from collections.abc import Sequence
from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.licensing import Holder
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.find_users import sets_held
from talktime.operations.pool_sizes import PoolSize, after_moves, pool_sizes
from talktime.operations.user_changes import UserChange, UserRules
from talktime.store.database import Connection
from talktime.store.licence_groups import groups_by_name
from talktime.store.user_search import HeldSet
from talktime.store.users import holders_named


class PoolChange(NamedTuple):
    """A pool before and after; None where it is not there."""

    before: PoolSize | None
    after: PoolSize | None


class Preview(NamedTuple):
    """What would come of a change: (before, after) of each user that changes, those that cannot
    with the reason, how many stay as they are, and the pools whose size changes."""

    changed: list[tuple[Holder, Holder]]
    refused: list[tuple[Holder, Refusal]]
    unchanged: int
    pools: list[PoolChange]


def preview_users(
    cell: Connection,
    organisation: Organisation,
    changes: Sequence[UserChange],
    *,
    catalogue: Catalogue,
    now_ms: int,
) -> Preview:
    """See what changes of users (named by sign-in name) would come to; who is not there any more
    is left out. The caller's `reading` is open on the cell."""
    rules = UserRules(organisation, catalogue, groups_by_name(cell, organisation.id))
    wanted = {change.name: change for change in changes}
    changed: list[tuple[Holder, Holder]] = []
    refused: list[tuple[Holder, Refusal]] = []
    unchanged = 0
    for old in _holders(cell, organisation, sorted(wanted)):
        new = rules.changed(old, wanted[old.user.name])
        if isinstance(new, Refusal):
            refused.append((old, new))
        elif new == old:
            unchanged += 1
        else:
            changed.append((old, new))
    pools = _pools_changed(cell, organisation, catalogue, changed, now_ms)
    return Preview(changed, refused, unchanged, pools)


def _holders(cell: Connection, organisation: Organisation, names: list[str]) -> list[Holder]:
    found: list[Holder] = []
    for start in range(0, len(names), PAGE_ROWS_MAX):
        found += holders_named(cell, organisation.id, names[start : start + PAGE_ROWS_MAX])
    return sorted(found, key=lambda holder: holder.user.name)


def _pools_changed(
    cell: Connection,
    organisation: Organisation,
    catalogue: Catalogue,
    changed: list[tuple[Holder, Holder]],
    now_ms: int,
) -> list[PoolChange]:
    moves = [(_set_of(old), _set_of(new)) for old, new in changed]
    if all(old == new for old, new in moves):
        return []
    held = sets_held(cell, organisation)
    before = {x.key: x for x in pool_sizes(organisation, catalogue, held, now_ms)}
    moved = after_moves(held, moves)
    after = {x.key: x for x in pool_sizes(organisation, catalogue, moved, now_ms)}
    keys = sorted({*before, *after})
    pairs = [PoolChange(before.get(key), after.get(key)) for key in keys]
    return [pair for pair in pairs if pair.before != pair.after]


def _set_of(holder: Holder) -> HeldSet:
    user = holder.user
    return HeldSet(user.usage_location, user.kind, user.active, user.licences, 1)

"""Who changed what: the words of an audit entry."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

ActorKind = Literal["account", "key", "shell", "service"]
Value = str | int | bool | None | list[str]
Facts = Mapping[str, Value]
"""What of a thing matters, by name: plain values, amounts in micros, no secrets."""


class Actor(NamedTuple):
    """Who does something: an account of the console (by e-mail address), an API key (by name), the
    shell (by the machine's user), the service by itself; and from where."""

    kind: ActorKind
    name: str
    place: str = ""


SERVICE = Actor("service", "talktime")


class Change(NamedTuple):
    """One change as it is kept. `action` says which (`recharge.set`), `subject` of what; `before`
    and `after` hold what differs; both empty where something only happened."""

    id: int
    organisation_id: int | None
    actor: Actor
    action: str
    subject: str
    before: Facts
    after: Facts
    at_ms: int


def differing(before: Facts, after: Facts) -> tuple[dict[str, Value], dict[str, Value]]:
    """What of two states differs, each side's value.

    >>> differing({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    ({'b': 2}, {'b': 3, 'c': 4})
    """
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )

"""Whose call it is: remembered from its authorize, for the requests that follow."""

from collections.abc import Sequence

from talktime.core.commands import Authorize, CallCommand

CallKey = tuple[int, str]
"""(switch id, the switch's call_id)."""


class Owners:
    """The organisation of each call asked for lately; bounded, the oldest half is forgotten.

    It only saves a look-up: what it says is checked against the books, and never overwritten.

    >>> owners = Owners(at_most=2)
    >>> for key in ("a", "b", "c"):
    ...     _ = owners.remember((1, key), 7)
    >>> owners.get((1, "a")), owners.get((1, "b")), owners.get((1, "c"))
    (None, 7, 7)
    >>> owners.remember((1, "c"), 8)
    7
    >>> owners.correct((1, "c"), 8), owners.get((1, "c"))
    (None, 8)
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, at_most: int) -> None:
        self._half = max(1, at_most // 2)
        self._young: dict[CallKey, int] = {}
        self._old: dict[CallKey, int] = {}

    def get(self, key: CallKey) -> int | None:
        """The call's organisation id; None where it is not remembered."""
        found = self._young.get(key)
        return self._old.get(key) if found is None else found

    def remember(self, key: CallKey, organisation_id: int) -> int:
        """Remember a call's organisation, unless one is remembered; returns the one that is."""
        found = self.get(key)
        if found is not None:
            return found
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = organisation_id
        return organisation_id

    def forget(self, key: CallKey) -> None:
        """What was remembered was wrong."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def correct(self, key: CallKey, organisation_id: int) -> None:
        """Whose it is was seen in the books."""
        self.forget(key)
        self.remember(key, organisation_id)


def key_of(command: CallCommand) -> CallKey:
    """The call that a command is about."""
    return command.switch_id, command.call_key


def second_of_a_call(commands: Sequence[CallCommand]) -> int:
    """The place of the first authorize of a call that one before it begins for another
    organisation, perhaps in another cell: that one is to be executed first. 0 where there is none.
    """
    begun: set[CallKey] = set()
    for place, command in enumerate(commands):
        if type(command) is Authorize:
            if command.perhaps_of is None:
                begun.add(key_of(command))
            elif key_of(command) in begun:
                return place
    return 0

"""What goes to a writer's process, and what comes back."""

from collections.abc import Sequence

import msgspec

from talktime.core.commands import Answer, Authorize, CallCommand, Extend, Refund, Settle
from talktime.engine.reply import Reply


class Batch(msgspec.Struct, array_like=True):
    """What goes there: the commands by their kind, and in `order` the kind of each."""

    now_ms: int
    order: list[int] = []
    authorizes: list[Authorize] = []
    answers: list[Answer] = []
    extends: list[Extend] = []
    settles: list[Settle] = []
    refunds: list[Refund] = []

    @classmethod
    def of(cls, commands: Sequence[CallCommand], now_ms: int) -> "Batch":
        """These commands."""
        batch = cls(now_ms)
        lists = batch._lists()
        for command in commands:
            kind = KINDS[type(command)]
            batch.order.append(kind)
            lists[kind].append(command)
        return batch

    def commands(self) -> list[CallCommand]:
        """The commands, in their order."""
        each = [iter(commands) for commands in self._lists()]
        return [next(each[kind]) for kind in self.order]

    def _lists(self) -> tuple[list[CallCommand], ...]:
        return (self.authorizes, self.answers, self.extends, self.settles, self.refunds)  # type: ignore[return-value]


KINDS = {kind: number for number, kind in enumerate((Authorize, Answer, Extend, Settle, Refund))}


class Ran(msgspec.Struct, array_like=True):
    """What comes back: a reply for each command; why the database is away, or ''; whose calls those
    are whose commands did not say it. No replies: what came could not be read."""

    replies: list[Reply]
    away: str = ""
    owners: list[int | None] = []


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_ran = msgspec.msgpack.Decoder(Ran).decode


def lost_in(commands: Sequence[CallCommand]) -> list[CallCommand]:
    """Those that do not say whose call it is: the cell does."""
    return [command for command in commands if command.organisation_id is None]

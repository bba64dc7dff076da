"""What goes to a writer's process, and what comes back: messages on a socket, each after its length
in four bytes."""

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
    """What comes back of one batch: a reply for each command, of one message or several in turn;
    why the database is away, or ''; whose calls those are whose commands did not say it. No
    replies: the next message could not be read."""

    replies: list[Reply]
    away: str = ""
    owners: list[int | None] = []


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_ran = msgspec.msgpack.Decoder(Ran).decode


LENGTH_BYTES = 4
READ_BYTES = 262_144  # at once; as much as a socket has, as a rule


def framed(content: bytes) -> bytes:
    """A message as it is sent."""
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


class Frames:
    """Cuts what is received into the messages that were sent."""

    def __init__(self) -> None:
        self._rest = b""

    def cut(self, received: bytes) -> list[bytes]:
        """The messages that are whole now."""
        data, at = self._rest + received if self._rest else received, 0
        found = []
        while len(data) - at >= LENGTH_BYTES:
            begin = at + LENGTH_BYTES
            end = begin + int.from_bytes(data[at:begin], "big")
            if len(data) < end:
                break
            found.append(data[begin:end])
            at = end
        self._rest = data[at:]
        return found


def lost_in(commands: Sequence[CallCommand]) -> list[CallCommand]:
    """Those that do not say whose call it is: the cell does."""
    return [command for command in commands if command.organisation_id is None]

"""What a gateway is told of one request on a call: the answer, and what kind of answer it is."""

from collections.abc import Iterable, Iterator

import msgspec

from talktime.core.commands import CallCommand
from talktime.core.outcomes import NothingToSettle, Refused, Replayed
from talktime.core.refusal import Refusal
from talktime.operations.execute import Done
from talktime.operations.render import problem

DECIDED, REPLAYED, NEVER_AUTHORIZED = "", "replayed", "never_authorized"


class Reply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The HTTP status and the JSON body of an answer (charging-api).

    `kind` is DECIDED; REPLAYED where the answer was given before; NEVER_AUTHORIZED where a call
    was settled that nobody knows; or the code of a refusal that was made now.
    """

    status: int
    body: str
    kind: str = DECIDED

    @property
    def replayed(self) -> bool:
        """Whether the answer was given before."""
        return self.kind == REPLAYED

    @property
    def code(self) -> str:
        """The code of a refusal that was made now; '' where there is none."""
        return self.kind if self.status >= 400 and not self.replayed else ""

    @property
    def unknown(self) -> bool:
        """Whether the cell that was asked has never seen the call."""
        return self.kind in ("unknown_call", NEVER_AUTHORIZED)


def reply_of(done: Done) -> Reply:
    """What came of a command, for who asked it."""
    outcome = done.outcome
    kind = DECIDED
    if type(outcome) is Refused:
        kind = outcome.refusal.code
    elif type(outcome) is Replayed:
        kind = REPLAYED
    elif type(outcome) is NothingToSettle:
        kind = NEVER_AUTHORIZED
    return Reply(done.status, done.body, kind)


def shares(replies: list[Reply], counts: Iterable[int]) -> Iterator[list[Reply]]:
    """Cut the replies of a batch into those of each who asked: so many, in turn."""
    start = 0
    for count in counts:
        yield replies[start : start + count]
        start += count


def refused(refusal: Refusal, call_key: str | None = None, sequence: int | None = None) -> Reply:
    """A refusal of what never reached the books."""
    return Reply(*problem(refusal, call_key, sequence), refusal.code)


def unavailable(command: CallCommand, detail: str) -> Reply:
    """The answer to a command that could not be decided."""
    return refused(Refusal("unavailable", detail), command.call_key, command.sequence)

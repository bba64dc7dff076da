"""Requests on one call while protocol.py has them, and the heads of their answers."""

from time import perf_counter

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from talktime.gateways.http.replies import Answer, Header
from talktime.gateways.http.verbs import Asked

ENDED = "talktime.ended"
"""What a request's ASGI scope calls the event that its client sends no more, or has gone."""


class Nobody:
    """Stands where uvicorn wakes the task of a request: these have none."""

    def set(self) -> None:
        """Nobody waits."""


class Exchange:
    """One request on a call and its answer, with what uvicorn's protocol looks for."""

    __slots__ = (
        *("name", "begun_s", "asked", "refused", "content"),
        *("disconnected", "keep_alive", "response_complete"),
    )
    message_event = Nobody()
    response_started = False  # it is written at once

    def __init__(self, name: str, keep_alive: bool) -> None:
        self.name = name
        self.begun_s = perf_counter()
        self.asked: Asked | None = None
        # Why it is refused, known before its body is whole.
        self.refused: Answer | None = None
        self.content: bytes | bytearray = b""
        self.keep_alive = keep_alive
        self.response_complete = False
        self.disconnected = False

    @property
    def call_key(self) -> str | None:
        """The call that it is about, once that is known."""
        return self.asked.call_key if self.asked is not None else None


class Heads:
    """The heads of answers, made once a second: they hold the date."""

    def __init__(self) -> None:
        self._common: list[Header] = []
        self._made: dict[tuple[int, tuple[Header, ...]], bytes] = {}

    def of(self, common: list[Header], status: int, headers: tuple[Header, ...]) -> bytes:
        """All of a head but the length, which comes last. `common` are every answer's headers."""
        if common is not self._common:
            self._common, self._made = common, {}
        made = self._made.get((status, headers))
        if made is None:
            lines = [b"%s: %s\r\n" % header for header in (*common, *headers)]
            made = STATUS_LINE[status] + b"".join(lines) + b"content-length: "
            self._made[status, headers] = made
        return made

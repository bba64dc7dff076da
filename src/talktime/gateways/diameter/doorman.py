"""Who may begin a TLS handshake: until it is done, a connection is nobody's, and takes a descriptor
of the process all the same."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable

from talktime.core.addresses import place_of
from talktime.core.limits import (
    DIAMETER_CONNECTIONS_OF_ADDRESS_MAX,
    DIAMETER_CONNECTIONS_UNMET_MAX,
)
from talktime.gateways.diameter.node import peer_address
from talktime.gateways.diameter.peers_open import NOT_CERTIFIED


class Handshakes:
    """The handshakes under way on one port, by address. `known` says whether any peer comes from an
    address; others are let in where a certificate proves who they are. `not_taken` is told the
    address of each that is not begun, and why."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        within_s: float,
        goodbye_s: float,
        known: Callable[[str], bool],
        not_taken: Callable[[str, str], None],
    ) -> None:
        self.tls, self.within_s, self.goodbye_s = tls, within_s, goodbye_s
        self._known, self.not_taken = known, not_taken
        self._of: Counter[str] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()

    def begin(self, address: str) -> str:
        """Count a handshake; where it is one too many or leads nowhere, why it is not done."""
        if self.tls.verify_mode == ssl.CERT_NONE and not self._known(address):
            return NOT_CERTIFIED
        place = place_of(address)
        if (
            self._of.total() >= DIAMETER_CONNECTIONS_UNMET_MAX
            or self._of[place] >= DIAMETER_CONNECTIONS_OF_ADDRESS_MAX
        ):
            return "too many handshakes"
        self._of[place] += 1
        return ""

    def done(self, address: str) -> None:
        """It is over, well or badly."""
        place = place_of(address)
        self._of[place] -= 1
        if not self._of[place]:
            del self._of[place]


class Doorman(asyncio.Protocol):
    """Takes a connection, does the handshake, and hands it on to the protocol that `made` gives."""

    def __init__(self, handshakes: Handshakes, made: Callable[[], asyncio.Protocol]) -> None:
        self._handshakes, self._made = handshakes, made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, or close."""
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()  # what comes is the handshake's
        address = peer_address(transport)
        why = self._handshakes.begin(address)
        if why:
            self._handshakes.not_taken(address, why)
            transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._shake(transport, address))
        self._handshakes.tasks.add(task)
        task.add_done_callback(self._handshakes.tasks.discard)

    async def _shake(self, transport: asyncio.Transport, address: str) -> None:
        found, protocol = self._handshakes, self._made()
        try:
            secure = await asyncio.get_running_loop().start_tls(
                transport,
                protocol,
                found.tls,
                server_side=True,
                ssl_handshake_timeout=found.within_s,
                ssl_shutdown_timeout=found.goodbye_s,
            )
        except (OSError, TimeoutError):
            transport.abort()  # the other side gave up, or was no TLS client
            return
        except asyncio.CancelledError:
            transport.abort()
            raise
        finally:
            found.done(address)
        if secure is not None:
            protocol.connection_made(secure)

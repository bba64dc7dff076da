"""Threads that are kept from one request to the next, each with Django's connections in it.

Under ASGI Django answers each request on a thread of its own, and has a connection for each thread:
it can keep a connection (CONN_MAX_AGE) only where the thread is kept.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from asgiref.sync import ThreadSensitiveContext
from django.db import connections

from talktime.core.limits import CONSOLE_CONNECTIONS_IDLE_MAX


class KeptThreads:
    """The idle threads of a process, the last used first; each runs one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[ThreadPoolExecutor] = []
        self._round = 0

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Run the synchronous code of the block on one thread that nobody else uses meanwhile."""
        thread, round_ = self._taken()
        try:
            async with ThreadSensitiveContext(executor=thread):
                yield
        finally:
            # On the thread itself: what a request that was given up has left it to do comes first.
            kept = thread.submit(self._keep, thread, round_)
            await asyncio.shield(asyncio.wrap_future(kept))

    def close(self) -> None:
        """Let all end that lie idle, and the others once they have done what they do."""
        with self._lock:
            self._round += 1
            idle, self._idle = self._idle, []
        for thread in idle:
            _end(thread)

    def _taken(self) -> tuple[ThreadPoolExecutor, int]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), self._round
            return ThreadPoolExecutor(1, thread_name_prefix="console"), self._round

    def _keep(self, thread: ThreadPoolExecutor, round_: int) -> None:
        with self._lock:
            if round_ == self._round and len(self._idle) < CONSOLE_CONNECTIONS_IDLE_MAX:
                self._idle.append(thread)
                return
        _end(thread)


def _end(thread: ThreadPoolExecutor) -> None:
    thread.submit(connections.close_all)
    thread.shutdown(wait=False)


kept_threads = KeptThreads()

"""Sending the calls of a file: several connections, each with a batch of calls under way.

The requests of one call go out in their order, the next one after the last one's answer. What the
service could not take (429, 503, no connection) is sent again with the same sequence number.
"""

import csv
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import httpx

from talktime.cli.api import Api, Reply, call_path
from talktime.cli.call_file import PlannedCall
from talktime.cli.failures import Failure
from talktime.cli.replay_calls import LiveCall, Tally
from talktime.core.limits import BATCH_REQUESTS_MAX

LATER = frozenset((429, 503))
PATIENCE_S = 60.0
PAUSE_S_MAX = 5.0
RESULT_COLUMNS = (
    *("call_id", "organisation", "outcome", "granted_seconds", "used_seconds"),
    *("settle", "charge", "currency"),
)


class Results:
    """A file with a line for each call: what was decided, how long it lasted, what it cost."""

    def __init__(self, file: TextIO | None) -> None:
        self._writer = csv.writer(file) if file else None
        self._lock = threading.Lock()
        if self._writer:
            self._writer.writerow(RESULT_COLUMNS)

    def write(self, calls: list[LiveCall]) -> None:
        """Add calls that have ended."""
        if self._writer and calls:
            with self._lock:
                self._writer.writerows(
                    (
                        *(call.plan.call_id, call.plan.organisation, call.code),
                        *(call.granted_s, call.used_s, "sent" if call.plan.settle else "lost"),
                        *(call.charge, call.currency),
                    )
                    for call in calls
                )


class Connection:
    """One connection with its calls under way."""

    def __init__(self, api: Api, take: Callable[[int], list[LiveCall]], batch: int) -> None:
        self._api = api
        self._take = take
        self._batch = batch
        self.tally = Tally()

    def run(self, results: Results, stopped: threading.Event) -> None:
        """Replay until the file is used up; Failure when the service takes nothing for long."""
        live: list[LiveCall] = []
        taken_at = time.monotonic()
        while not stopped.is_set():
            live += self._take(self._batch - len(live))
            if not live:
                return
            pause_s = self._ask(live)
            now = time.monotonic()
            if pause_s == 0:
                taken_at = now
            elif now - taken_at > PATIENCE_S:
                raise Failure(
                    f"the service took no request for {PATIENCE_S:.0f} s; replay again later"
                )
            else:
                stopped.wait(min(pause_s, PAUSE_S_MAX))
            ended = [call for call in live if call.request is None]
            live = [call for call in live if call.request is not None]
            for call in ended:
                self.tally.finish(call)
            results.write(ended)

    def _ask(self, live: list[LiveCall]) -> float:
        """Ask what each call asks next; returns the seconds to wait where nothing was taken."""
        repeats = [call for call in live for _ in range(call.plan.repeats)]
        sent = live + repeats[: BATCH_REQUESTS_MAX - len(live)]
        begun = time.perf_counter()
        try:
            replies = self._send(sent)
        except (httpx.TransportError, OSError):
            self.tally.retried += len(sent)
            return 1.0
        self.tally.latencies_s.append(time.perf_counter() - begun)
        self.tally.requests += 1
        if isinstance(replies, Reply):
            self.tally.retried += len(sent)
            return float(replies.retry_after_s)
        return self._take_answers(sent, replies)

    def _take_answers(self, sent: list[LiveCall], replies: list[Reply]) -> float:
        tally, pause_s = self.tally, 1.0
        first: dict[str, dict[str, Any]] = {}
        for call, reply in zip(sent, replies, strict=True):
            if call.plan.call_id in first:
                tally.repeated += 1
                tally.repeats_differing += reply.body != first[call.plan.call_id]
            elif reply.status in LATER:
                tally.retried += 1
            else:
                pause_s = 0.0
                first[call.plan.call_id] = reply.body
                request = call.request
                assert request is not None
                tally.asked += 1
                tally.codes[request.verb, call.take(reply.status, reply.body)] += 1
        return pause_s

    def _send(self, sent: list[LiveCall]) -> list[Reply] | Reply:
        """The answers in order; or the one answer to all where the service took none."""
        if self._batch == 1:
            return [self._send_alone(call) for call in sent]
        items = []
        for call in sent:
            assert call.request is not None
            items.append(
                {"request": call.request.verb, "call_id": call.plan.call_id, **call.request.body}
            )
        reply = self._api.post("calls:batch", {"requests": items})
        if reply.status in LATER:
            return reply
        if reply.status != 200:
            raise refused_batch(reply)
        return [Reply(answer["status"], answer["body"]) for answer in reply.body["answers"]]

    def _send_alone(self, call: LiveCall) -> Reply:
        assert call.request is not None
        reply = self._api.post(call_path(call.plan.call_id, call.request.verb), call.request.body)
        if reply.status == 401:
            raise refused_batch(reply)
        return reply


def refused_batch(reply: Reply) -> Failure:
    """Why the service takes none of the requests."""
    detail = reply.body.get("detail", reply.status)
    return Failure(f"the service refused the requests: {detail}. {reply.body.get('remedy', '')}")


def replay(
    calls: Iterator[PlannedCall],
    open_connection: Callable[[], Api],
    *,
    connections: int,
    batch: int,
    keep_times: bool,
    results_path: Path | None,
    tell: Callable[[int], None],
) -> Tally:
    """Replay all calls and return what came of them; `tell` hears how many have ended."""
    lock = threading.Lock()

    def take(count: int) -> list[LiveCall]:
        with lock:
            return [LiveCall(plan, keep_time=keep_times) for plan in islice(calls, count)]

    stopped = threading.Event()
    apis = [open_connection() for _ in range(connections)]
    senders = [Connection(api, take, batch) for api in apis]
    file = results_path.open("w", encoding="utf-8", newline="") if results_path else None
    try:
        results = Results(file)
        with ThreadPoolExecutor(connections) as pool:
            running = [pool.submit(sender.run, results, stopped) for sender in senders]
            try:
                while wait(running, 0.1, FIRST_EXCEPTION).not_done:
                    tell(sum(sender.tally.calls for sender in senders))
                    if any(each.done() and each.exception() for each in running):
                        break
            finally:
                stopped.set()
        for each in running:
            each.result()
    finally:
        for api in apis:
            api.close()
        if file:
            file.close()
    total = Tally()
    for sender in senders:
        total.add(sender.tally)
    tell(total.calls)
    return total

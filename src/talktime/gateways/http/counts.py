"""What /metrics shows: plain numbers, made into a document only when asked for."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from talktime.engine.engine import Engine
from talktime.engine.measures import Distribution, JobMeasure, LoadNow
from talktime.gateways.http.connections import Connections

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NOT_ON_CALLS = ("healthz", "readyz", "metrics", "openapi", "none")


class Counts(Collector):
    """Counted on the event loop's thread alone."""

    def __init__(
        self,
        engine: Engine,
        jobs: Callable[[], Iterable[JobMeasure]],
        connections: Connections,
    ) -> None:
        self._engine = engine
        self._connections = connections
        self._jobs = jobs
        self._requests: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._refusals: defaultdict[str, int] = defaultdict(int)
        self._seconds: dict[str, Distribution] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests[endpoint, status] += 1
        distribution = self._seconds.get(endpoint)
        if distribution is None:
            distribution = self._seconds[endpoint] = Distribution(SECONDS)
        distribution.add(seconds)

    def refusal(self, code: str) -> None:
        """Count one refusal, of a request or of one in a batch."""
        self._refusals[code] += 1

    def load_now(self) -> LoadNow:
        """The sums of what concerns calls. From any thread."""
        seconds = [each for name, each in list(self._seconds.items()) if name not in NOT_ON_CALLS]
        columns = zip(*(list(each.counts) for each in seconds), strict=True)
        lanes = list(chain.from_iterable(self._engine.lanes.values()))
        requests = list(self._requests.items())
        return LoadNow(
            sum(count for (name, _), count in requests if name not in NOT_ON_CALLS),
            sum(list(self._refusals.values())),
            SECONDS,
            tuple(map(sum, columns)) or (0,) * (len(SECONDS) + 1),
            sum(lane.depth for lane in lanes),
            sum(sum(lane.sizes.counts) for lane in lanes),
            round(sum(lane.sizes.total for lane in lanes)),
        )

    def document(self) -> bytes:
        """All counts in the Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The metrics, made when the registry asks."""
        requests = CounterMetricFamily(
            "talktime_requests", "Requests answered.", labels=["endpoint", "status"]
        )
        for (endpoint, status), count in self._requests.items():
            requests.add_metric([endpoint, str(status)], count)
        yield requests
        refusals = CounterMetricFamily("talktime_refusals", "Refusals given.", labels=["code"])
        for code, count in self._refusals.items():
            refusals.add_metric([code], count)
        yield refusals
        seconds = HistogramMetricFamily(
            "talktime_request_seconds", "Time from request to answer.", labels=["endpoint"]
        )
        for endpoint, distribution in self._seconds.items():
            _add(seconds, [endpoint], distribution)
        yield seconds
        messages = CounterMetricFamily(
            "talktime_messages",
            "Messages of RADIUS and Diameter clients, by what came of them.",
            labels=["dialect", "message", "result"],
        )
        for kind, count in self._engine.messages.counts.items():
            messages.add_metric(kind, count)
        yield messages
        yield from self._of_connections()
        yield from self._of_lanes()
        yield from self._of_jobs()

    def _of_connections(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "talktime_connections", "HTTP connections that are open.", self._connections.open
        )
        too_many = CounterMetricFamily(
            "talktime_connections_too_many",
            "HTTP connections beyond what an address or the port may have, by what was done.",
            labels=["done"],
        )
        for done, count in self._connections.counts.items():
            too_many.add_metric([done], count)
        yield too_many

    def _of_lanes(self) -> Iterator[Metric]:
        labels = ["cell", "writer"]
        depth = GaugeMetricFamily(
            "talktime_queue_depth", "Commands that wait for their answers.", labels=labels
        )
        sizes = HistogramMetricFamily(
            "talktime_batch_commands", "Commands in one transaction.", labels=labels
        )
        for cell, lanes in self._engine.lanes.items():
            for number, lane in enumerate(lanes, 1):
                depth.add_metric([cell, str(number)], lane.depth)
                _add(sizes, [cell, str(number)], lane.sizes)
        yield depth
        yield sizes
        away = GaugeMetricFamily(
            "talktime_not_ready",
            "1 for each part that keeps the process from working.",
            labels=["part"],
        )
        for part in self._engine.not_ready():
            away.add_metric([part], 1)
        yield away

    def _of_jobs(self) -> Iterator[Metric]:
        labels = ["job", "cell"]
        worked = GaugeMetricFamily(
            "talktime_job_last_success_seconds",
            "When a job of this process last worked, in seconds since 1970.",
            labels=labels,
        )
        lag = GaugeMetricFamily(
            "talktime_job_lag_seconds", "How long ago that is, or the start.", labels=labels
        )
        failures = CounterMetricFamily(
            "talktime_job_failures", "Runs of a job that failed.", labels=labels
        )
        for job in self._jobs():
            if job.worked_ms is not None:
                worked.add_metric([job.job, job.cell], job.worked_ms / 1000)
            lag.add_metric([job.job, job.cell], job.lag_ms / 1000)
            failures.add_metric([job.job, job.cell], job.failures)
        yield worked
        yield lag
        yield failures


def _add(family: HistogramMetricFamily, labels: Sequence[str], distribution: Distribution) -> None:
    counts, buckets, so_far = list(distribution.counts), [], 0
    for bound, count in zip((*distribution.bounds, float("inf")), counts, strict=True):
        so_far += count
        buckets.append(("+Inf" if bound == float("inf") else str(float(bound)), so_far))
    family.add_metric(labels, buckets=buckets, sum_value=distribution.total)

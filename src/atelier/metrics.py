"""The metrics of an instance, kept and rendered by the Prometheus client library."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric

from atelier import __version__
from atelier.histograms import Histogram

disable_created_metrics()  # type: ignore[no-untyped-call] # untyped in the library
REGISTRY = CollectorRegistry()
ProcessCollector(namespace="atelier", registry=REGISTRY)

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""The bounds of the histograms of times."""
_KEYS = (1, 2, 5, 10, 20, 50, 100, 200)

REQUEST_SECONDS = Histogram(
    "atelier_request_seconds",
    "Time from a request's arrival at the instance to its response (a stream's first chunk).",
    ["method", "route", "status"],
    SECONDS,
    REGISTRY,
)
BATCH_KEYS = Histogram("atelier_batch_keys", "Keys in a batch.", ["kind"], _KEYS, REGISTRY)
BATCH_WAIT_SECONDS = Histogram(
    "atelier_batch_wait_seconds",
    "Time that the first key of a batch spent in the queue.",
    ["kind"],
    SECONDS,
    REGISTRY,
)
BATCH_SECONDS = Histogram(
    "atelier_batch_seconds",
    "Time that the database took for a batch.",
    ["kind"],
    SECONDS,
    REGISTRY,
)
WAITING = Gauge(
    "atelier_waiting_requests", "Requests queued for a batch.", ["kind"], registry=REGISTRY
)
DATABASE_ERRORS = Counter(
    "atelier_database_errors", "Failed statements.", ["error"], registry=REGISTRY
)
POOL_CONNECTIONS = Gauge(
    "atelier_pool_connections", "Connections to PostgreSQL.", ["pool", "state"], registry=REGISTRY
)
WEBHOOK_DELIVERIES = Counter(
    "atelier_webhook_deliveries",
    "Attempts to send an event, by the delivery's state after it; lost: the lease had ended.",
    ["state"],
    registry=REGISTRY,
)
WEBHOOK_BACKLOG_SECONDS = Gauge(
    "atelier_webhook_backlog_seconds",
    "Age of the oldest event that an active endpoint has not got; the same for all instances.",
    ["endpoint"],
    registry=REGISTRY,
)
MODERATED_POSTS = Counter(
    "atelier_moderated_posts",
    "Posts that a moderation rule held or refused.",
    ["action", "rule", "version"],
    registry=REGISTRY,
)
VERSION = Gauge("atelier_version", "1 for the running version.", ["version"], registry=REGISTRY)
VERSION.labels(__version__).set(1)

_REQUESTS = "atelier_request_seconds"
_MONITORING_ROUTES = {"/live", "/ready", "/ready/reads", "/metrics", "/console/metrics"}
_SERVER_ERROR = 500

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition() -> bytes:
    """Return all metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)


@dataclass(frozen=True, slots=True)
class Responses:
    """The responses of an instance, other than those to monitoring."""

    requests: int
    errors: int
    """Those of status 500 and above."""
    buckets: dict[float, float]
    """How many took at most so many seconds, by these seconds; the last are infinite."""


def responses(metrics: Iterable[Metric]) -> Responses:
    """Sum up the response times in an instance's metrics."""
    requests = errors = 0
    buckets: dict[float, float] = {}
    for name, labels, value in samples(metrics, _REQUESTS):
        if labels["route"] in _MONITORING_ROUTES:
            continue
        if name == f"{_REQUESTS}_count":
            requests += int(value)
            errors += int(value) if int(labels["status"]) >= _SERVER_ERROR else 0
        elif name == f"{_REQUESTS}_bucket":
            buckets[float(labels["le"])] = buckets.get(float(labels["le"]), 0) + value
    return Responses(requests, errors, buckets)


def samples(metrics: Iterable[Metric], name: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield the name, labels and value of each sample of a metric."""
    for metric in metrics:
        if metric.name == name:
            for sample in metric.samples:
                yield sample.name, sample.labels, sample.value


def quantile(buckets: dict[float, float], q: float) -> float | None:
    """Estimate a quantile from cumulative counts by linear interpolation within a bucket."""
    rank = q * buckets.get(inf, 0)
    if not rank:
        return None
    lower, below = 0.0, 0.0
    for upper, count in sorted(buckets.items()):
        if count >= rank:
            return (
                lower
                if upper == inf
                else lower + (upper - lower) * (rank - below) / (count - below)
            )
        lower, below = upper, count
    return lower

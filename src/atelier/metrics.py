"""The metrics of an instance, kept and rendered by the Prometheus client library."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from atelier import __version__

disable_created_metrics()  # type: ignore[no-untyped-call] # untyped in the library
REGISTRY = CollectorRegistry()
ProcessCollector(namespace="atelier", registry=REGISTRY)

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_KEYS = (1, 2, 5, 10, 20, 50, 100, 200)

REQUEST_SECONDS = Histogram(
    "atelier_request_seconds",
    "Time from a request's arrival at the instance to its response (a stream's first chunk).",
    ["method", "route", "status"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
BATCH_KEYS = Histogram(
    "atelier_batch_keys", "Keys in a batch.", ["kind"], buckets=_KEYS, registry=REGISTRY
)
BATCH_WAIT_SECONDS = Histogram(
    "atelier_batch_wait_seconds",
    "Time that the first key of a batch spent in the queue.",
    ["kind"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "atelier_batch_seconds",
    "Time that the database took for a batch.",
    ["kind"],
    buckets=_SECONDS,
    registry=REGISTRY,
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
MODERATED_POSTS = Counter(
    "atelier_moderated_posts",
    "Posts that a moderation rule held or refused.",
    ["action", "rule", "version"],
    registry=REGISTRY,
)
VERSION = Gauge("atelier_version", "1 for the running version.", ["version"], registry=REGISTRY)
VERSION.labels(__version__).set(1)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition() -> bytes:
    """Return all metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)

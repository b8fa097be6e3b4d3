"""Scrapes the instances' metrics through their sockets."""

import http.client
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT_SECONDS = 2.0
_REQUESTS = "atelier_request_seconds"
_MONITORING_ROUTES = {"/live", "/ready", "/ready/reads", "/metrics"}
_SERVER_ERROR = 500


def scrape(path: Path) -> list[Metric]:
    """Return the metrics of an instance on a unix socket; empty if it does not respond in time."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return []
    finally:
        connection.close()
    return list(text_string_to_metric_families(text))


@dataclass(frozen=True, slots=True)
class Figures:
    """A summary of an instance's metrics. Times are in seconds."""

    requests: int
    errors: int
    p50: float | None
    p95: float | None
    p99: float | None
    version: str


def figures(metrics: Iterable[Metric]) -> Figures:
    """Summarize an instance's metrics: statuses of 500 and above are errors."""
    found = {metric.name: metric for metric in metrics}
    requests = errors = 0
    buckets: dict[float, float] = {}
    for name, labels, value in _samples(found.get(_REQUESTS)):
        if labels["route"] in _MONITORING_ROUTES:
            continue
        if name == f"{_REQUESTS}_count":
            requests += int(value)
            errors += int(value) if int(labels["status"]) >= _SERVER_ERROR else 0
        elif name == f"{_REQUESTS}_bucket":
            buckets[float(labels["le"])] = buckets.get(float(labels["le"]), 0) + value
    p50, p95, p99 = (_quantile(buckets, q) for q in (0.5, 0.95, 0.99))
    versions = [labels["version"] for _, labels, _ in _samples(found.get("atelier_version"))]
    return Figures(requests, errors, p50, p95, p99, "".join(versions))


def _samples(metric: Metric | None) -> Iterator[tuple[str, dict[str, str], float]]:
    for sample in metric.samples if metric else []:
        yield sample.name, sample.labels, sample.value


def _quantile(buckets: dict[float, float], q: float) -> float | None:
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


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

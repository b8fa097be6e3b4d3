"""The instances' own metrics, asked for on their sockets."""

import http.client
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

_SECONDS = 2.0
_REQUESTS = "atelier_request_seconds"
_FOR_WATCHERS = {"/live", "/ready", "/ready/reads", "/metrics"}
_SERVER_ERROR = 500


def scrape(path: Path) -> list[Metric]:
    """Return what an instance on a unix socket counts; nothing if it does not answer in time."""
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
    """What of an instance's metrics is for people. Times are in seconds."""

    requests: int
    errors: int
    p50: float | None
    p95: float | None
    p99: float | None
    version: str


def figures(metrics: Iterable[Metric]) -> Figures:
    """Sum up an instance's metrics: answers of 500 and above are errors."""
    found = {metric.name: metric for metric in metrics}
    requests = errors = 0
    buckets: dict[float, float] = {}
    for name, labels, value in _samples(found.get(_REQUESTS)):
        if labels["route"] in _FOR_WATCHERS:
            continue
        if name == f"{_REQUESTS}_count":
            requests += int(value)
            errors += int(value) if int(labels["status"]) >= _SERVER_ERROR else 0
        elif name == f"{_REQUESTS}_bucket":
            buckets[float(labels["le"])] = buckets.get(float(labels["le"]), 0) + value
    p50, p95, p99 = (_quantile(buckets, share) for share in (0.5, 0.95, 0.99))
    versions = [labels["version"] for _, labels, _ in _samples(found.get("atelier_version"))]
    return Figures(requests, errors, p50, p95, p99, "".join(versions))


def _samples(metric: Metric | None) -> Iterator[tuple[str, dict[str, str], float]]:
    for sample in metric.samples if metric else []:
        yield sample.name, sample.labels, sample.value


def _quantile(buckets: dict[float, float], share: float) -> float | None:
    """Estimate a quantile from cumulative counts, evenly spread in each bucket."""
    wanted = share * buckets.get(inf, 0)
    if not wanted:
        return None
    lower, below = 0.0, 0.0
    for upper, count in sorted(buckets.items()):
        if count >= wanted:
            return (
                lower
                if upper == inf
                else lower + (upper - lower) * (wanted - below) / (count - below)
            )
        lower, below = upper, count
    return lower


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

"""Scrapes the instances' metrics through their sockets."""

import http.client
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from atelier.metrics import quantile, responses, samples

_TIMEOUT_SECONDS = 2.0


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


def figures(metrics: Sequence[Metric]) -> Figures:
    """Summarize an instance's metrics: statuses of 500 and above are errors."""
    found = responses(metrics)
    p50, p95, p99 = (quantile(found.buckets, q) for q in (0.5, 0.95, 0.99))
    versions = [labels["version"] for _, labels, _ in samples(metrics, "atelier_version")]
    return Figures(found.requests, found.errors, p50, p95, p99, "".join(versions))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

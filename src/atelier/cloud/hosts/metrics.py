"""Sends the metrics that the alarms need to CloudWatch."""

import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from atelier.cloud.hosts.host import Host

_NAMESPACE = "Atelier"
_TIMEOUT_SECONDS = 5.0
_COUNTERS = {
    "atelier_request_seconds_count": "Requests",
    "atelier_database_errors_total": "DatabaseErrors",
}
_GAUGES = {
    "atelier_waiting_requests": "WaitingRequests",
    "atelier_webhook_backlog_seconds": "WebhookBacklogSeconds",
}
"""Their largest value is sent."""
_MAX_VALUES = 150  # of one PutMetricData

Samples = dict[str, float]


class Publisher:
    """Publishes what changed since the last time."""

    def __init__(self, host: Host, ports: Sequence[int]) -> None:
        """Take the ports of the host's processes."""
        self._host = host
        self._ports = ports
        self._before: dict[int, Samples] = {}
        self._restarts: int | None = None

    def publish(self) -> None:
        """Send one value per metric of this host."""
        data = list(self._data())
        self._host.client("cloudwatch").put_metric_data(Namespace=_NAMESPACE, MetricData=data)

    def _data(self) -> Iterator[dict[str, Any]]:
        totals: Samples = {}
        buckets: Samples = {}
        up, database = 1.0, 0.0
        gauges = dict.fromkeys(_GAUGES.values(), 0.0)
        for port in self._ports:
            try:
                families = scrape(port)
            except OSError:
                up = 0.0
                continue
            now = samples(families)
            before = self._before.get(port, now)
            self._before[port] = now
            for name, value in now.items():
                grown = max(0.0, value - before.get(name, 0.0))
                target = buckets if name.startswith("bucket ") else totals
                target[name] = target.get(name, 0.0) + grown
            for name, metric in _GAUGES.items():
                gauges[metric] = max(gauges[metric], gauge(families, name))
            database = max(database, float(is_ready(port)))
        yield self._datum("InstanceUp", up)
        yield self._datum("DatabaseUp", database)
        for name, value in gauges.items():
            yield self._datum(name, value)
        for name in ("Requests", "ServerErrors", "DatabaseErrors"):
            yield self._datum(name, totals.get(name, 0.0))
        restarts = _restarts(self._ports)
        grown = 0 if self._restarts is None else max(0, restarts - self._restarts)
        self._restarts = restarts
        yield self._datum("InstanceRestarts", grown)
        seconds = {float(name.split()[1]): count for name, count in buckets.items() if count}
        if seconds:
            yield self._datum("RequestSeconds", None) | {
                "Values": list(seconds)[:_MAX_VALUES],
                "Counts": list(seconds.values())[:_MAX_VALUES],
            }

    def _datum(self, name: str, value: float | None) -> dict[str, Any]:
        dimensions = [{"Name": "Stack", "Value": self._host.inputs["STACK"]}]
        datum: dict[str, Any] = {"MetricName": name, "Dimensions": dimensions}
        return datum if value is None else datum | {"Value": float(value)}


def scrape(port: int) -> list[Metric]:
    """Return the metrics of a process of this host. Raises OSError."""
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/metrics", timeout=_TIMEOUT_SECONDS
    ) as answer:
        return list(text_string_to_metric_families(answer.read().decode()))


def is_ready(port: int) -> bool:
    """Return whether a process of this host has a database."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/ready/reads", timeout=_TIMEOUT_SECONDS
        ):
            return True
    except OSError:
        return False


def samples(families: Sequence[Metric]) -> Samples:
    """Return the counters that are published, and `bucket SECONDS`: requests that took so long."""
    found: Samples = {}
    cumulative: dict[str, float] = {}
    for sample in (sample for family in families for sample in family.samples):
        labels = sample.labels
        if name := _COUNTERS.get(sample.name):
            found[name] = found.get(name, 0.0) + sample.value
        if sample.name == "atelier_request_seconds_count" and _is_server_error(labels):
            found["ServerErrors"] = found.get("ServerErrors", 0.0) + sample.value
        if sample.name == "atelier_request_seconds_bucket" and "/qa/" in labels["route"]:
            cumulative[labels["le"]] = cumulative.get(labels["le"], 0.0) + sample.value
    return found | _single(cumulative)


def gauge(families: Sequence[Metric], name: str) -> float:
    """Return the largest value of a gauge, 0 if there is none."""
    found = [s.value for family in families for s in family.samples if s.name == name]
    return max(found, default=0.0)


def _is_server_error(labels: dict[str, str]) -> bool:
    return labels["status"].startswith("5") and not labels["route"].startswith("/ready")


def _single(cumulative: dict[str, float]) -> Samples:
    """Return the requests of each bucket alone; those above the last bound count as twice it."""
    bounds = sorted((float(bound), count) for bound, count in cumulative.items())
    found: Samples = {}
    below, last = 0.0, 0.0
    for bound, count in bounds:
        seconds = last * 2 if bound == float("inf") else bound
        found[f"bucket {seconds}"] = count - below
        below, last = count, bound
    return found


def _restarts(ports: Sequence[int]) -> int:
    """Return how often systemd has restarted the processes of this host."""
    units = [f"atelier@{port}.service" for port in ports]
    command = ["systemctl", "show", "--property=NRestarts", "--value", *units]
    listed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    return sum(int(line) for line in listed.split() if line.isdigit())

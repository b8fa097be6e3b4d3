"""The metrics of all instances for Prometheus, on a port of the loopback interface."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from atelier.local.cluster.instances import Instance
from atelier.local.cluster.service import Service
from atelier.local.monitoring.scrape import scrape
from atelier.local.postgres.state import DatabaseState, database_state


class ClusterCollector(Collector):
    """Collects from all instances at each scrape; adds the label `instance`."""

    def __init__(self, service: Service) -> None:
        """Take the service."""
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the instances, of their processes and of PostgreSQL."""
        instances = list(self._service.instances)
        with ThreadPoolExecutor(len(instances) + 1) as pool:
            found = list(pool.map(scrape, [instance.socket for instance in instances]))
        yield from _merged(instances, found)
        yield from _processes(instances, found)
        yield from _database(asyncio.run(database_state(self._service.dsn)))

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the metrics are known when they are collected."""
        return []


@contextmanager
def served(port: int, service: Service, log: Callable[[str], None]) -> Iterator[None]:
    """Serve /metrics in the context; log if the port cannot be used."""
    registry = CollectorRegistry()
    registry.register(ClusterCollector(service))
    try:
        server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        log(
            f"No cluster metrics: port {port} cannot be used ({error.strerror}). "
            "Set ATELIER_METRICS_PORT to another port."
        )
        yield
        return
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _merged(instances: list[Instance], found: list[list[Metric]]) -> Iterator[Metric]:
    families: dict[str, Metric] = {}
    for instance, metrics in zip(instances, found, strict=True):
        for metric in metrics:
            family = families.setdefault(
                metric.name, Metric(metric.name, metric.documentation, metric.type)
            )
            for sample in metric.samples:
                labels = {"instance": _label(instance), **sample.labels}
                family.add_sample(sample.name, labels, sample.value)
    yield from families.values()


def _processes(instances: list[Instance], found: list[list[Metric]]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "atelier_instance_up", "1 if the instance responds.", labels=["instance"]
    )
    restarts = GaugeMetricFamily(
        "atelier_instance_restarts", "Unexpected exits of the instance.", labels=["instance"]
    )
    for instance, metrics in zip(instances, found, strict=True):
        up.add_metric([_label(instance)], float(bool(metrics)))
        restarts.add_metric([_label(instance)], instance.process.exits)
    yield from (up, restarts)


def _database(state: DatabaseState) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "atelier_postgresql_up", "1 if PostgreSQL responds.", value=float(state.error is None)
    )
    if state.error is not None:
        return
    connections = GaugeMetricFamily(
        "atelier_postgresql_connections", "Connections of all clients, by state.", labels=["state"]
    )
    connections.add_metric(["active"], state.active)
    connections.add_metric(["idle"], state.idle)
    yield connections
    yield GaugeMetricFamily(
        "atelier_postgresql_most_connections",
        "PostgreSQL's max_connections.",
        value=state.most_connections,
    )
    yield _each("atelier_standby_lag_seconds", "standby", state.standbys, "name", "lag_seconds")
    yield _each("atelier_standby_lag_bytes", "standby", state.standbys, "name", "lag_bytes")
    yield _each("atelier_import_rows", "table", state.imports, "target", "rows")
    yield _each("atelier_import_bytes", "table", state.imports, "target", "bytes")


def _each(
    name: str, label: str, rows: list[dict[str, object]], key: str, value: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, _HELP[name], labels=[label])
    for row in rows:
        family.add_metric([str(row[key])], float(str(row[value])))
    return family


_HELP = {
    "atelier_standby_lag_seconds": "Replay lag of a standby.",
    "atelier_standby_lag_bytes": "WAL that a standby has not replayed yet.",
    "atelier_import_rows": "Rows processed by a running COPY.",
    "atelier_import_bytes": "Bytes processed by a running COPY.",
}


def _label(instance: Instance) -> str:
    return instance.name.replace(" ", "-")

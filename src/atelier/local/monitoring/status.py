"""The report of `atelier status`."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from atelier.local.cluster.instances import Instance
from atelier.local.cluster.readiness import is_ready
from atelier.local.cluster.service import Service
from atelier.local.monitoring.scrape import figures, scrape
from atelier.local.postgres.state import database_state

_MILLISECONDS = 1000


async def status(service: Service) -> dict[str, Any]:
    """Return the state of each instance and of PostgreSQL, serializable as JSON."""
    instances, database = await asyncio.gather(
        asyncio.gather(*(_instance(instance) for instance in service.instances)),
        database_state(service.dsn),
    )
    return {"instances": instances, "postgresql": asdict(database)}


async def _instance(instance: Instance) -> dict[str, Any]:
    process = instance.process
    if process.pid is None:
        return {"name": instance.name, "state": "restarting", "restarts": process.exits}
    ready, reads, metrics = await asyncio.gather(
        is_ready(instance.socket),
        is_ready(instance.socket, "/ready/reads"),
        asyncio.to_thread(scrape, instance.socket),
    )
    state = "ready" if ready else "read-only" if reads else "not ready"
    return {
        "name": instance.name,
        "state": state if metrics else "does not answer",
        "pid": process.pid,
        "uptime_seconds": round(time.monotonic() - process.started_at, 1),
        "restarts": process.exits,
        **asdict(figures(metrics)),
    }


def is_served(state: Mapping[str, Any]) -> bool:
    """Return whether any instance serves requests, even if only reads."""
    return any(instance["state"] in {"ready", "read-only"} for instance in state["instances"])


def render(state: Mapping[str, Any]) -> Group:
    """Return a state as tables for the terminal."""
    parts: list[RenderableType] = [_instances(state["instances"]), _database(state["postgresql"])]
    if state["postgresql"]["standbys"]:
        parts.append(_standbys(state["postgresql"]["standbys"]))
    return Group(*parts)


def _instances(instances: list[Mapping[str, Any]]) -> Table:
    table = Table("instance", "state", "version", box=None, pad_edge=False)
    for heading in ("pid", "up", "restarts", "requests", "errors", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(heading, justify="right")
    for each in instances:
        table.add_row(
            each["name"].removeprefix("instance "),
            each["state"],
            each.get("version", ""),
            str(each.get("pid", "")),
            _duration(each.get("uptime_seconds")),
            str(each["restarts"]),
            str(each.get("requests", "")),
            str(each.get("errors", "")),
            *(_milliseconds(each.get(quantile)) for quantile in ("p50", "p95", "p99")),
        )
    return table


def _database(state: Mapping[str, Any]) -> str:
    if state["error"]:
        return f"\nPostgreSQL does not answer: {state['error']}"
    used = state["active"] + state["idle"]
    return (
        f"\nPostgreSQL {state['version']}, {state['role']}: {used} of "
        f"{state['most_connections']} connections, {state['active']} active"
    )


def _standbys(standbys: list[Mapping[str, Any]]) -> Table:
    table = Table("standby", "state", "behind", box=None, pad_edge=False)
    for each in standbys:
        lag = f"{each['lag_seconds']:.3f} s, {each['lag_bytes']:.0f} bytes"
        table.add_row(each["name"], each["state"], lag)
    return table


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * _MILLISECONDS:.1f}"

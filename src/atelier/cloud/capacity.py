"""How many hosts a load takes, from the measured CPU time of a page and of a vote."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from math import ceil
from typing import Any

_MICROSECONDS = 1_000_000
_KIB = 1024
MAX_DATABASE_CPUS = 96
"""The largest PostgreSQL server that is planned with: more needs another design (decision 25)."""
MAX_WAL_MB = 500
"""What one volume writes steadily, in MB/s, besides data files and checkpoints."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be served, per second, at the peak."""

    pages: float
    votes: float


@dataclass(frozen=True, slots=True)
class Hosts:
    """The sizes of the hosts."""

    cpus: int = 2
    """vCPUs of an instance's host and of an nginx host."""
    speed: float = 1.0
    """The speed of a vCPU, compared with a core of the measured machine."""
    busy: float = 0.6
    """How busy a CPU may be at the peak, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of host."""

    name: str
    cpus: float
    """Busy CPUs at the peak."""
    needed: int
    """CPUs to have, so that they are not busier than permitted."""
    hosts: int
    arithmetic: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a load takes."""

    nginx: Part
    instances: Part
    primary: Part
    replicas: Part | None
    """Servers for pages, if the primary cannot serve them all."""
    wal_mb: float
    """What the primary writes to its log, in MB/s, right after a checkpoint."""
    limits: list[str]
    """Why one primary does not suffice; empty if it does."""


def figures() -> dict[str, Any]:
    """Return the measured microseconds per page and vote; docs/profile.md has the same."""
    found: dict[str, Any] = json.loads((files(__package__) / "figures.json").read_text())
    return found


def plan(load: Load, hosts: Hosts) -> Capacity:
    """Return the hosts for a load."""
    page, vote = figures()["page"], figures()["vote"]
    nginx = _spread("nginx", load, hosts, page["nginx"], vote["nginx"])
    instances = _spread("instances", load, hosts, page["instances"], vote["instances"])
    everything = _server("PostgreSQL", load, hosts)
    offloaded = everything.needed > MAX_DATABASE_CPUS
    primary = _server("PostgreSQL", Load(0, load.votes), hosts) if offloaded else everything
    wal = load.votes * vote["WAL"] / _KIB / _KIB
    return Capacity(
        nginx,
        instances,
        primary,
        _replicas(load, hosts) if offloaded else None,
        wal,
        list(_limits(primary, wal)),
    )


def _spread(name: str, load: Load, hosts: Hosts, page: float, vote: float) -> Part:
    """Return a kind of host of which any number works side by side, and one of which may fail."""
    cpus, arithmetic = _cpus(load, hosts, page, vote)
    needed = ceil(cpus / hosts.busy)
    count = ceil(needed / hosts.cpus)
    return Part(name, cpus, needed, max(2, count + 1), arithmetic)


def _server(name: str, load: Load, hosts: Hosts) -> Part:
    cpus, arithmetic = _cpus(
        load, hosts, figures()["page"]["PostgreSQL"], figures()["vote"]["PostgreSQL"]
    )
    return Part(name, cpus, max(2, ceil(cpus / hosts.busy)), 1, arithmetic)


def _replicas(load: Load, hosts: Hosts) -> Part:
    part = _server("read replicas", Load(load.pages, 0), hosts)
    count = ceil(part.needed / MAX_DATABASE_CPUS) + 1
    return Part(part.name, part.cpus, part.needed, count, part.arithmetic)


def _cpus(load: Load, hosts: Hosts, page: float, vote: float) -> tuple[float, str]:
    """Return the busy CPUs, and how they were calculated."""
    cpus = (load.pages * page + load.votes * vote) / _MICROSECONDS / hosts.speed
    terms = f"({_rate(load.pages)} x {page:g} µs + {_rate(load.votes)} x {vote:g} µs)"
    speed = f" / {hosts.speed:g}" if hosts.speed != 1 else ""
    return cpus, f"{terms}{speed} = {cpus:.2f} CPUs; / {hosts.busy:g} = {cpus / hosts.busy:.2f}"


def _rate(rate: float) -> str:
    return f"{rate:,.2f}".rstrip("0").rstrip(".")


def _limits(primary: Part, wal: float) -> Iterator[str]:
    if primary.needed > MAX_DATABASE_CPUS:
        yield f"the primary needs {primary.needed} CPUs, more than {MAX_DATABASE_CPUS}"
    if wal > MAX_WAL_MB:
        yield f"it writes {wal:,.0f} MB/s of WAL, more than {MAX_WAL_MB}"

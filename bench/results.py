"""What was measured, as it is kept in a file. Latencies are in milliseconds, memory in MB."""

from pathlib import Path

import msgspec


class Sample(msgspec.Struct):
    """One system under one load for some seconds."""

    rate: float
    """Requests answered well, a second."""
    p50: float
    p99: float
    errors: int = 0
    """Answers of another status than asked for, lost connections, and answers that took 10 s."""
    dropped: int = 0
    """Requests that an open loop could not begin in time."""
    lookups: float | None = None
    """Index lookups of documents inside PostgreSQL for each request, where counted."""


Rounds = dict[str, list[Sample]]
"""By system, one sample a round: the samples at one place were taken one after the other."""


class Memory(msgspec.Struct):
    """The most that one instance took while everything was measured."""

    resident: float
    proportional: float
    """Without other processes' part of what they share."""


class Transfer(msgspec.Struct):
    """One import of the export beside its floor. Times are in seconds."""

    floor: float
    imported: float
    verified: float
    memory: float
    """The most that the importer and its children took, in MB."""


class Slot(msgspec.Struct):
    """A few seconds of a long run."""

    start: float
    target: float
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    errors: float
    """The part of the requests that failed, from 0 to 1."""


class Timeline(msgspec.Struct):
    """A long run in slots, as k6's scripts write it."""

    seconds: float
    dropped: int
    slots: list[Slot]
    verdict: str = ""


class Results(msgspec.Struct):
    """One run of the benchmark."""

    plan: str
    date: str
    minutes: float = 0
    rounds: int = 0
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}
    durability: dict[str, str] = {}
    data: dict[str, int] = {}
    commands: dict[str, str] = {}
    saturation: dict[str, Rounds] = {}
    """By workload."""
    hot: list[Sample] = []
    """The service alone under requests for one product, with `lookups` counted."""
    floor: dict[str, list[float]] = {}
    """Pages a second inside PostgreSQL, by pages a query."""
    open_loop: dict[str, Rounds] = {}
    """By requests a second."""
    beside_large: dict[str, Rounds] = {}
    """By system: small reads `alone` and `beside` a client that reads the large product."""
    growth: Rounds = {}
    """Page reads one after the other at `full` and at `hundredth` size."""
    memory: dict[str, Memory] = {}
    transfer: list[Transfer] = []
    ramp: Timeline | None = None
    load_generator: str = "wrk"


def save(results: Results, path: Path) -> None:
    """Write results to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def load(path: Path) -> Results:
    """Read results from a file."""
    return msgspec.json.decode(path.read_bytes(), type=Results)

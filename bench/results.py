"""The results file. Latencies are in milliseconds, memory in MB."""

from pathlib import Path

import msgspec


class Sample(msgspec.Struct):
    """A measurement of one system under one load."""

    rate: float
    """Successful requests per second."""
    p50: float
    p99: float
    errors: int = 0
    """Unexpected statuses, lost connections, and responses that took 10 s."""
    dropped: int = 0
    """Requests that an open loop could not start in time."""
    lookups: float | None = None
    """Index lookups of documents in PostgreSQL per request, if counted."""


Rounds = dict[str, list[Sample]]
"""By system, one sample per round: samples with the same index were taken consecutively."""


class Cost(msgspec.Struct):
    """The average cost of a request in a round, in microseconds and bytes."""

    rate: float
    """Successful requests per second."""
    parts: dict[str, float]
    """CPU time by component."""
    log_bytes: float = 0
    """What PostgreSQL wrote to its log."""
    errors: int = 0


Costs = dict[str, list[Cost]]
"""By system, one per round: those with the same index were measured consecutively."""


class Memory(msgspec.Struct):
    """Peak memory of an instance during all measurements."""

    resident: float
    proportional: float
    """Proportional set size (PSS): shared pages are divided among processes."""


class Transfer(msgspec.Struct):
    """One import of the export and its floor. Times are in seconds."""

    floor: float
    imported: float
    verified: float
    memory: float
    """Peak memory of the importer and its children, in MB."""


class Slot(msgspec.Struct):
    """A few seconds of a long run."""

    start: float
    target: float
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    errors: float
    """The fraction of failed requests, from 0 to 1."""


class Timeline(msgspec.Struct):
    """A long run in slots, as written by the k6 scripts."""

    seconds: float
    dropped: int
    slots: list[Slot]
    verdict: str = ""


class Soak(msgspec.Struct):
    """The result of a soak test."""

    minutes: float
    rate: int
    timeline: Timeline
    memory: list[tuple[float, float]]
    """Seconds since the start, and resident MB of the largest instance."""
    descriptors: list[tuple[float, int]]
    """Seconds since the start, and open files of all instances and nginx."""
    hostile: dict[str, dict[str, int]] = {}
    """The statuses that each kind of hostile client received; 0 is no answer."""


class Results(msgspec.Struct):
    """One run of the benchmark."""

    plan: str
    date: str
    minutes: float = 0
    rounds: int = 0
    seconds: int = 0
    """Duration of a measurement at saturation."""
    instances: int = 3
    """Of each system. Results of November 2026 and before do not say it: there were three."""
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}
    durability: dict[str, str] = {}
    data: dict[str, int] = {}
    commands: dict[str, str] = {}
    saturation: dict[str, Rounds] = {}
    """By workload."""
    hot: list[Sample] = []
    """The service under requests for one product, with `lookups` counted."""
    floor: dict[str, list[float]] = {}
    """Pages per second in PostgreSQL, by pages per query."""
    open_loop: dict[str, Rounds] = {}
    """By requests/s."""
    beside_large: dict[str, Rounds] = {}
    """By system: small reads `alone`, and `beside` a client that reads the large product."""
    growth: Rounds = {}
    """Sequential page reads at `full` and `hundredth` size."""
    memory: dict[str, Memory] = {}
    transfer: list[Transfer] = []
    ramp: Timeline | None = None
    load_generator: str = "wrk"
    costs: Costs = {}
    """Only in a part of the profile."""


Profile = dict[str, Results]
"""The parts of the profile by name: each may be measured at another time than the others."""


def save(results: Results, path: Path) -> None:
    """Write results to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def load(path: Path) -> Results:
    """Read results from a file."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def save_profile(profile: Profile, path: Path) -> None:
    """Write the parts of a profile to a file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(profile), indent=1) + b"\n")


def load_profile(path: Path) -> Profile:
    """Read the parts of a profile from a file; an empty profile if there is none."""
    return msgspec.json.decode(path.read_bytes(), type=Profile) if path.exists() else {}

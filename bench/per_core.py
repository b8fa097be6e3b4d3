"""What the measured CPU times mean for a deployment: requests/s of a core, cores and hosts."""

from collections.abc import Sequence
from math import ceil
from statistics import median

from atelier.cloud.capacity import Hosts, Load, plan
from bench.load import WORKLOADS
from bench.plots import COMPONENTS
from bench.results import Cost, Profile
from bench.systems import EXPRESS, FASTAPI, OURS, TITLES
from bench.tables import table

_RATES = (2500, 10_000)
_WRITES = 0.05
"""The part of the requests that are votes."""
_SHOWN = ("uniform", "votes", "mix")


def per_core(profile: Profile) -> str:
    """Return a table of requests/s per core, and of the cores and hosts for some rates."""
    shown = [name for name in _SHOWN if name in profile]
    busy = Hosts().busy
    head = [
        "",
        *(f"{WORKLOADS[name]}: requests/s per core" for name in shown),
        *(f"cores for {rate:,} requests/s" for rate in _RATES),
    ]
    rows = [_row(profile, shown, system, busy) for system in (OURS, EXPRESS, FASTAPI)]
    return f"{table(head, rows)}\n\n{_hosts()}"


def _row(profile: Profile, shown: Sequence[str], system: str, busy: float) -> list[str]:
    micros = {name: _micros(profile[name].costs[system]) for name in shown}
    average = (1 - _WRITES) * micros["uniform"] + _WRITES * micros["votes"]
    cores = [ceil(rate * average / 1e6 / busy) for rate in _RATES]
    return [
        TITLES[system],
        *(f"{1e6 / each:,.0f}" for each in micros.values()),
        *(f"{each:,}" for each in cores),
    ]


def _micros(costs: Sequence[Cost]) -> float:
    """Return the microseconds of all that serves a request."""
    return median(sum(cost.parts[component] for component in COMPONENTS) for cost in costs)


def _hosts() -> str:
    """Return the hosts for each rate, as `atelier plan-capacity` calculates them."""
    head = [
        "requests/s",
        "nginx hosts",
        "instance hosts",
        "vCPUs of the database server",
        "command",
    ]
    return table(head, map(_host_cells, _RATES))


def _host_cells(rate: int) -> list[str]:
    votes = rate * _WRITES
    found = plan(Load(rate - votes, votes), Hosts())
    command = f"`atelier plan-capacity --rps {rate - votes:g} --votes {votes:g}`"
    hosts = (found.nginx.hosts, found.instances.hosts, found.primary.needed)
    return [f"{rate:,}", *map(str, hosts), command]

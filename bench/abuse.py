"""What a client that sends many times its limit costs the others, and what rejecting it costs."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from atelier.settings import CommaSeparated, Settings
from bench import flood, report
from bench.cores import apart
from bench.database_memory import warm
from bench.plan import Plan
from bench.processes import finish, started
from bench.profile import cpu
from bench.profile.cost import postmaster
from bench.results import Sample
from bench.runner import stage_for
from bench.stage import Stage
from bench.systems import Running, ours, running
from bench.tables import spread, table
from bench.targets import Spread, Target

_TIMES = 20
_RATE = round(_TIMES * Settings().rate_reads)
_OTHERS_RATE = 300
"""Requests/s of all others together."""
_OTHERS = ("--local-ips", "127.0.1.1-127.0.1.40")
_ABUSER = ["127.0.0.2"]
_WITHIN = [f"127.0.2.{number}" for number in range(1, 41)]
"""As many requests as the abuser's, from addresses within their limits."""
_BURST_SECONDS = 2
"""Until the abuser's burst is used up."""
_SPARE_SECONDS = 10
_PARTS = ("nginx", "instances", "PostgreSQL")
_OK, _REJECTED = "200", "429"

_ALONE, _LIMITED, _UNLIMITED = "no abuser", "abuser, limited", "abuser, without limits"


@dataclass(slots=True)
class _Found:
    """What was measured, once a round."""

    others: dict[str, list[Sample]] = field(default_factory=dict)
    """What the others got, by case."""
    accepted: list[Mapping[str, float]] = field(default_factory=list)
    """The µs of a request by component."""
    rejected: list[Mapping[str, float]] = field(default_factory=list)
    rejections: list[float] = field(default_factory=list)
    """The percentage of the abuser's requests that were rejected."""


def measure_abuse(plan: Plan, log: Callable[[str], None]) -> str:
    """Measure with and without an abuser, in turn; return what was measured, with tables."""
    found = _Found()
    with stage_for(plan, log) as stage:
        warm(stage.catalogue.dsn)
        with _systems(stage) as systems, apart(stage, systems) as placed:
            for number in range(plan.rounds):
                log(f"Round {number + 1} of {plan.rounds}.")
                _round(placed, *systems, found)
        facts = report.facts(stage.results)
    return (
        f"Measured by `python -m bench abuse` on {facts['date']}, {plan.rounds} rounds, each case "
        f"for {plan.seconds} s in turn: {_OTHERS_RATE} page reads/s from 40 addresses, and "
        f"{_RATE:,} from one more, {_TIMES} times its limit. All clients run on a core of their "
        f"own, the service and PostgreSQL on the rest; {facts['machine']}; {facts['data']}."
        f"\n\n{_tables(found)}"
    )


@contextmanager
def _systems(stage: Stage) -> Iterator[tuple[Running, Running]]:
    """Start the service with limits for the addresses of this machine, too, and without."""
    system = ours(stage.catalogue.dsn)
    limits = Settings(rate_exempt=CommaSeparated())
    with (
        running(replace(system, name="limited"), stage.folder, settings=limits) as limited,
        running(replace(system, name="unlimited"), stage.folder) as unlimited,
    ):
        yield limited, unlimited


def _round(stage: Stage, limited: Running, unlimited: Running, found: _Found) -> None:
    _add(found, _ALONE, _others(stage, limited))
    for case, system in ((_LIMITED, limited), (_UNLIMITED, unlimited)):
        with _flooding(stage, system):
            _add(found, case, _others(stage, system))
    _measure_cost(stage, limited, found)


def _add(found: _Found, case: str, sample: Sample) -> None:
    found.others.setdefault(case, []).append(sample)


def _others(stage: Stage, system: Running) -> Sample:
    return stage.load.at_rate(system, "uniform", _OTHERS_RATE, stage.plan.seconds, *_OTHERS)


def _measure_cost(stage: Stage, system: Running, found: _Found) -> None:
    idle = _used(stage, system, lambda: time.sleep(stage.plan.seconds))
    used, statuses = _flooded(stage, system, _WITHIN, idle)
    accepted = {part: used[part] / statuses[_OK] for part in _PARTS}
    _flood(stage, system, _ABUSER, _BURST_SECONDS)
    used, statuses = _flooded(stage, system, _ABUSER, idle)
    rest = {part: used[part] - accepted[part] * statuses[_OK] for part in _PARTS}
    found.accepted.append(accepted)
    found.rejected.append({part: rest[part] / statuses[_REJECTED] for part in _PARTS})
    found.rejections.append(100 * statuses[_REJECTED] / sum(statuses.values()))


def _flooded(
    stage: Stage, system: Running, sources: Sequence[str], idle: Mapping[str, float]
) -> tuple[Mapping[str, float], Counter[str]]:
    """Return the µs that each component used because of a flood, and the responses by status."""
    statuses: Counter[str] = Counter()
    used = _used(
        stage,
        system,
        lambda: statuses.update(_flood(stage, system, sources, stage.plan.seconds)),
    )
    return {part: used[part] - idle[part] for part in _PARTS}, statuses


def _used(stage: Stage, system: Running, action: Callable[[], None]) -> Mapping[str, float]:
    """Return the µs that each component used during an action."""
    roots = cpu.Roots(system.nginx, system.pids, postmaster(stage.embedded))
    before = cpu.seconds(roots)
    action()
    return {part: 1e6 * (end - before[part]) for part, end in cpu.seconds(roots).items()}


def _flood(
    stage: Stage, system: Running, sources: Sequence[str], seconds: int
) -> Mapping[str, int]:
    """Run a flood; return its responses by status."""
    output = stage.load.scratch / "flood.json"
    output.unlink(missing_ok=True)
    with started(_command(stage, system, sources, seconds), log=output) as process:
        finish(process, output, seconds + _SPARE_SECONDS)
    found: dict[str, int] = json.loads(output.read_text())
    return found


@contextmanager
def _flooding(stage: Stage, system: Running) -> Iterator[None]:
    seconds = stage.plan.seconds + _SPARE_SECONDS
    command = _command(stage, system, _ABUSER, seconds)
    with started(command, log=stage.load.scratch / "flood.log"):
        time.sleep(_BURST_SECONDS)
        yield


def _command(stage: Stage, system: Running, sources: Sequence[str], seconds: int) -> list[str]:
    # Another machine's in reality: it must not take time from the load generator.
    after_others = ("nice", "-n", "10")
    arguments = (system.url.rpartition(":")[2], str(_RATE), str(seconds), *sources)
    return [*stage.load.placed(), *after_others, sys.executable, flood.__file__, *arguments]


def _tables(found: _Found) -> str:
    head = ["requests of the others", "p50 ms", "p99 ms", "errors", "dropped"]
    rows = [[case, *report.latency(samples)] for case, samples in found.others.items()]
    for row, samples in zip(rows, found.others.values(), strict=True):
        row.append(f"{sum(sample.dropped for sample in samples):,}")
    costs = [
        _cost_row("an accepted read", found.accepted),
        _cost_row("a rejection", found.rejected),
    ]
    cost_head = ["CPU time of", *(f"{part}, µs" for part in _PARTS), "all, µs"]
    targets = report.targets_table(_targets(found))
    rejections = f"Of the abuser's requests, {spread(found.rejections, 1)} % were rejected."
    return f"{targets}\n\n{table(head, rows)}\n\n{table(cost_head, costs)}\n\n{rejections}"


def _cost_row(what: str, costs: Sequence[Mapping[str, float]]) -> list[str]:
    parts = (spread([cost[part] for cost in costs], 1) for part in _PARTS)
    return [what, *parts, spread([sum(cost.values()) for cost in costs], 1)]


def _targets(found: _Found) -> Iterator[Target]:
    for case in (_LIMITED, _UNLIMITED):
        pairs = zip(found.others[case], found.others[_ALONE], strict=True)
        p99 = Spread.of([one.p99 / other.p99 for one, other in pairs])
        yield Target(f"p99 of the others, {case} ÷ {_ALONE}", "≤", 1.2, p99)
    costs = zip(found.rejected, found.accepted, strict=True)
    ratios = [sum(one.values()) / sum(other.values()) for one, other in costs]
    yield Target("CPU time of a rejection ÷ that of an accepted read", "≤", 1, Spread.of(ratios))

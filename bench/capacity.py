"""What `atelier plan-capacity` predicts for one, two and three instances, and what a ramp reaches.

Each instance stands for a host: it gets a part of a core and no more.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import msgspec

from atelier.cloud.capacity import Hosts, Load, figures, plan
from bench import plots, report
from bench.database_memory import warm
from bench.plan import CONNECTIONS, Plan
from bench.profile.cost import cost
from bench.quota import quotas
from bench.results import Slot, Timeline
from bench.runner import stage_for
from bench.stage import Stage
from bench.systems import Running, ours, running
from bench.tables import spread, table
from bench.targets import Spread

_NUMBERS = (1, 2, 3)
_QUOTA = 0.05
"""The part of a core that each instance gets."""
_WORKLOAD = "uniform"
_START, _PEAK = 0.3, 1.1
"""The rates of the ramp, as multiples of the predicted rate."""
_SLOTS = 3
_CALIBRATION_SECONDS = 3


@dataclass(frozen=True, slots=True)
class _Ramp:
    """One ramp."""

    predicted: float
    """Requests/s."""
    timeline: Timeline
    seconds: int
    """Until the peak."""

    @property
    def measured(self) -> float:
        """The most requests/s that were served for some seconds while the rate rose."""
        served = [_served(slot) for slot in self.timeline.slots if slot.start < self.seconds]
        return max(median(served[n : n + _SLOTS]) for n in range(len(served) - _SLOTS + 1))


def measure_capacity(plan: Plan, picture: Path, log: Callable[[str], None]) -> str:
    """Run the ramps in turn; draw the last round, and return what was measured, with a table."""
    found: dict[int, list[_Ramp]] = {number: [] for number in _NUMBERS}
    speeds = []
    with stage_for(plan, log) as stage:
        warm(stage.catalogue.dsn)
        with _systems(stage) as systems:
            for number in range(plan.rounds):
                log(f"Round {number + 1} of {plan.rounds}.")
                speeds.append(_speed(stage, systems[max(_NUMBERS)], number))
                for instances, system in systems.items():
                    ramp = _ramp(stage, system, instances, speeds[-1])
                    found[instances].append(ramp)
        facts = report.facts(stage.results)
    plots.draw_ramps(
        {number: (ramps[-1].predicted, ramps[-1].timeline) for number, ramps in found.items()},
        picture,
    )
    measured = figures()
    return (
        f"Measured by `python -m bench capacity` on {facts['date']}, {plan.rounds} rounds of a "
        f"ramp of {plan.ramp} s for each number of instances in turn; pages of any product; "
        f"{facts['machine']}; {facts['data']}. Each instance may use {_QUOTA:g} of a core, as if "
        "it were a small host; nginx, PostgreSQL and the load generator share the rest. The "
        f"prediction takes the figures of {measured['date']} ({measured['machine']}) and the speed "
        f"of a core of this machine compared with that one, measured before each round without "
        f"the limit: {spread(speeds, 2)}.\n\n{_table(found)}"
    )


@contextmanager
def _systems(stage: Stage) -> Iterator[Mapping[int, Running]]:
    system = ours(stage.catalogue.dsn)
    one, two, three = (replace(system, name=f"of-{number}") for number in _NUMBERS)
    with (
        running(one, stage.folder, 1) as first,
        running(two, stage.folder, 2) as second,
        running(three, stage.folder, 3) as third,
    ):
        yield dict(zip(_NUMBERS, (first, second, third), strict=True))


def _speed(stage: Stage, system: Running, seed: int) -> float:
    """Return how fast a core is now, compared with the figures that the model has."""
    brief = replace(stage, plan=replace(stage.plan, seconds=_CALIBRATION_SECONDS))
    stage.load.saturate(system, _WORKLOAD, 1, seed=seed, connections=CONNECTIONS)
    now = cost(brief, system, _WORKLOAD, seed).parts["instances"]
    return float(figures()["page"]["instances"]) / now


def _predicted(instances: int, speed: float) -> float:
    """Return the requests/s at which the model says that all that the instances have is used."""
    of_one = plan(Load(1, 0), Hosts(speed=speed)).instances.cpus
    return instances * _QUOTA / of_one


def _ramp(stage: Stage, system: Running, instances: int, speed: float) -> _Ramp:
    predicted = _predicted(instances, speed)
    path = stage.load.scratch / "timeline.json"
    environment = {
        "START": f"{_START * predicted:.0f}",
        "PEAK": f"{_PEAK * predicted:.0f}",
        "SECONDS": str(stage.plan.ramp),
        "TIMELINE": str(path),
    }
    with quotas(system.pids, _QUOTA):
        stage.load.k6_script(system, "stress", environment)
    timeline = msgspec.json.decode(path.read_bytes(), type=Timeline)
    return _Ramp(predicted, timeline, stage.plan.ramp)


def _served(slot: Slot) -> float:
    return slot.rate * (1 - slot.errors)


def _table(found: Mapping[int, list[_Ramp]]) -> str:
    head = ["instances", "predicted, requests/s", "measured, requests/s", "measured ÷ predicted"]
    head += ["measured ÷ that of one instance"]
    return table(head, [_row(number, ramps, found[1]) for number, ramps in found.items()])


def _row(number: int, ramps: list[_Ramp], of_one: list[_Ramp]) -> list[str]:
    errors = [ramp.measured / ramp.predicted for ramp in ramps]
    pairs = zip(ramps, of_one, strict=True)
    gains = Spread.of([ramp.measured / one.measured for ramp, one in pairs])
    return [
        str(number),
        spread((ramp.predicted for ramp in ramps), 0),
        spread((ramp.measured for ramp in ramps), 0),
        spread(errors, 2),
        gains.text(2),
    ]

"""Latency at steady rates, with the load generator on all cores and on one of its own."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, nullcontext

from bench import report
from bench.cores import apart
from bench.database_memory import warm
from bench.load import WORKLOADS
from bench.plan import CONNECTIONS, OPEN_LOOP_RATE, Plan
from bench.results import Sample
from bench.runner import stage_for
from bench.stage import Stage
from bench.systems import Running, ours
from bench.tables import spread, table
from bench.targets import Spread, Target

TOGETHER, APART = "together", "apart"
PLACES = {
    TOGETHER: "load generator on all cores",
    APART: "load generator on a core of its own, everything else on the others",
}
_PAGE, _MIX = "uniform", "mix"
_LIMITS = {_PAGE: 8, _MIX: 10}
"""The p99 in ms that is aimed at."""
_PART_OF_SATURATION = 0.6

_Found = dict[tuple[str, str], list[Sample]]
"""By place and workload."""


def measure_steady(plan: Plan, places: Collection[str], log: Callable[[str], None]) -> str:
    """Measure pages at a fixed rate, and the mix at 60 % of what saturation reached just before.

    Returns what was measured, with tables.
    """
    with stage_for(plan, log) as stage:
        warm(stage.catalogue.dsn)
        with stage.running(ours(stage.catalogue.dsn)) as [system]:
            found = dict(_measured(stage, system, places))
        facts = report.facts(stage.results)
    return (
        f"Measured by `python -m bench steady` on {facts['date']}, each for {plan.open_loop} s, "
        f"{plan.rounds} times; {facts['data']}. The rate of the mix is 60 % of the requests/s at "
        f"saturation, which are measured anew before each round.\n\n{_tables(found)}"
    )


def _measured(
    stage: Stage, system: Running, places: Collection[str]
) -> Iterator[tuple[tuple[str, str], list[Sample]]]:
    for place in places:
        with _placed(stage, system, place) as placed:
            for workload in (_PAGE, _MIX):
                stage.log(f"{workload}, {PLACES[place]}.")
                yield (place, workload), _rounds(placed, system, workload)


def _placed(stage: Stage, system: Running, place: str) -> AbstractContextManager[Stage]:
    return apart(stage, [system]) if place == APART else nullcontext(stage)


def _rounds(stage: Stage, system: Running, workload: str) -> list[Sample]:
    found = []
    for number in range(stage.plan.rounds):
        stage.checkpoint()
        saturated = stage.load.saturate(
            system, workload, stage.plan.seconds, seed=number, connections=CONNECTIONS
        )
        rate = OPEN_LOOP_RATE if workload == _PAGE else round(_PART_OF_SATURATION * saturated.rate)
        found.append(stage.load.at_rate(system, workload, rate, stage.plan.open_loop))
    return found


def _tables(found: _Found) -> str:
    head = ["", "load generator", "requests/s", "p50 ms", "p99 ms", "errors", "dropped"]
    rows = [
        [WORKLOADS[workload], place, *_cells(samples)]
        for (place, workload), samples in found.items()
    ]
    targets = (_target(place, workload, samples) for (place, workload), samples in found.items())
    return f"{report.targets_table(targets)}\n\n{table(head, rows)}"


def _target(place: str, workload: str, samples: list[Sample]) -> Target:
    rate = f"{OPEN_LOOP_RATE:,} requests/s" if workload == _PAGE else "60 % of saturation"
    p99 = Spread.of([sample.p99 for sample in samples])
    what = f"{WORKLOADS[workload]}, {rate}, {PLACES[place]}: p99"
    return Target(what, "≤", _LIMITS[workload], p99, " ms", 1)


def _cells(samples: list[Sample]) -> list[str]:
    rate = spread((sample.rate for sample in samples), 0)
    return [rate, *report.latency(samples), f"{sum(sample.dropped for sample in samples):,}"]

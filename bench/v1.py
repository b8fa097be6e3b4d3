"""Compares pages under /v1 with those under /qa, and with pages without ETags."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bench import report
from bench.data import atelier
from bench.database_memory import warm
from bench.load import WORKLOADS
from bench.plan import Plan
from bench.profile.cost import cost
from bench.results import Cost
from bench.runner import stage_for
from bench.stage import Stage
from bench.systems import OURS, Running, ours
from bench.tables import spread, table
from bench.targets import Spread

_PARTS = ("instances", "nginx", "PostgreSQL")
_WITHOUT = "no-etags"
_MODULE_END = len(atelier())


@dataclass(frozen=True, slots=True)
class _Case:
    """What is measured: a workload on one of two systems."""

    workload: str
    system: str = OURS

    @property
    def title(self) -> str:
        """Return the workload, and on which system, if not the usual one."""
        suffix = ", without its ETag" if self.system == _WITHOUT else ""
        return WORKLOADS[self.workload] + suffix


_CASES = (
    _Case("uniform"),
    _Case("v1"),
    _Case("v1", _WITHOUT),
    _Case("v1-five"),
    _Case("v1-304"),
    _Case("v1-batch"),
    _Case("v1-summary"),
)

_Found: TypeAlias = dict[_Case, list[Cost]]


def compare_v1(plan: Plan, log: Callable[[str], None]) -> str:
    """Measure all cases in turn, in each round; return what was measured, with a table."""
    with stage_for(plan, log) as stage:
        warm(stage.catalogue.dsn)
        system = ours(stage.catalogue.dsn)
        command = (sys.executable, "-m", "bench.without_etags", *system.command[_MODULE_END:])
        without = replace(system, name=_WITHOUT, command=command)
        with stage.running(system, without) as running:
            found = _measure(stage, {system.name: system for system in running})
        facts = report.facts(stage.results)
    return (
        f"Measured by `python -m bench v1` on {facts['date']}, each for {plan.seconds} s in turn, "
        f"{plan.rounds} times; {facts['data']}.\n\n{_table(found)}"
    )


def _measure(stage: Stage, systems: dict[str, Running]) -> _Found:
    found: _Found = {case: [] for case in _CASES}
    for number in range(stage.plan.rounds):
        stage.log(f"Round {number + 1} of {stage.plan.rounds}.")
        for case, costs in found.items():
            costs.append(cost(stage, systems[case.system], case.workload, number))
    return found


def _table(found: _Found) -> str:
    base = found[_CASES[0]]
    head = [
        "",
        "requests/s",
        "÷ /qa",
        *(f"{part}, µs" for part in _PARTS),
        "instances ÷ /qa",
        "errors",
    ]
    return table(head, [_row(case, costs, base) for case, costs in found.items()])


def _row(case: _Case, costs: Sequence[Cost], base: Sequence[Cost]) -> list[str]:
    return [
        case.title,
        spread((each.rate for each in costs), 0),
        _ratio(costs, base, lambda each: each.rate),
        *(spread((each.parts[part] for each in costs), 0) for part in _PARTS),
        _ratio(costs, base, lambda each: each.parts["instances"]),
        str(sum(each.errors for each in costs)),
    ]


def _ratio(costs: Sequence[Cost], base: Sequence[Cost], figure: Callable[[Cost], float]) -> str:
    pairs = zip(costs, base, strict=True)
    return Spread.of([figure(one) / figure(other) for one, other in pairs]).text(2)

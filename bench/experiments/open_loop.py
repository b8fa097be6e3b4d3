"""Latency at a constant arrival rate, independent of response times."""

from collections.abc import Sequence

from bench.plan import COMMON_RATE, OPEN_LOOP_RATE
from bench.stage import Stage, rotated
from bench.systems import CEILING, OURS, Running


def measure(stage: Stage, systems: Sequence[Running]) -> None:
    """Run the service at the target's rate, and all systems at a rate that all can sustain."""
    systems = [system for system in systems if system.name != CEILING]
    _at(stage, OPEN_LOOP_RATE, [system for system in systems if system.name == OURS])
    _at(stage, COMMON_RATE, systems)


def _at(stage: Stage, rate: int, systems: Sequence[Running]) -> None:
    stage.log(f"Open loop at {rate:,} requests/s.")
    rounds = stage.results.open_loop.setdefault(f"{rate}", {system.name: [] for system in systems})
    for number in range(stage.plan.rounds):
        for system in rotated(systems, number):
            sample = stage.load.at_rate(system, "uniform", rate, stage.plan.open_loop)
            rounds[system.name].append(sample)
    stage.results.commands[f"open loop {rate}"] = stage.load.shown_script(
        "load", WORKLOAD="uniform", RATE=rate, SECONDS=stage.plan.open_loop
    )

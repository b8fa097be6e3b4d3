"""Throughput with 64 busy connections, and the database floor."""

from collections.abc import Sequence

from bench import pgbench
from bench.load import WORKLOADS
from bench.plan import CONNECTIONS
from bench.results import Rounds
from bench.stage import Stage, rotated
from bench.systems import CEILING, OURS, Running

_WRITES = {"votes", "mix"}
_PAGES_PER_QUERY = (1, 50)


def warm_up(stage: Stage, systems: Sequence[Running]) -> None:
    """Load each system once before measuring, to fill caches and pools."""
    for system in systems:
        stage.load.saturate(
            system, "uniform", stage.plan.first_warm_up, seed=99, connections=CONNECTIONS
        )


def measure(stage: Stage, systems: Sequence[Running]) -> None:
    """Run all workloads on all systems, in rounds."""
    results = stage.results
    for name in WORKLOADS:
        results.saturation[name] = {system.name: [] for system in participants(name, systems)}
    for number in range(stage.plan.rounds):
        stage.log(f"Saturation, round {number + 1} of {stage.plan.rounds}.")
        for name, rounds in results.saturation.items():
            for system in rotated(participants(name, systems), number):
                _measure_once(stage, system, name, number, rounds)
        _floor(stage)
    _record_commands(stage)


def participants(workload: str, systems: Sequence[Running]) -> list[Running]:
    """Return the systems for a workload: the ceiling's constant response fits only `uniform`.

    Only the service has /v1.
    """
    if workload.startswith("v1"):
        return [system for system in systems if system.name == OURS]
    return [each for each in systems if workload == "uniform" or not each.name.startswith(CEILING)]


def _measure_once(
    stage: Stage, system: Running, workload: str, number: int, rounds: Rounds
) -> None:
    plan, load = stage.plan, stage.load
    if workload in _WRITES:
        stage.checkpoint()
    if plan.warm_up:
        load.saturate(system, workload, plan.warm_up, seed=50 + number, connections=CONNECTIONS)
    sample = load.saturate(system, workload, plan.seconds, seed=number, connections=CONNECTIONS)
    rounds[system.name].append(sample)


def _floor(stage: Stage) -> None:
    for pages in _PAGES_PER_QUERY:
        script = pgbench.write_script(stage.load.scratch, pages)
        called = pgbench.command(
            stage.embedded.server.programs, script, stage.catalogue, stage.plan.seconds
        )
        rate = pgbench.pages_per_second(called, pages, stage.plan.seconds)
        stage.results.floor.setdefault(f"{pages}", []).append(rate)


def _record_commands(stage: Stage) -> None:
    plan, load = stage.plan, stage.load
    for name in WORKLOADS:
        stage.results.commands[name] = load.shown(name, plan.seconds)
    script = pgbench.write_script(load.scratch, 1)
    programs = stage.embedded.server.programs
    called = pgbench.command(programs, script, stage.catalogue, plan.seconds)
    stage.results.commands["floor"] = " ".join(["pgbench", *called[1:-2], script.name])

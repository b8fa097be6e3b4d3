"""The latency of a page read at full size and at a hundredth of it."""

from dataclasses import replace

from bench import systems
from bench.data import Catalogue
from bench.stage import Stage
from bench.systems import Running

FULL, HUNDREDTH = "full", "hundredth"


def measure(stage: Stage, ours: Running, small: Catalogue) -> None:
    """Read pages sequentially, alternating between the two databases."""
    stage.log("Page reads at full size and at a hundredth of it.")
    load = {FULL: stage.load, HUNDREDTH: replace(stage.load, catalogue=small)}
    stage.results.growth = {FULL: [], HUNDREDTH: []}
    with stage.running(systems.ours(small.dsn, HUNDREDTH)) as [smaller]:
        load[HUNDREDTH].saturate(
            smaller, "uniform", stage.plan.first_warm_up, seed=99, connections=1
        )
        for number in range(stage.plan.rounds):
            for size, system in ((FULL, ours), (HUNDREDTH, smaller)):
                sample = load[size].saturate(
                    system, "uniform", stage.plan.seconds, seed=number, connections=1
                )
                stage.results.growth[size].append(sample)
    stage.results.commands["growth"] = stage.load.shown("uniform", stage.plan.seconds, 1)

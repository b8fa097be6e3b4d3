"""nginx's part of a page, with all our directives and with the least that `least_conn` takes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bench.plan import CONNECTIONS
from bench.profile import cpu
from bench.profile.cost import micros
from bench.results import Cost, Costs, Sample
from bench.stage import Stage, rotated
from bench.systems import Running, behind_bare_proxy

_WORKLOAD = "uniform"


def measure(stage: Stage, system: Running) -> Costs:
    """Load both nginx at the same time, in as many rounds as planned.

    Both pass the same pages on to the same instances. As the machine's speed varies from second to
    second, measuring one after the other would show that instead.
    """
    with behind_bare_proxy(system, stage.folder) as bare:
        costs: Costs = {system.name: [], bare.name: []}
        for number in range(stage.plan.rounds):
            stage.log(f"nginx, round {number + 1} of {stage.plan.rounds}.")
            both = rotated([system, bare], number)
            for each, cost in zip(both, _at_once(stage, both, number), strict=True):
                costs[each.name].append(cost)
        return costs


def _at_once(stage: Stage, systems: Sequence[Running], seed: int) -> list[Cost]:
    before = [cpu.tree_seconds(system.nginx) for system in systems]
    with ThreadPoolExecutor(len(systems)) as pool:
        found = list(pool.map(lambda system: _saturate(stage, system, seed), systems))
    used = [cpu.tree_seconds(system.nginx) for system in systems]
    return [
        Cost(sample.rate, {"nginx": micros(end - start, sample, stage)}, errors=sample.errors)
        for sample, start, end in zip(found, before, used, strict=True)
    ]


def _saturate(stage: Stage, system: Running, seed: int) -> Sample:
    scratch = stage.load.scratch / system.name  # k6 writes a file, if there is no wrk
    scratch.mkdir(exist_ok=True)
    load = replace(stage.load, scratch=scratch)
    seconds = stage.plan.seconds
    return load.saturate(system, _WORKLOAD, seconds, seed=seed, connections=CONNECTIONS)

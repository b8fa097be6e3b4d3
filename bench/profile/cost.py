"""The cost of a request under load."""

from collections.abc import Callable, Sequence

from atelier.local.postgres.embedded import Embedded
from atelier.store.queries import queries
from bench.plan import CONNECTIONS
from bench.profile import cpu
from bench.results import Cost, Costs, Sample
from bench.stage import Stage, rotated
from bench.systems import Running

_SQL = queries("bench.profile")


def measure(
    stage: Stage,
    name: str,
    systems: Sequence[Running],
    after_each_round: Callable[[], None] = lambda: None,
) -> Costs:
    """Load the systems in turn with a workload, in as many rounds as planned."""
    costs: Costs = {system.name: [] for system in systems}
    rounds = stage.plan.rounds
    for number in range(rounds):
        stage.log(f"{name}, round {number + 1} of {rounds}.")
        for system in rotated(systems, number):
            stage.checkpoint()
            stage.load.saturate(system, name, 1, seed=50 + number, connections=CONNECTIONS)
            costs[system.name].append(cost(stage, system, name, number))
        after_each_round()
    return costs


def cost(stage: Stage, system: Running, workload: str, seed: int) -> Cost:
    """Load a system with a workload; return the cost of a request."""
    roots = cpu.Roots(system.nginx, system.pids, postmaster(stage.embedded))
    log, before = stage.count(_SQL["wal_written"]), cpu.seconds(roots)
    sample = stage.load.saturate(
        system, workload, stage.plan.seconds, seed=seed, connections=CONNECTIONS
    )
    used = {part: second - before[part] for part, second in cpu.seconds(roots).items()}
    log = stage.count(_SQL["wal_written"]) - log
    parts = {part: micros(second, sample, stage) for part, second in used.items()}
    requests = max(sample.rate * stage.plan.seconds, 1)
    return Cost(sample.rate, parts, log / requests, sample.errors)


def micros(seconds: float, sample: Sample, stage: Stage) -> float:
    """Return the microseconds of a request of a measurement that took some CPU seconds."""
    return 1e6 * seconds / max(sample.rate * stage.plan.seconds, 1)


def postmaster(embedded: Embedded) -> int:
    """Return the pid of PostgreSQL's first process."""
    return int((embedded.home.data / "postmaster.pid").read_text().split()[0])

"""docs/profile.md: the CPU time of a request by component, and the plan of a page query."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from atelier.store.connections.database import connect
from atelier.store.queries import queries
from bench import report
from bench.check import average_page_size
from bench.data import Catalogue
from bench.database_memory import warm
from bench.experiments.saturation import participants
from bench.load import WORKLOADS
from bench.plan import CONNECTIONS, Plan
from bench.profile import cpu
from bench.runner import stage_for
from bench.stage import Stage, rotated
from bench.systems import TITLES, Running, ceiling, express, fastapi, ours

_TEMPLATE = Path(__file__).with_name("profile.md")
_WORKLOADS = ("uniform", "hot", "votes")
_ROUNDS = 3
_SQL = queries("bench.profile")
_PAGES = 20
"""Products of the explained query: about as many as a busy instance queries at once."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The average cost of a request in a round, in microseconds and bytes."""

    rate: float
    parts: Mapping[str, float]
    log_bytes: float
    errors: int


def profile(plan: Plan, document: Path, log: Callable[[str], None]) -> None:
    """Load each system in rounds, and write the CPU time by component to a document."""
    with stage_for(plan, log) as stage:
        dsn = stage.catalogue.dsn
        warm(dsn)
        with stage.running(ours(dsn), express(dsn), fastapi(dsn)) as some:
            size = average_page_size(some[0], stage.catalogue.products)
            with stage.running(ceiling(size)) as constant:
                tables = [_workload(stage, name, [*some, *constant]) for name in _WORKLOADS]
        text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
            report.facts(stage.results),
            seconds=plan.seconds,
            rounds=_ROUNDS,
            tables="\n\n".join(tables),
            explained=asyncio.run(explained(stage.catalogue)),
        )
    document.write_text(text, encoding="utf-8")


def _workload(stage: Stage, name: str, running: list[Running]) -> str:
    costs = measure(stage, name, participants(name, running), _ROUNDS)
    head = ["", "requests/s", *(f"{part}, µs" for part in (*cpu.PARTS, "the rest")), "WAL, bytes"]
    rows = [[TITLES[system], *_cells(found)] for system, found in costs.items()]
    return f"### {WORKLOADS[name]}\n\n{report.table(head, rows)}"


def measure(
    stage: Stage, name: str, systems: Sequence[Running], rounds: int
) -> dict[str, list[Cost]]:
    """Load the systems in turn with a workload; return the costs per round by system."""
    costs: dict[str, list[Cost]] = {system.name: [] for system in systems}
    for number in range(rounds):
        stage.log(f"{name}, round {number + 1} of {rounds}.")
        for system in rotated(systems, number):
            stage.checkpoint()
            stage.load.saturate(system, name, 1, seed=50 + number, connections=CONNECTIONS)
            costs[system.name].append(cost(stage, system, name, number))
    return costs


def cost(stage: Stage, system: Running, workload: str, seed: int) -> Cost:
    """Load a system with a workload; return the cost of a request."""
    roots = cpu.Roots(system.nginx, system.pids, _postmaster(stage))
    log, before = stage.count(_SQL["wal_written"]), cpu.seconds(roots)
    sample = stage.load.saturate(
        system, workload, stage.plan.seconds, seed=seed, connections=CONNECTIONS
    )
    used = {part: second - before[part] for part, second in cpu.seconds(roots).items()}
    log = stage.count(_SQL["wal_written"]) - log
    busy = used.pop("busy")
    used["the rest"] = busy - sum(used.values())
    requests = max(sample.rate * stage.plan.seconds, 1)
    micros = {part: 1e6 * second / requests for part, second in used.items()}
    return Cost(sample.rate, micros, log / requests, sample.errors)


def _postmaster(stage: Stage) -> int:
    return int((stage.embedded.home.data / "postmaster.pid").read_text().split()[0])


def _cells(costs: list[Cost]) -> list[str]:
    parts = (
        report.spread((cost.parts[part] for cost in costs), 0) for part in (*cpu.PARTS, "the rest")
    )
    rate = report.spread((cost.rate for cost in costs), 0)
    return [rate, *parts, report.spread((cost.log_bytes for cost in costs), 0)]


async def explained(catalogue: Catalogue) -> str:
    """Return the plan of the page statement, for products sampled from the whole catalogue."""
    generator = random.Random(1)  # noqa: S311 - not for cryptography
    products = [generator.randint(1, catalogue.products) for _ in range(_PAGES)]
    arrays = (products, [5] * _PAGES, [0] * _PAGES)
    connection = await connect(catalogue.dsn)
    try:
        statement = _SQL["explain_page"] + queries("atelier.store")["questions_page"]
        await connection.fetch(statement, *arrays)  # reads everything into memory
        return "\n".join(row[0] for row in await connection.fetch(statement, *arrays))
    finally:
        await connection.close()

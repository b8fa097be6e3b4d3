"""Measures the CPU time of a request by component, and the plan of a page query."""

import asyncio
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import msgspec

from atelier.store.connections.database import connect
from atelier.store.queries import queries
from bench.check import average_page_size
from bench.data import Catalogue
from bench.database_memory import warm
from bench.experiments.saturation import participants
from bench.plan import Plan
from bench.profile import proxy
from bench.profile.cost import measure
from bench.profile.floor import FLOOR, statement_cost
from bench.results import Cost, Costs, Profile, Results
from bench.runner import stage_for
from bench.stage import Stage
from bench.systems import Running, System, behind_bare_proxy, ceiling, express, fastapi, ours

PAGE, NGINX = "uniform", "nginx"
WORKLOADS = (PAGE, "hot", "answers", "votes", "mix")
PARTS = (*WORKLOADS, NGINX)

_SQL = queries("bench.profile")
_PAGES = 20
"""Products of the explained query: about as many as a busy instance queries at once."""


def profile(plan: Plan, parts: Collection[str], log: Callable[[str], None]) -> tuple[Profile, str]:
    """Measure some parts; return them, and the plan of the page statement."""
    with stage_for(plan, log) as stage:
        warm(stage.catalogue.dsn)
        found = dict(_measured(stage, parts))
        return found, asyncio.run(explained(stage.catalogue))


def _measured(stage: Stage, parts: Collection[str]) -> Iterator[tuple[str, Results]]:
    dsn = stage.catalogue.dsn
    workloads = [name for name in WORKLOADS if name in parts]
    if NGINX in parts:
        with stage.running(ours(dsn)) as [system]:
            yield NGINX, _part(stage, proxy.measure(stage, system))
    if workloads:
        with _with_ceiling(stage, ours(dsn), express(dsn), fastapi(dsn)) as running:
            for name in workloads:
                yield name, _part(stage, _workload(stage, name, running))


@contextmanager
def _with_ceiling(stage: Stage, *systems: System) -> Iterator[list[Running]]:
    """Start systems, the first of which tells how large the ceiling's response is.

    The ceiling's instances are also behind a bare proxy.
    """
    with stage.running(*systems) as some:
        size = average_page_size(some[0], stage.catalogue.products)
        with (
            stage.running(ceiling(size)) as [constant],
            behind_bare_proxy(constant, stage.folder) as bare,
        ):
            yield [*some, constant, bare]


def _workload(stage: Stage, name: str, running: list[Running]) -> Costs:
    """Measure all systems; for pages, also their statement alone."""
    floor: list[Cost] = []
    add = (lambda: floor.append(statement_cost(stage))) if name == PAGE else (lambda: None)
    costs = measure(stage, name, participants(name, running), add)
    return {**costs, FLOOR: floor} if floor else costs


def _part(stage: Stage, costs: Costs) -> Results:
    return msgspec.structs.replace(stage.results, costs=costs)


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

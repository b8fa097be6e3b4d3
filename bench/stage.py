"""The environment of an experiment: data, tools and running systems."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from atelier.local.postgres.embedded import Embedded
from bench.data import Catalogue, execute, vacuum_and_checkpoint
from bench.home import BenchHome
from bench.load import Generator
from bench.plan import Plan
from bench.results import Results
from bench.systems import Running, System, running


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts that stay the same during a run."""

    plan: Plan
    home: BenchHome
    embedded: Embedded
    catalogue: Catalogue
    load: Generator
    folder: Path
    """For the systems' sockets; accessible to nginx's workers."""
    results: Results
    log: Callable[[str], None]

    @contextmanager
    def running(self, *systems: System) -> Iterator[list[Running]]:
        """Start systems; stop them when the context ends."""
        with ExitStack() as stack:
            yield [stack.enter_context(running(system, self.folder)) for system in systems]

    def checkpoint(self) -> None:
        """Run a checkpoint, before a measurement with writes."""
        asyncio.run(execute(self.catalogue.dsn, "CHECKPOINT"))

    def vacuum_and_checkpoint(self) -> None:
        """Run the vacuum and the checkpoint that earlier writes require."""
        asyncio.run(vacuum_and_checkpoint(self.catalogue.dsn))

    def count(self, query: str) -> int:
        """Return the number that a query returns from the catalogue's database."""
        return asyncio.run(_number(self.catalogue.dsn, query))


def rotated(systems: Sequence[Running], by: int) -> list[Running]:
    """Rotate the systems by `by`, so that each round starts with a different one."""
    start = by % len(systems)
    return [*systems[start:], *systems[:start]]


async def _number(dsn: str, query: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(query) or 0)
    finally:
        await connection.close()

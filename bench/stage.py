"""Everything that an experiment works with: the data, the tools, the running systems."""

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
    """What stays the same through a run."""

    plan: Plan
    home: BenchHome
    embedded: Embedded
    catalogue: Catalogue
    load: Generator
    folder: Path
    """For the systems' sockets; nginx's workers can enter it."""
    results: Results
    log: Callable[[str], None]

    @contextmanager
    def running(self, *systems: System) -> Iterator[list[Running]]:
        """Start systems; stop them when the context ends."""
        with ExitStack() as stack:
            yield [stack.enter_context(running(system, self.folder)) for system in systems]

    def checkpoint(self) -> None:
        """Let each measurement of writes begin with everything on disk."""
        asyncio.run(execute(self.catalogue.dsn, "CHECKPOINT"))

    def vacuum_and_checkpoint(self) -> None:
        """Have done what the writes of an earlier part left to do: vacuum, and bring it to disk."""
        asyncio.run(vacuum_and_checkpoint(self.catalogue.dsn))

    def count(self, query: str) -> int:
        """Return the one number a query finds in the catalogue's database."""
        return asyncio.run(_number(self.catalogue.dsn, query))


def rotated(systems: Sequence[Running], by: int) -> list[Running]:
    """Return systems beginning with another one each round: nobody is always first."""
    start = by % len(systems)
    return [*systems[start:], *systems[:start]]


async def _number(dsn: str, query: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(query) or 0)
    finally:
        await connection.close()

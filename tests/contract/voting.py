"""Two instances on one database; votes from chosen addresses and with chosen cookies."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from falcon.testing import ASGIConductor, Result

from atelier.http.app import create_service
from atelier.local.postgres import roles
from atelier.settings import Settings
from atelier.store.connections.database import connect
from tests.support.cluster import as_role
from tests.support.data import Data

DAY = 24 * 3600.0
SECRET = "a secret of the shop"


@dataclass
class FakeClock:
    """The clock of the instances; `now` is Unix time in seconds."""

    now: float = 1000 * 90 * DAY + 5 * DAY

    def __call__(self) -> float:
        return self.now


@dataclass
class TwoInstances:
    """Two instances and a connection to their database."""

    instances: list[ASGIConductor]
    connection: asyncpg.Connection
    clock: FakeClock
    products: Iterable[int] = field(default_factory=lambda: iter(range(1, 1000)))

    async def put(
        self,
        path: str,
        address: str = "192.0.2.1",
        cookie: str | None = None,
        instance: int | None = None,
        **options: Any,  # noqa: ANN401 - the options of simulate_request
    ) -> Result:
        """Send a PUT as nginx forwards it; assert that it succeeds."""
        result = await self.send("PUT", path, address, cookie, instance, **options)
        assert (result.status_code, result.text) == (204, "")
        return result

    async def send(
        self,
        method: str,
        path: str,
        address: str = "192.0.2.1",
        cookie: str | None = None,
        instance: int | None = None,
        **options: Any,  # noqa: ANN401 - the options of simulate_request
    ) -> Result:
        """Send a request to one of the instances, by default a random one, as nginx forwards it."""
        headers = {"X-Forwarded-For": address, **options.pop("headers", {})}
        if cookie:
            headers["Cookie"] = f"another=1; atelier_voter={cookie}"
        number = random.randrange(len(self.instances)) if instance is None else instance
        result: Result = await self.instances[number].simulate_request(
            method, path, headers=headers, **options
        )
        return result

    async def put_concurrently(self, path: str, addresses: Iterable[str]) -> list[Result]:
        """Send concurrent PUTs, alternating between the instances."""
        return await asyncio.gather(
            *(self.put(path, address, instance=n % 2) for n, address in enumerate(addresses))
        )

    async def question(self) -> int:
        """Add a question; return its id."""
        return await Data(self.connection).question(next(iter(self.products)))

    async def answer(self) -> int:
        """Add an answer to a new question; return its id."""
        return await Data(self.connection).answer(await self.question())

    async def helpful(self, number: int, table: str = "questions") -> int:
        """Return the number of votes counted."""
        query = f"SELECT helpful FROM {table} WHERE id = $1"  # noqa: S608 - fixed names
        votes: int = await self.connection.fetchval(query, number)
        return votes

    async def is_hidden(self, number: int, table: str = "questions") -> bool:
        """Return whether a question or an answer is hidden."""
        query = f"SELECT reported FROM {table} WHERE id = $1"  # noqa: S608 - fixed names
        hidden: bool = await self.connection.fetchval(query, number)
        return hidden

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return [tuple(row) for row in await self.connection.fetch(query)]


@asynccontextmanager
async def two_instances(
    database: str, clock: FakeClock | None = None, **settings: object
) -> AsyncIterator[TwoInstances]:
    """Yield two instances with these settings, as the service's role of a database."""
    await roles.ensure(database)
    url = as_role(database, roles.SERVICE_ROLE)
    clock = clock or FakeClock()
    parsed = Settings(**settings)  # type: ignore[arg-type] # tests pass values of the right types
    async with AsyncExitStack() as stack:
        services = [create_service(parsed, url, clock=clock) for _ in range(2)]
        instances = [await stack.enter_async_context(ASGIConductor(s.app)) for s in services]
        connection = await connect(database)
        stack.push_async_callback(connection.close)
        yield TwoInstances(instances, connection, clock)


def is_counted(result: Result) -> bool:
    """Return whether the vote counted, according to the response."""
    return "vote-counted" not in result.headers


def new_cookie(result: Result) -> str:
    """Return the value of the cookie set by a response."""
    return result.cookies["atelier_voter"].value

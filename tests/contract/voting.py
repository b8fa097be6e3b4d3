"""Two instances on one database, and shoppers who vote from addresses and with cookies."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from falcon.testing import ASGIConductor, Result

from atelier.http.app import create_service
from atelier.settings import Settings
from atelier.store.connections.database import connect
from tests.support.data import Data

DAY = 24 * 3600.0
SECRET = "a secret of the shop"


@dataclass
class Time:
    """What the instances take for the seconds since 1970."""

    now: float = 1000 * 90 * DAY + 5 * DAY

    def __call__(self) -> float:
        return self.now


@dataclass
class Shop:
    """Two instances, and what they wrote."""

    instances: list[ASGIConductor]
    connection: asyncpg.Connection
    time: Time
    products: Iterable[int] = field(default_factory=lambda: iter(range(1, 1000)))

    async def put(
        self,
        path: str,
        address: str = "192.0.2.1",
        cookie: str | None = None,
        instance: int | None = None,
        **options: Any,  # noqa: ANN401 - whatever Falcon takes
    ) -> Result:
        """Send a PUT to one of the instances as nginx passes it on; it is done."""
        headers = {"X-Forwarded-For": address, **options.pop("headers", {})}
        if cookie:
            headers["Cookie"] = f"theirs=1; atelier_voter={cookie}"
        number = random.randrange(len(self.instances)) if instance is None else instance
        result = await self.instances[number].simulate_put(path, headers=headers, **options)
        assert (result.status_code, result.text) == (204, "")
        return result

    async def put_at_once(self, path: str, addresses: Iterable[str]) -> list[Result]:
        """Send many at once, to both instances in turn."""
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
        """Return how many votes were counted."""
        query = f"SELECT helpful FROM {table} WHERE id = $1"  # noqa: S608 - fixed names
        votes: int = await self.connection.fetchval(query, number)
        return votes

    async def is_hidden(self, number: int, table: str = "questions") -> bool:
        """Tell whether enough have reported it."""
        query = f"SELECT reported FROM {table} WHERE id = $1"  # noqa: S608 - fixed names
        hidden: bool = await self.connection.fetchval(query, number)
        return hidden

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return [tuple(row) for row in await self.connection.fetch(query)]


@asynccontextmanager
async def shop(database: str, time: Time | None = None, **settings: object) -> AsyncIterator[Shop]:
    """Yield two instances with these settings on a database."""
    time = time or Time()
    made = Settings(**settings)  # type: ignore[arg-type] # the values are the settings' own
    async with AsyncExitStack() as stack:
        services = [create_service(made, database, clock=time) for _ in range(2)]
        instances = [await stack.enter_async_context(ASGIConductor(s.app)) for s in services]
        connection = await connect(database)
        stack.push_async_callback(connection.close)
        yield Shop(instances, connection, time)


def is_counted(result: Result) -> bool:
    """Tell whether an answer says that the vote counted."""
    return "vote-counted" not in result.headers


def given(result: Result) -> str:
    """Return the cookie that came with an answer."""
    return result.cookies["atelier_voter"].value

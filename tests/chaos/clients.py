"""Clients that keep a rate whatever the service does, and check each answer's content."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from itertools import cycle

from tests.chaos.connection import Address, Connection
from tests.chaos.known_products import KnownProducts
from tests.chaos.measure import Samples, refusal

Check = Callable[[bytes], str | None]
"""Says what is wrong with a page, if anything."""
Page = tuple[str, Check]
"""Where a page is, and how to check it."""

_PATIENCE = 60.0


class Clients:
    """As many connections as requests are under way at once."""

    def __init__(self, address: Address, sources: Sequence[str] = ()) -> None:
        self._address = address
        self._sources = cycle(sources or [None])
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        taken = self._idle.pop(0) if self._idle else self._new()
        yield taken
        self._idle.append(taken)

    def _new(self) -> Connection:
        return Connection(self._address, next(self._sources))

    def close(self) -> None:
        for connection in self._idle:
            connection.close()


@asynccontextmanager
async def reading(
    address: Address,
    products: KnownProducts,
    rate: float,
    tolerated: frozenset[int] = frozenset(),
    sources: Sequence[str] = (),
) -> AsyncIterator[Samples]:
    """Read a shelf's pages at a rate while the context lasts; by turns from addresses, if given.

    An answer other than the right page is a fault, unless it is tolerated.
    """

    def any_page() -> Page:
        product_id = random.choice(list(products.pages))
        return f"/qa/questions?product_id={product_id}", partial(products.fault, product_id)

    async with _asking(address, any_page, rate, tolerated, sources) as samples:
        yield samples


@asynccontextmanager
async def asking(
    address: Address, target: str, body: bytes, rate: float, tolerated: frozenset[int]
) -> AsyncIterator[Samples]:
    """Read one page, whose bytes are known, at a rate while the context lasts."""

    def fault(found: bytes) -> str | None:
        return None if found == body else "wrong page"

    async with _asking(address, lambda: (target, fault), rate, tolerated) as samples:
        yield samples


@asynccontextmanager
async def _asking(
    address: Address,
    choose: Callable[[], Page],
    rate: float,
    tolerated: frozenset[int],
    sources: Sequence[str] = (),
) -> AsyncIterator[Samples]:
    """Send each request when it is due, whether or not earlier ones are answered."""
    samples, clients = Samples(), Clients(address, sources)

    async def read(due: float) -> None:
        async with clients.connection() as connection:
            status, fault = await _read(connection, *choose(), tolerated)
        samples.note(due, status, fault)

    async with keeping(rate, read):
        yield samples
    clients.close()


async def _read(
    connection: Connection, target: str, check: Check, tolerated: frozenset[int]
) -> tuple[int, str | None]:
    try:
        async with asyncio.timeout(_PATIENCE):
            answer = await connection.request("GET", target)
    except (OSError, EOFError) as error:
        return 0, None if 0 in tolerated else repr(error)
    if answer.status != HTTPStatus.OK:
        return answer.status, refusal(answer, tolerated)
    return answer.status, check(answer.body)


@asynccontextmanager
async def keeping(rate: float, send: Callable[[float], Awaitable[None]]) -> AsyncIterator[None]:
    """Call a function, with the time when it is due, so often a second; in the end wait for all."""
    over = asyncio.Event()
    under_way: set[asyncio.Task[None]] = set()

    async def go_on() -> None:
        due = time.monotonic()
        while not over.is_set():
            await asyncio.sleep(max(0, due - time.monotonic()))
            task = asyncio.ensure_future(send(due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            due += 1 / rate

    pacer = asyncio.create_task(go_on())
    try:
        yield
    finally:
        over.set()
        await pacer
        await asyncio.gather(*under_way)

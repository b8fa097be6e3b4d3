"""Open-loop clients: they send at a constant rate and check the content of each response."""

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
"""Returns the fault of a page, or None."""
Page = tuple[str, Check]
"""The target of a page, and its check."""

_READ_TIMEOUT = 60.0


class Clients:
    """A pool with as many connections as there are concurrent requests."""

    def __init__(self, address: Address, sources: Sequence[str] = ()) -> None:
        self._address = address
        self._sources = cycle(sources or [None])
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        connection = self._idle.pop(0) if self._idle else self._new()
        yield connection
        self._idle.append(connection)

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
    """Read pages of known products at a rate while the context lasts, from `sources` in turn.

    Any response other than the right page is a fault, unless its status is tolerated.
    """

    def any_page() -> Page:
        product_id = random.choice(list(products.pages))
        return f"/qa/questions?product_id={product_id}", partial(products.fault, product_id)

    async with _open_loop(address, any_page, rate, tolerated, sources) as samples:
        yield samples


@asynccontextmanager
async def reading_page(
    address: Address, target: str, body: bytes, rate: float, tolerated: frozenset[int]
) -> AsyncIterator[Samples]:
    """Read one page with a known body at a rate while the context lasts."""

    def fault(found: bytes) -> str | None:
        return None if found == body else "wrong page"

    async with _open_loop(address, lambda: (target, fault), rate, tolerated) as samples:
        yield samples


@asynccontextmanager
async def _open_loop(
    address: Address,
    choose: Callable[[], Page],
    rate: float,
    tolerated: frozenset[int],
    sources: Sequence[str] = (),
) -> AsyncIterator[Samples]:
    """Send each request when it is due, independent of earlier responses."""
    samples, clients = Samples(), Clients(address, sources)

    async def read(due: float) -> None:
        async with clients.connection() as connection:
            status, fault = await _read(connection, *choose(), tolerated)
        samples.record(due, status, fault)

    async with at_rate(rate, read):
        yield samples
    clients.close()


async def _read(
    connection: Connection, target: str, check: Check, tolerated: frozenset[int]
) -> tuple[int, str | None]:
    try:
        async with asyncio.timeout(_READ_TIMEOUT):
            answer = await connection.request("GET", target)
    except (OSError, EOFError) as error:
        return 0, None if 0 in tolerated else repr(error)
    if answer.status != HTTPStatus.OK:
        return answer.status, refusal(answer, tolerated)
    return answer.status, check(answer.body)


@asynccontextmanager
async def at_rate(rate: float, send: Callable[[float], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `send` with its due time `rate` times per second; finally wait for all calls."""
    stop = asyncio.Event()
    pending: set[asyncio.Task[None]] = set()

    async def run() -> None:
        due = time.monotonic()
        while not stop.is_set():
            await asyncio.sleep(max(0, due - time.monotonic()))
            task = asyncio.ensure_future(send(due))
            pending.add(task)
            task.add_done_callback(pending.discard)
            due += 1 / rate

    pacer = asyncio.create_task(run())
    try:
        yield
    finally:
        stop.set()
        await pacer
        await asyncio.gather(*pending)

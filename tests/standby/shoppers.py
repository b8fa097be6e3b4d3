"""Clients that write and read, and check that pages show all acknowledged writes."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.support.data import new_product_id
from tests.support.waiting import until

ASKED = {"body": "Does it fit?", "name": "jane", "email": "jane@example.com"}
ANSWERED = {"body": "It does.", "name": "joe", "email": "joe@example.com"}
_SECONDS = 120
_WRITTEN = """
    SELECT helpful, (SELECT count(*) FROM answers WHERE question_id = q.id)
    FROM questions q WHERE id = $1
"""


@dataclass
class Seen:
    """The responses to all clients together."""

    reads: Counter[int] = field(default_factory=Counter)
    writes: Counter[int] = field(default_factory=Counter)
    stale: list[str] = field(default_factory=list)

    async def more(self, *, reads: int = 0, writes: int = 0) -> None:
        """Wait for more successful reads and writes."""
        reads += self.reads[HTTPStatus.OK]
        writes += self.writes[HTTPStatus.NO_CONTENT]

        async def are_there() -> bool:
            return (
                self.reads[HTTPStatus.OK] >= reads and self.writes[HTTPStatus.NO_CONTENT] >= writes
            )

        await until(are_there, seconds=_SECONDS)


@dataclass
class Shopper:
    """Votes on and answers one question, and after each write reads it from any instance."""

    clients: Sequence[httpx.AsyncClient]
    seen: Seen
    product_id: int = field(default_factory=new_product_id)
    question_id: int = 0
    votes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)

    async def ask(self) -> None:
        question = {**ASKED, "product_id": self.product_id}
        response = await self._anyone.post("/qa/questions", json=question)
        assert response.status_code == HTTPStatus.CREATED
        [page] = await self._page() or []
        self.question_id = page["question_id"]

    async def write_and_read(self) -> None:
        if random.random() < 0.8:
            await self._write("PUT", f"/qa/questions/{self.question_id}/helpful", self.votes)
        else:
            await self._write("POST", f"/qa/questions/{self.question_id}/answers", self.answers)
        await self.read()

    async def read(self) -> None:
        """Read the page: acknowledged writes must show, those with an unknown outcome may."""
        votes, answers = self.votes["done"], self.answers["done"]
        page = await self._page()
        if page is not None:
            [shown] = page or [{"question_helpfulness": -1, "answers": {}}]
            self._check("votes", votes, shown["question_helpfulness"], self.votes)
            self._check("answers", answers, len(shown["answers"]), self.answers)

    async def _page(self) -> list[dict[str, Any]] | None:
        response = await self._anyone.get(f"/qa/questions?product_id={self.product_id}")
        self.seen.reads[response.status_code] += 1
        results: list[dict[str, Any]] | None = None
        if response.is_success:
            results = response.json()["results"]
        return results

    async def _write(self, method: str, path: str, written: Counter[str]) -> None:
        body = ANSWERED if method == "POST" else None
        response = await self._anyone.request(method, path, json=body)
        self.seen.writes[response.status_code] += 1
        written["done" if response.is_success else "perhaps"] += 1

    def _check(self, what: str, minimum: int, shown: int, written: Counter[str]) -> None:
        if not minimum <= shown <= written["done"] + written["perhaps"]:
            self.seen.stale.append(f"{shown} {what} shown, {minimum} done, {dict(written)} by now")

    @property
    def _anyone(self) -> httpx.AsyncClient:
        return random.choice(self.clients)


@asynccontextmanager
async def shopping(sockets: Sequence[Path], *, shoppers: int) -> AsyncIterator[list[Shopper]]:
    """Yield clients with one question each; each request goes to a random instance."""
    seen = Seen()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(socket)) for socket in sockets]
        all_shoppers = [Shopper(clients, seen) for _ in range(shoppers)]
        await asyncio.gather(*(shopper.ask() for shopper in all_shoppers))
        yield all_shoppers


@asynccontextmanager
async def busy(all_shoppers: Sequence[Shopper]) -> AsyncIterator[Seen]:
    """Let clients write and read continuously in the context."""
    stop = asyncio.Event()

    async def run(shopper: Shopper) -> None:
        while not stop.is_set():
            await shopper.write_and_read()

    tasks = [asyncio.create_task(run(shopper)) for shopper in all_shoppers]
    try:
        yield all_shoppers[0].seen
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def assert_kept(connection: asyncpg.Connection, shopper: Shopper) -> None:
    """Assert that each acknowledged write is stored once; one with a lost response may be."""
    row = await connection.fetchrow(_WRITTEN, shopper.question_id)
    assert row
    for kept, written in zip(row, (shopper.votes, shopper.answers), strict=True):
        assert written["done"] <= kept <= written["done"] + written["perhaps"]


def _client(socket: Path) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    return httpx.AsyncClient(transport=transport, base_url="http://instance", timeout=30)

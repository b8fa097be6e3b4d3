"""Clients that write, retry with the same Idempotency-Key, and count acknowledged writes."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import asyncpg

from tests.chaos.connection import Address, Connection, Response
from tests.chaos.measure import Samples, refusal
from tests.support.data import Data, new_product_id

_WRITE_TIMEOUT = 60.0
_RETRY_DELAY = 0.1
_NO_ANSWER = Response(0, {}, b"")


@dataclass
class Writer:
    """Writes to its own question, so that it knows the expected page at any time."""

    connection: Connection
    samples: Samples
    tolerated: frozenset[int]
    product_id: int
    question_id: int
    keyed: bool = True
    votes: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    async def write_and_read(self) -> None:
        """Write until acknowledged; then check that the page shows the write exactly once."""
        if random.random() < 0.8:
            path = f"/qa/questions/{self.question_id}/helpful"
            if await self._write("PUT", path, b"", HTTPStatus.NO_CONTENT):
                self.votes += 1
        else:
            text = str(uuid4())
            answer = {"body": text, "name": "joe", "email": "joe@example.com"}
            path = f"/qa/questions/{self.question_id}/answers"
            if await self._write("POST", path, json.dumps(answer).encode(), HTTPStatus.CREATED):
                self.answers[text] += 1
        await self._read()

    async def _write(self, method: str, path: str, body: bytes, expected: HTTPStatus) -> bool:
        """Send a write, with retries after tolerated statuses; return whether it succeeded."""
        key = {"Idempotency-Key": str(uuid4())} if self.keyed else {}
        async with asyncio.timeout(_WRITE_TIMEOUT):
            while True:
                answer = await self._send(method, path, body, key, expected)
                if answer.status not in self.tolerated:
                    return answer.status == expected
                await asyncio.sleep(_RETRY_DELAY * random.uniform(0.5, 1.5))

    async def _read(self) -> None:
        path = f"/qa/questions?product_id={self.product_id}"
        answer = await self._send("GET", path, b"", {}, HTTPStatus.OK)
        if answer.status != HTTPStatus.OK:
            return
        shown, written = _shown(answer.body), (self.votes, self.answers)
        if shown != written:
            self.samples.record(time.monotonic(), answer.status, f"{shown} shown of {written}")

    async def _send(
        self, method: str, path: str, body: bytes, fields: dict[str, str], expected: HTTPStatus
    ) -> Response:
        """Return the response; record a fault if it is neither expected nor tolerated."""
        start = time.monotonic()
        try:
            answer = await self.connection.request(method, path, body, fields)
        except (OSError, EOFError):
            answer = _NO_ANSWER
        fault = None if answer.status == expected else refusal(answer, self.tolerated)
        self.samples.record(start, answer.status, fault)
        return answer


def _shown(body: bytes) -> tuple[int, Counter[str]]:
    """Return the votes and answers on a page; -1 votes if the question is missing."""
    results = json.loads(body)["results"]
    if not results:
        return -1, Counter()
    [question] = results
    answers: dict[str, dict[str, Any]] = question["answers"]
    return question["question_helpfulness"], Counter(a["body"] for a in answers.values())


@asynccontextmanager
async def writing(
    address: Address,
    connection: asyncpg.Connection,
    rate: float,
    tolerated: frozenset[int],
    *,
    keyed: bool = True,
) -> AsyncIterator[tuple[Samples, Sequence[Writer]]]:
    """Write at a rate, or as fast as responses allow, while the context lasts.

    Unexpected responses are faults, except tolerated ones, which are retried.
    """
    samples, data = Samples(), Data(connection)
    writers = []
    for _ in range(max(4, int(rate / 10))):
        product_id = new_product_id()
        question_id = await data.question(product_id)
        writers.append(
            Writer(Connection(address), samples, tolerated, product_id, question_id, keyed)
        )
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_run(each, rate / len(writers), stop)) for each in writers]
    try:
        yield samples, writers
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        for writer in writers:
            writer.connection.close()


async def _run(writer: Writer, rate: float, stop: asyncio.Event) -> None:
    due = time.monotonic() + random.random() / rate
    while not stop.is_set():
        await asyncio.sleep(max(0, due - time.monotonic()))
        await writer.write_and_read()
        due = max(due + 1 / rate, time.monotonic())

"""Combines concurrent requests into batches."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from time import perf_counter
from typing import Generic, TypeVar

from atelier import metrics

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class OverloadedError(Exception):
    """The queue is full: try again later."""


class Batcher(Generic[Key, Result]):
    """Collects keys while a batch is running; the next batch takes all of them.

    When idle, a key is sent at once as a batch of one; under load, batches grow. One batch runs at
    a time. A key submitted several times is in a batch once, with the number of submissions.
    A key never joins a running batch: its result could be older than the request.
    The queue is bounded, and when a batch times out, all queued keys fail with it: no request
    waits longer than two batches take.
    """

    def __init__(
        self,
        kind: str,
        run: Callable[[Mapping[Key, int]], Awaitable[Mapping[Key, Result]]],
        *,
        max_batch: int,
        max_waiting: int = 1000,
    ) -> None:
        """Take the name in metrics, the function that runs a batch, and the limits.

        `max_batch` limits the keys of a batch, `max_waiting` the requests in the queue.
        """
        self._run = run
        self._max_batch = max_batch
        self._capacity = max_waiting
        self._waiting: dict[Key, list[asyncio.Future[Result]]] = {}
        self._waiting_since = 0.0
        self._draining: asyncio.Task[None] | None = None
        self._keys = metrics.BATCH_KEYS.labels(kind)
        self._wait_seconds = metrics.BATCH_WAIT_SECONDS.labels(kind)
        self._seconds = metrics.BATCH_SECONDS.labels(kind)
        metrics.WAITING.labels(kind).set_function(lambda: max_waiting - self._capacity)

    def submit(self, key: Key) -> asyncio.Future[Result]:
        """Return a future of the result for a key, or of the exception that its batch raises.

        Raises OverloadedError at once if the queue is full.
        """
        if not self._capacity:
            raise OverloadedError
        self._capacity -= 1
        if not self._waiting:
            self._waiting_since = perf_counter()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if not self._draining:
            self._draining = asyncio.create_task(self._drain())
        return future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._send(self._take())
                await asyncio.sleep(0)  # let clients that got a result join the next batch
        finally:
            self._draining = None

    def _take(self) -> dict[Key, list[asyncio.Future[Result]]]:
        if len(self._waiting) <= self._max_batch:
            batch, self._waiting = self._waiting, {}
        else:
            keys = list(self._waiting)[: self._max_batch]
            batch = {key: self._waiting.pop(key) for key in keys}
        self._capacity += sum(map(len, batch.values()))
        self._keys.observe(len(batch))
        self._wait_seconds.observe(perf_counter() - self._waiting_since)
        return batch

    async def _send(self, batch: dict[Key, list[asyncio.Future[Result]]]) -> None:
        try:
            with self._seconds.time():
                results = await self._run({key: len(futures) for key, futures in batch.items()})
        except TimeoutError as error:
            _fail(batch, error)
            while self._waiting:
                _fail(self._take(), error)
        except Exception as error:  # noqa: BLE001 - raised by the futures
            _fail(batch, error)
        else:
            for key, futures in batch.items():
                for future in futures:
                    if not future.done():
                        future.set_result(results[key])


def _fail(batch: Mapping[Key, list[asyncio.Future[Result]]], error: Exception) -> None:
    for futures in batch.values():
        for future in futures:
            if not future.done():
                future.set_exception(error)

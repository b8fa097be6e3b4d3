"""Combines concurrent requests into batches."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from atelier import metrics

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")
Taken_contra = TypeVar("Taken_contra", contravariant=True)


class Waiter(Protocol[Taken_contra]):
    """What a result is given to: a future, or something that takes it at once."""

    def done(self) -> bool:
        """Return whether the result is no longer wanted."""

    def set_result(self, result: Taken_contra, /) -> None:
        """Take the result; raise nothing."""

    def set_exception(self, error: Exception, /) -> None:
        """Take the exception that the batch raised; raise nothing."""


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
        self._waiting: dict[Key, list[Waiter[Result]]] = {}
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
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.add(key, future)
        return future

    def add(self, key: Key, waiter: Waiter[Result]) -> None:
        """Give a waiter the result for a key, or the exception that its batch raises.

        Raises OverloadedError at once if the queue is full.
        """
        if not self._capacity:
            raise OverloadedError
        self._capacity -= 1
        if not self._waiting:
            self._waiting_since = perf_counter()
        self._waiting.setdefault(key, []).append(waiter)
        if not self._draining:
            self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._send(self._take())
                await asyncio.sleep(0)  # let clients that got a result join the next batch
        finally:
            self._draining = None

    def _take(self) -> dict[Key, list[Waiter[Result]]]:
        if len(self._waiting) <= self._max_batch:
            batch, self._waiting = self._waiting, {}
        else:
            keys = list(self._waiting)[: self._max_batch]
            batch = {key: self._waiting.pop(key) for key in keys}
        self._capacity += sum(map(len, batch.values()))
        self._keys.observe(len(batch))
        self._wait_seconds.observe_since(self._waiting_since)
        return batch

    async def _send(self, batch: dict[Key, list[Waiter[Result]]]) -> None:
        try:
            results = await self._results({key: len(waiters) for key, waiters in batch.items()})
        except TimeoutError as error:
            _fail(batch, error)
            while self._waiting:
                _fail(self._take(), error)
        except Exception as error:  # noqa: BLE001 - given to the waiters
            _fail(batch, error)
        else:
            for key, waiters in batch.items():
                for waiter in waiters:
                    if not waiter.done():
                        waiter.set_result(results[key])

    async def _results(self, batch: Mapping[Key, int]) -> Mapping[Key, Result]:
        started_at = perf_counter()
        try:
            return await self._run(batch)
        finally:
            self._seconds.observe_since(started_at)


def _fail(batch: Mapping[Key, list[Waiter[Result]]], error: Exception) -> None:
    for waiters in batch.values():
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)

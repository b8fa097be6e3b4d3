"""Batcher, with batches whose end the test controls."""

import asyncio
from collections.abc import Mapping

import pytest

from atelier.store.batcher import Batcher, OverloadedError


class Runner:
    """Runs batches that block until the test releases them."""

    def __init__(self) -> None:
        self.batches: list[dict[str, int]] = []
        self.gate = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, batch: Mapping[str, int]) -> dict[str, str]:
        self.batches.append(dict(batch))
        await self.gate.acquire()
        if self.error:
            raise self.error
        return {key: key.upper() for key in batch}


async def submit_all(batcher: Batcher[str, str], keys: str) -> list[asyncio.Future[str]]:
    tasks = [batcher.submit(key) for key in keys]
    await asyncio.sleep(0.01)
    return tasks


async def test_idle_batcher_sends_at_once() -> None:
    runner = Runner()
    [task] = await submit_all(Batcher("test", runner, max_batch=10), "a")
    assert runner.batches == [{"a": 1}]
    runner.gate.release()
    assert await task == "A"


async def test_waiting_keys_form_one_batch_with_equal_keys_once() -> None:
    runner = Runner()
    batcher = Batcher("test", runner, max_batch=10)
    first = await submit_all(batcher, "a")
    waiting = await submit_all(batcher, "bcbbd")
    runner.gate.release()
    runner.gate.release()
    assert await asyncio.gather(*first, *waiting) == ["A", "B", "C", "B", "B", "D"]
    assert runner.batches == [{"a": 1}, {"b": 3, "c": 1, "d": 1}]


async def test_key_never_joins_a_running_batch() -> None:
    runner = Runner()
    batcher = Batcher("test", runner, max_batch=10)
    await submit_all(batcher, "a")
    later = await submit_all(batcher, "a")
    runner.gate.release()
    runner.gate.release()
    assert await later[0] == "A"
    assert runner.batches == [{"a": 1}, {"a": 1}]


async def test_batch_size_is_limited_and_all_keys_are_sent() -> None:
    runner = Runner()
    batcher = Batcher("test", runner, max_batch=2)
    tasks = await submit_all(batcher, "abcdef")
    for _ in range(4):
        runner.gate.release()
    assert await asyncio.gather(*tasks) == list("ABCDEF")
    assert [len(batch) for batch in runner.batches] == [2, 2, 2]


async def test_key_submitted_after_a_result_joins_the_next_batch() -> None:
    runner = Runner()
    batcher = Batcher("test", runner, max_batch=10)

    async def ask_twice() -> None:
        await batcher.submit("a")
        await batcher.submit("a")

    asking = asyncio.create_task(ask_twice())
    await asyncio.sleep(0.01)
    waiting = await submit_all(batcher, "b")
    runner.gate.release()
    await asyncio.sleep(0.01)
    assert runner.batches == [{"a": 1}, {"b": 1, "a": 1}]
    runner.gate.release()
    await asyncio.gather(asking, *waiting)


async def test_error_fails_its_batch_only() -> None:
    runner = Runner()
    batcher = Batcher("test", runner, max_batch=10)
    runner.error = ConnectionError("gone")
    failing = await submit_all(batcher, "ab")
    later = await submit_all(batcher, "c")
    runner.gate.release()
    outcomes = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    runner.error = None
    runner.gate.release()
    assert await later[0] == "C"


async def test_cancelled_request_does_not_affect_others_with_its_key() -> None:
    runner = Runner()
    batcher = Batcher("test", runner, max_batch=10)
    await submit_all(batcher, "a")
    cancelled, other = await submit_all(batcher, "bb")
    cancelled.cancel()
    runner.gate.release()
    runner.gate.release()
    assert await other == "B"


async def test_full_queue_rejects_at_once() -> None:
    runner = Runner()
    batcher = Batcher("test", runner, max_batch=10, max_waiting=2)
    await submit_all(batcher, "a")
    waiting = await submit_all(batcher, "bc")
    with pytest.raises(OverloadedError):
        await batcher.submit("d")
    for _ in range(2):
        runner.gate.release()
    assert await asyncio.gather(*waiting) == ["B", "C"]
    later = await submit_all(batcher, "d")
    runner.gate.release()
    assert await later[0] == "D"


async def test_timed_out_batch_fails_all_queued_keys() -> None:
    runner = Runner()
    runner.error = TimeoutError()
    batcher = Batcher("test", runner, max_batch=1)
    first = await submit_all(batcher, "a")
    waiting = await submit_all(batcher, "bc")
    runner.gate.release()
    outcomes = await asyncio.gather(*first, *waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 3
    assert runner.batches == [{"a": 1}]

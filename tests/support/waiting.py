"""Polls until a condition holds."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_SECONDS = 60
_PAUSE = 0.02


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = _SECONDS) -> None:
    """Return once a condition holds; fail if it does not in time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(_PAUSE)


def wait_until(condition: Callable[[], object], failure: str, seconds: float = _SECONDS) -> None:
    """Return once a condition holds; fail with a message if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(_PAUSE)

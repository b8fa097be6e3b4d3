"""Waiting for something to come about."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_SECONDS = 60
_PAUSE = 0.02


async def until(comes_about: Callable[[], Awaitable[bool]], seconds: float = _SECONDS) -> None:
    """Return once a condition holds; fail if it does not in time."""
    async with asyncio.timeout(seconds):
        while not await comes_about():  # noqa: ASYNC110 - servers set no event
            await asyncio.sleep(_PAUSE)


def wait_until(holds: Callable[[], object], or_else: str, seconds: float = _SECONDS) -> None:
    """Return once a condition holds; fail, saying what was in vain, if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, or_else
        time.sleep(_PAUSE)

"""Waiting for something to come about."""

import asyncio
from collections.abc import Awaitable, Callable

_SECONDS = 30


async def until(comes_about: Callable[[], Awaitable[bool]], seconds: float = _SECONDS) -> None:
    """Return once a condition holds; fail if it does not in time."""
    async with asyncio.timeout(seconds):
        while not await comes_about():  # noqa: ASYNC110 - servers set no event
            await asyncio.sleep(0.02)

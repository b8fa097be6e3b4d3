"""Asks a server whether it is ready to serve."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_ANSWER_SECONDS = 10.0


async def is_ready(address: Path | int) -> bool:
    """Say whether a server answers GET /ready with 200, on a unix socket or a local port."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await _ask(_opener(address))
    except OSError:  # a TimeoutError is one
        return False


def _opener(address: Path | int) -> Callable[[], Awaitable[Streams]]:
    if isinstance(address, Path):
        return partial(asyncio.open_unix_connection, address)
    return partial(asyncio.open_connection, "127.0.0.1", address)


async def _ask(connect: Callable[[], Awaitable[Streams]]) -> bool:
    reader, writer = await connect()
    try:
        writer.write(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b" 200 " in await reader.readline()
    finally:
        writer.close()

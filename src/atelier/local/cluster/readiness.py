"""Asks a server whether it is ready to serve."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.cluster.process import SupervisedProcess

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_ANSWER_SECONDS = 3.0
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05


async def until_ready(
    address: Path | int, process: SupervisedProcess, preface: bytes = b""
) -> None:
    """Wait for a process to be ready; raise AtelierError if it ends or takes too long.

    `preface` is what it expects before a request (the PROXY protocol).
    """
    ended = process.exits
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await is_ready(address, preface=preface):
                if process.exits > ended:
                    raise AtelierError(f"{process.name} ended while starting: its log says why.")
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise AtelierError(f"{process.name} is not ready after {_READY_SECONDS:.0f} s.") from error


async def is_ready(address: Path | int, path: str = "/ready", preface: bytes = b"") -> bool:
    """Say whether a server answers GET /ready, or the path given, with 200.

    The server is on a unix socket or a local port.
    """
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await _ask(_opener(address), path, preface)
    except OSError:  # a TimeoutError is one
        return False


def _opener(address: Path | int) -> Callable[[], Awaitable[Streams]]:
    if isinstance(address, Path):
        return partial(asyncio.open_unix_connection, address)
    return partial(asyncio.open_connection, "127.0.0.1", address)


async def _ask(connect: Callable[[], Awaitable[Streams]], path: str, preface: bytes) -> bool:
    reader, writer = await connect()
    try:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        writer.write(preface + head.encode())
        return b" 200 " in await reader.readline()
    finally:
        writer.close()

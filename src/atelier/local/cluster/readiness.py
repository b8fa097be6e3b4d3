"""Polls a server's readiness endpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.cluster.process import SupervisedProcess

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_RESPONSE_SECONDS = 3.0
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05


async def until_ready(
    address: Path | int, process: SupervisedProcess, preface: bytes = b""
) -> None:
    """Wait for a process to be ready; raise AtelierError if it ends or takes too long.

    `preface` is sent before the request: a PROXY protocol header.
    """
    exits = process.exits
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await is_ready(address, preface=preface):
                if process.exits > exits:
                    raise AtelierError(f"{process.name} exited while starting: see its log.")
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise AtelierError(f"{process.name} is not ready after {_READY_SECONDS:.0f} s.") from error


async def is_ready(address: Path | int, path: str = "/ready", preface: bytes = b"") -> bool:
    """Return whether GET /ready, or another path, has status 200 on a socket or local port."""
    try:
        async with asyncio.timeout(_RESPONSE_SECONDS):
            return await _get(_opener(address), path, preface)
    except OSError:  # includes TimeoutError
        return False


def _opener(address: Path | int) -> Callable[[], Awaitable[Streams]]:
    if isinstance(address, Path):
        return partial(asyncio.open_unix_connection, address)
    return partial(asyncio.open_connection, "127.0.0.1", address)


async def _get(connect: Callable[[], Awaitable[Streams]], path: str, preface: bytes) -> bool:
    reader, writer = await connect()
    try:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        writer.write(preface + head.encode())
        return b" 200 " in await reader.readline()
    finally:
        writer.close()

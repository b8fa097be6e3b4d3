"""Connects to one of the hosts of a URL, for example to the primary."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from atelier.store.connections.url import DatabaseUrl

Connect: TypeAlias = Callable[..., Coroutine[Any, Any, asyncpg.Connection]]
_BACKOFF_SECONDS = 0.1


def with_backoff(connect: Connect) -> Connect:
    """Wrap `connect`: after a failure, it fails at once for a tenth of a second.

    Otherwise, without a primary, each request would make every standby start a process.
    """
    paused_until = float("-inf")

    async def connect_with_backoff(*args: Any, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
        nonlocal paused_until
        clock = asyncio.get_running_loop().time
        if clock() < paused_until:
            raise ConnectionRefusedError("the previous connection attempt has just failed")
        try:
            return await connect(*args, **options)
        except Exception:
            paused_until = clock() + _BACKOFF_SECONDS
            raise

    return connect_with_backoff


async def connect_to_primary(dsn: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
    """Open a connection to the current primary among the hosts of a URL.

    Raises the exception of one of the hosts, or ConnectionError if none is a primary.
    """
    options |= {"target_session_attrs": SessionAttribute.primary}
    return await _connect_to_first(dsn, options)


async def connect_to_any(dsn: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
    """Open a connection to the first host of a URL that responds; raise if all fail."""
    return await _connect_to_first(dsn, options)


async def _connect_to_first(dsn: str, options: dict[str, Any]) -> asyncpg.Connection:
    """Try all hosts concurrently, so that an unresponsive one causes no delay."""
    hosts = DatabaseUrl.parse(dsn).per_host()
    attempts = [asyncio.create_task(_try(host, options)) for host in hosts]
    failures: list[Exception] = []
    connected: asyncpg.Connection | None = None
    try:
        for attempt in asyncio.as_completed(attempts):
            result = await attempt
            if isinstance(result, asyncpg.Connection):
                connected = result
                return connected
            failures.append(result)
    finally:
        for task in attempts:
            task.cancel()
            task.add_done_callback(partial(_discard, connected))
    # A server's own message says more than a failed connection to another one.
    raise max(failures, key=lambda failure: isinstance(failure, asyncpg.PostgresError))


def _discard(
    used: asyncpg.Connection | None, attempt: asyncio.Task[asyncpg.Connection | Exception]
) -> None:
    """Close the connection of an attempt that another one, or its cancellation, has overtaken."""
    result = None if attempt.cancelled() else attempt.result()
    if isinstance(result, asyncpg.Connection) and result is not used:
        result.terminate()


async def _try(dsn: str, options: dict[str, Any]) -> asyncpg.Connection | Exception:
    try:
        connection: asyncpg.Connection = await asyncpg.connect(dsn, **options)
    except asyncpg.TargetServerAttributeNotMatched:
        return ConnectionError("the server is a standby")
    except Exception as error:  # noqa: BLE001 - raised if no other host is suitable
        return error
    return connection

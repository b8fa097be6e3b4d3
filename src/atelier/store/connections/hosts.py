"""An address that names several servers, and which of them is the primary."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from atelier.store.connections.url import DatabaseUrl

Connect: TypeAlias = Callable[..., Coroutine[Any, Any, asyncpg.Connection]]
_BACKOFF_SECONDS = 0.1


def with_backoff(connect: Connect) -> Connect:
    """Return a way to connect that, after a failure, fails at once for a tenth of a second.

    Else, with the primary gone, each request would have every standby make a process.
    """
    paused_until = float("-inf")

    async def connect_with_backoff(*args: Any, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
        nonlocal paused_until
        clock = asyncio.get_running_loop().time
        if clock() < paused_until:
            raise ConnectionRefusedError("refused a moment ago")
        try:
            return await connect(*args, **options)
        except Exception:
            paused_until = clock() + _BACKOFF_SECONDS
            raise

    return connect_with_backoff


async def connect_to_primary(dsn: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
    """Open a connection to the server of a URL that is the primary now.

    Raises what one of the servers raised, or ConnectionError where none is a primary.
    """
    return await _first(dsn, options | {"target_session_attrs": SessionAttribute.primary})


async def connect_to_any(dsn: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
    """Open a connection to the server of a URL that answers first; raise what one raised."""
    return await _first(dsn, options)


async def _first(dsn: str, options: dict[str, Any]) -> asyncpg.Connection:
    """Ask all servers at once, so that one which is dead without a word delays nobody."""
    hosts = DatabaseUrl.parse(dsn).each_host()
    attempts = [asyncio.create_task(_try(host, options)) for host in hosts]
    failures: list[Exception] = []
    try:
        for attempt in asyncio.as_completed(attempts):
            result = await attempt
            if isinstance(result, asyncpg.Connection):
                return result
            failures.append(result)
    finally:
        for task in attempts:
            task.cancel()
    # What a server said tells more than that another one is not there.
    raise max(failures, key=lambda failure: isinstance(failure, asyncpg.PostgresError))


async def _try(dsn: str, options: dict[str, Any]) -> asyncpg.Connection | Exception:
    try:
        connection: asyncpg.Connection = await asyncpg.connect(dsn, **options)
    except asyncpg.TargetServerAttributeNotMatched:
        return ConnectionError("the server is a standby")
    except Exception as error:  # noqa: BLE001 - raised if no other server will do
        return error
    return connection

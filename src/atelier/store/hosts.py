"""An address that names several servers, and which of them is the primary."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

Connect: TypeAlias = Callable[..., Coroutine[Any, Any, asyncpg.Connection]]
_PAUSE_AFTER_FAILURE = 0.1


def each_host(dsn: str) -> list[str]:
    """Return an address for each server that a PostgreSQL URL names, in the URL's order."""
    parts = urlsplit(dsn)
    user, at, hosts = parts.netloc.rpartition("@")
    if hosts:
        return [parts._replace(netloc=f"{user}{at}{host}").geturl() for host in hosts.split(",")]
    query = dict(parse_qsl(parts.query))
    if "," not in query.get("host", ""):
        return [dsn]
    named, ports = query["host"].split(","), query.pop("port", "5432").split(",")
    ports = ports * len(named) if len(ports) == 1 else ports
    if len(ports) != len(named):
        raise asyncpg.ClientConfigurationError(f"{len(named)} hosts, but {len(ports)} ports")
    places = [{"host": host, "port": port} for host, port in zip(named, ports, strict=True)]
    return [parts._replace(query=urlencode(query | place)).geturl() for place in places]


def with_pauses(connect: Connect) -> Connect:
    """Return a way to connect that, after a failure, fails at once for a tenth of a second.

    Else, with the primary gone, each request would have every standby make a process.
    """
    paused_until = float("-inf")

    async def connect_with_pauses(*args: Any, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
        nonlocal paused_until
        clock = asyncio.get_running_loop().time
        if clock() < paused_until:
            raise ConnectionRefusedError("refused a moment ago")
        try:
            return await connect(*args, **options)
        except Exception:
            paused_until = clock() + _PAUSE_AFTER_FAILURE
            raise

    return connect_with_pauses


async def connect_to_primary(dsn: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's
    """Open a connection to the server of a URL that is the primary now.

    All are asked at once, so that one which is dead without a word delays nobody. Raises what one
    of them raised, or ConnectionError where none is a primary.
    """
    attempts = [asyncio.create_task(_try(host, options)) for host in each_host(dsn)]
    failure: Exception = ConnectionError("no server is named")
    try:
        for attempt in asyncio.as_completed(attempts):
            result = await attempt
            if isinstance(result, asyncpg.Connection):
                return result
            failure = result
        raise failure
    finally:
        for task in attempts:
            task.cancel()


async def _try(dsn: str, options: dict[str, Any]) -> asyncpg.Connection | Exception:
    try:
        connection: asyncpg.Connection = await asyncpg.connect(
            dsn, target_session_attrs=SessionAttribute.primary, **options
        )
    except asyncpg.TargetServerAttributeNotMatched:
        return ConnectionError("the server is a standby")
    except Exception as error:  # noqa: BLE001 - raised if no other server is the primary
        return error
    return connection

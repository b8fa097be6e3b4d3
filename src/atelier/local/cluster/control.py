"""The control socket of a running `atelier up`: JSON lines, accessible to its owner only."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from atelier.errors import AtelierError
from atelier.local.host.home import Home
from atelier.local.host.registry import running_elsewhere

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Handles a request and returns its JSON result; raises AtelierError if it fails."""

_TIMEOUT_SECONDS = 600.0


def address(home: Home) -> Path:
    """Return the control socket of a home's service."""
    return home.run / "service" / "control.sock"


@asynccontextmanager
async def served(path: Path, handlers: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Serve requests in the context; `{"do": NAME, …}` is passed to the handler NAME."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = json.loads(await reader.readline())
            writer.write(json.dumps(await _result(command, handlers)).encode() + b"\n")
            await writer.drain()
        except (ValueError, OSError):  # malformed request, or the client has disconnected
            pass
        finally:
            writer.close()

    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(handle, path)
    finally:
        os.umask(before)
    async with server:
        yield


def request(home: Home, do: str, **details: object) -> Any:  # noqa: ANN401 - any JSON
    """Send a request to a running service and return its result; raise AtelierError."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_TIMEOUT_SECONDS)
        try:
            connection.connect(str(address(home)))
            connection.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
            with connection.makefile() as lines:
                line = lines.readline()
        except PermissionError as error:
            raise AtelierError(
                f"The service in {home.path} belongs to another user: run this as that user or "
                "root."
            ) from error
        except OSError as error:
            raise _not_running(home.path) from error
    if not line:
        raise AtelierError("The service stopped before it responded.")
    result = json.loads(line)
    if "error" in result:
        raise AtelierError(result["error"])
    return result["done"]


def _not_running(path: Path) -> AtelierError:
    if other := running_elsewhere(path):
        remedy = f"yours runs in {other}: set ATELIER_HOME to that folder"
    else:
        remedy = "start it with `atelier up`"
    return AtelierError(f"The service is not running in {path}: {remedy}.")


async def _result(command: Mapping[str, Any], handlers: Mapping[str, Handler]) -> dict[str, Any]:
    try:
        return {"done": await handlers[command["do"]](command)}
    except AtelierError as error:
        return {"error": str(error)}
    except (KeyError, TypeError, ValueError) as error:
        return {"error": f"The service does not understand {command}: {error!r}"}

"""How commands talk to a running `atelier up`: lines of JSON on a unix socket of the owner's."""

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

Answer = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Does what a request asks for and returns what is to be told; AtelierError if it cannot."""

_SECONDS = 600.0


def address(home: Home) -> Path:
    """Return the socket of a home's service."""
    return home.run / "service" / "control.sock"


@asynccontextmanager
async def served(path: Path, answers: Mapping[str, Answer]) -> AsyncIterator[None]:
    """Answer requests while the context lasts; `{"do": NAME, …}` goes to the answer NAME."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            writer.write(json.dumps(await _result(request, answers)).encode() + b"\n")
            await writer.drain()
        except (ValueError, OSError):  # no line of ours, or the asker is gone
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


def ask(home: Home, do: str, **details: object) -> Any:  # noqa: ANN401 - what its answer returns
    """Have a running service do something and return what it tells; raise AtelierError."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        try:
            connection.connect(str(address(home)))
            connection.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
            with connection.makefile() as lines:
                line = lines.readline()
        except PermissionError as error:
            raise AtelierError(
                f"The service in {home.path} is another user's: ask as that user, or as root."
            ) from error
        except OSError as error:
            raise _not_running(home.path) from error
    if not line:
        raise AtelierError("The service stopped before it answered.")
    result = json.loads(line)
    if "error" in result:
        raise AtelierError(result["error"])
    return result["done"]


def _not_running(path: Path) -> AtelierError:
    if other := running_elsewhere(path):
        remedy = f"yours runs in {other}: set ATELIER_HOME to that"
    else:
        remedy = "start it with `atelier up`"
    return AtelierError(f"The service does not run in {path}: {remedy}.")


async def _result(request: Mapping[str, Any], answers: Mapping[str, Answer]) -> dict[str, Any]:
    try:
        return {"done": await answers[request["do"]](request)}
    except AtelierError as error:
        return {"error": str(error)}
    except (KeyError, TypeError, ValueError) as error:
        return {"error": f"The service does not understand {request}: {error!r}"}

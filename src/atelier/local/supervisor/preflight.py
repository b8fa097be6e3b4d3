"""Checks before anything is started: the home and the port must not be in use."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from atelier.errors import AtelierError
from atelier.local.host.home import Home
from atelier.local.host.locks import exclusive
from atelier.local.host.registry import registered

_FIRST_UNPRIVILEGED = 1024
_MAX_PORT = 65535


def address_of(port: int) -> str:
    """Return the URL of the service."""
    return f"http://127.0.0.1:{port}"


@contextmanager
def exclusive_service(home: Home, port: int) -> Iterator[None]:
    """Let one service at a time run in a home folder; raise AtelierError if another is running."""
    try:
        with exclusive(home.lock("up"), wait=False) as file:
            file.truncate(0)
            file.write(f"{address_of(port)} (process {os.getpid()})")
            file.flush()
            try:
                with registered(home.path):
                    yield
            finally:
                file.truncate(0)
    except BlockingIOError as error:
        raise AtelierError(
            f"The service is already running here: {home.lock('up').read_text()}. "
            "Stop it first, or set ATELIER_HOME and PORT to run another."
        ) from error


def check_port(port: int) -> None:
    """Try to listen on the port; raise AtelierError if it cannot be used."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError as error:
            raise AtelierError(
                f"Port {port} cannot be used: {error.strerror}. "
                f"Set PORT to another, for example `PORT={_another(port)} make up`."
            ) from error


def _another(port: int) -> int:
    """Return another port; ordinary users may not use those below 1024."""
    if port < _FIRST_UNPRIVILEGED:
        return port + 8000
    return port + 1 if port < _MAX_PORT else port - 1

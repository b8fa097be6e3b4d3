"""The service for tests: instances behind nginx, as `atelier up` runs them, on any database."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from atelier.local.cluster.readiness import is_ready
from atelier.local.host.account import die_with_parent
from atelier.local.nginx import nginx
from atelier.settings import Settings
from atelier.store.connections.url import DatabaseUrl
from tests.support.postgres import temporary_folder
from tests.support.waiting import wait_until

_STOP_SECONDS = 30


@dataclass(frozen=True)
class Cluster:
    """A running service."""

    base_url: str
    database: str
    sockets: Sequence[Path]
    """The instances' sockets, for requests that bypass nginx."""
    instances: Sequence[subprocess.Popen[bytes]]


@contextmanager
def cluster(
    database: str, *, instances: int = 3, role: str = "", **settings: str
) -> Iterator[Cluster]:
    """Yield a running service on a migrated database; stop it at the end.

    `role`: connect to the database as this role instead of that of the URL. `settings` are
    environment variables of the instances and of nginx.
    """
    port, configured = free_port(), Settings.from_environment(settings)
    url = as_role(database, role) if role else database
    with temporary_folder() as folder, ExitStack() as stack:
        sockets = [folder / f"{n}.sock" for n in range(instances)]
        started = [stack.enter_context(_instance(url, path, settings)) for path in sockets]
        for path in sockets:
            wait_until_ready(path)
        stack.enter_context(program(nginx.configure(folder, port, sockets, settings=configured)))
        wait_until_ready(port)
        yield Cluster(f"http://127.0.0.1:{port}", database, sockets, started)


def as_role(database: str, role: str) -> str:
    """Return the URL of the same database for another role, without a password."""
    return str(replace(DatabaseUrl.parse(database), user_info=role))


def free_port() -> int:
    """Return an unused local port, one that no other program's connection may get meanwhile."""
    while True:
        port = 20_000 + secrets.randbelow(12_768)  # Linux takes those from 32,768 on
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for_port(port: int) -> None:
    """Wait until a process listens on a local port."""
    with socket.socket() as probe:
        wait_until(
            lambda: not probe.connect_ex(("127.0.0.1", port)), f"no process listens on port {port}"
        )


@contextmanager
def program(command: Sequence[str], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in its own session; terminate it and its children at the end.

    It also ends when this process is killed.
    """
    process = subprocess.Popen(
        command,
        env=os.environ | environment,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl, no locks
    )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _instance(
    database: str, path: Path, settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-m", "atelier", "serve", "--socket", str(path)]
    with program(command, **{"ATELIER_DATABASE_URL": database, **settings}) as process:
        yield process


def wait_until_ready(address: Path | int) -> None:
    """Wait until GET /ready has status 200 on a unix socket or a local port."""
    wait_until(lambda: asyncio.run(is_ready(address)), f"{address} is not ready")

"""The measured systems: the same number of instances each, behind the same nginx."""

import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

from atelier.errors import AtelierError
from atelier.local.nginx import nginx
from atelier.settings import Settings
from bench.data import atelier
from bench.plan import INSTANCES
from bench.processes import ROOT, free_port, started, wait_for_socket

OURS, EXPRESS, FASTAPI, CEILING = "ours", "express", "fastapi", "ceiling"
TITLES = {
    OURS: "Atelier Q&A",
    EXPRESS: "Express + pg",
    FASTAPI: "FastAPI + SQLAlchemy",
    CEILING: "the ceiling: a constant response",
}
BARE = "-bare"
"""Appended to the name of a system behind a bare proxy."""
EXPRESS_FOLDER = ROOT / "bench" / "peers" / "express"

_BARE_CONFIGURATION = Path(__file__).with_name("bare-proxy.conf")
_PEER_POOL_SIZE = "10"
_START_SECONDS = 20
_POLL_SECONDS = 0.05
_UVICORN = (
    *(sys.executable, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools"),
    *("--ws", "none", "--no-access-log", "--log-level", "warning", "--no-server-header"),
)


@dataclass(frozen=True, slots=True)
class System:
    """How an instance of a system is started."""

    name: str
    command: tuple[str, ...]
    """`{socket}` is replaced by the path of the unix socket to listen on."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """A running system."""

    name: str
    url: str
    pids: tuple[int, ...]
    """The pids of its instances."""
    nginx: int
    """The pid of nginx."""
    sockets: tuple[Path, ...] = ()
    """The sockets of its instances, in the order of the pids."""


def ours(dsn: str, name: str = OURS) -> System:
    """Return the service on a database."""
    command = (*atelier("serve"), "--socket", "{socket}")
    return System(name, command, {"ATELIER_DATABASE_URL": dsn})


def express(dsn: str) -> System:
    """Return the Express peer on a database."""
    return System(
        EXPRESS,
        ("node", str(EXPRESS_FOLDER / "server.js")),
        {**_pg_environment(dsn), "NODE_ENV": "production", "POOL_SIZE": _PEER_POOL_SIZE},
    )


def fastapi(dsn: str) -> System:
    """Return the FastAPI peer on a database."""
    command = (*_UVICORN, "--uds", "{socket}", "bench.peers.fastapi.app:app")
    url = dsn.replace("postgresql://", "postgresql+asyncpg://", 1)
    return System(FASTAPI, command, {"DATABASE_URL": url, "POOL_SIZE": _PEER_POOL_SIZE})


def ceiling(page_bytes: int) -> System:
    """Return the ceiling: a constant response of `page_bytes` bytes, without a database."""
    command = (*_UVICORN, "--lifespan", "off", "--uds", "{socket}", "bench.peers.ceiling.app:app")
    return System(CEILING, command, {"PAGE_BYTES": str(page_bytes)})


@contextmanager
def running(
    system: System, run: Path, instances: int = INSTANCES, *, settings: Settings | None = None
) -> Iterator[Running]:
    """Start a system's instances, and nginx in front; stop all when the context ends.

    `settings` are those of nginx; by default, the defaults.
    """
    folder = run / system.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o711)
    log, port = folder / "log", free_port()
    sockets = [folder / f"{system.name}-{n + 1}.sock" for n in range(instances)]
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        pids = [stack.enter_context(_instance(system, socket, log)) for socket in sockets]
        command = nginx.configure(folder, port, sockets, settings=settings)
        with _proxy(command, port, log) as (url, pid):
            yield Running(system.name, url, tuple(pids), pid, tuple(sockets))


@contextmanager
def behind_bare_proxy(system: Running, run: Path) -> Iterator[Running]:
    """Run a second nginx in front of a system's instances, with the least that `least_conn` takes.

    Its name is that of the system with `BARE` appended.
    """
    name = f"{system.name}{BARE}"
    folder = run / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o711)
    port = free_port()
    configuration = Template(_BARE_CONFIGURATION.read_text(encoding="utf-8")).substitute(
        user=nginx.user(),
        port=port,
        servers=" ".join(f"server unix:{socket};" for socket in system.sockets),
    )
    (folder / "nginx.conf").write_text(configuration)
    with _proxy(nginx.command(folder), port, folder / "log") as (url, pid):
        yield replace(system, name=name, url=url, nginx=pid)


@contextmanager
def _proxy(command: Sequence[str], port: int, log: Path) -> Iterator[tuple[str, int]]:
    """Run an nginx; yield its URL and pid."""
    with started(command, log=log) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_for_response(url, log)
        yield url, process.pid


@contextmanager
def _instance(system: System, socket: Path, log: Path) -> Iterator[int]:
    command = [part.format(socket=socket) for part in system.command]
    environment = {**system.environment, "SOCKET": str(socket)}
    with started(command, log=log, environment=environment) as process:
        wait_for_socket(socket, process, log)
        if os.geteuid() == 0:
            socket.chmod(0o666)  # nginx's workers run as another user
        yield process.pid


def _wait_for_response(url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/qa/questions?product_id=1", timeout=10):  # noqa: S310 - local
                return
        except OSError as error:
            if time.monotonic() > deadline:
                raise AtelierError(f"{url}: {error}. {log.read_text()[-2000:]}") from error
            time.sleep(_POLL_SECONDS)


def _pg_environment(dsn: str) -> dict[str, str]:
    """Return a database URL as libpq environment variables, which pg supports."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    return {
        "PGHOST": query["host"][0],
        "PGPORT": query["port"][0],
        "PGUSER": parts.username or "",
        "PGDATABASE": parts.path.lstrip("/"),
    }

"""`atelier up` under test: its processes and its database."""

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from atelier.local.host.home import Home
from atelier.local.postgres.embedded import Embedded
from atelier.store.connections.database import connect
from tests.chaos.connection import Address, Connection
from tests.support.cluster import free_port
from tests.support.commands import Up, processes_of, up
from tests.support.processes import Process

INSTANCES = 3
"""On any machine, however many cores it has."""
_SERVED = re.compile(r'atelier_request_seconds_count\{.*route="/qa/questions".*\} ([0-9.]+)')


@dataclass(frozen=True)
class Service:
    """A running `atelier up`."""

    up: Up
    home: Path
    port: int

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[Process]:
        """Return all processes of this service."""
        return processes_of(self.home)

    def instances(self) -> list[Process]:
        """Return the running instances."""
        return [process for process in self.processes() if "serve --socket" in process.command]

    @property
    def dsn(self) -> str:
        """Return the address of the embedded PostgreSQL."""
        return Embedded.open(self.home).server.dsn()

    @property
    def access_log(self) -> Path:
        """Return nginx's access log."""
        return Home.open(self.home).log("access.log")

    @property
    def proxy_timeout(self) -> float:
        """Return nginx's proxy_read_timeout in seconds, except under /admin."""
        text = (Home.open(self.home).run / "service" / "nginx.conf").read_text()
        [milliseconds] = re.findall(r"^    proxy_read_timeout (\d+)ms;", text, re.MULTILINE)
        return int(milliseconds) / 1000

    def postmaster(self) -> int:
        """Return the pid of the embedded PostgreSQL."""
        return int((Home.open(self.home).data / "postmaster.pid").read_text().split()[0])


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the service's tables."""
    connection = await connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def socket_of(instance: Process) -> Path:
    """Return the socket of an instance."""
    return Path(instance.command.split("--socket ")[1].split()[0])


async def pages_served(address: Address) -> float:
    """Return the number of pages that an instance has served; 0 if none is listening."""
    connection = Connection(address)
    try:
        answer = await connection.request("GET", "/metrics")
    except (OSError, EOFError):
        return 0
    finally:
        connection.close()
    return sum(float(count) for count in _SERVED.findall(answer.body.decode()))


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Service]:
    """Yield a running service with a separate home; stop it when the context ends."""
    port, metrics = free_port(), free_port()
    home = folder / "home"
    settings |= {"PORT": str(port), "ATELIER_METRICS_PORT": str(metrics)}
    with up(home, INSTANCES=str(INSTANCES), **settings) as running:
        running.wait_for("Ready")
        yield Service(running, home, port)


def resident(processes: list[Process]) -> int:
    """Return the resident memory of processes, in bytes."""
    pages = (int(Path(f"/proc/{p.pid}/statm").read_text().split()[1]) for p in processes)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")

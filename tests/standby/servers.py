"""Replicating PostgreSQL servers that tests can kill, hang and promote."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from urllib.parse import urlencode

import asyncpg

from atelier.local.host.account import account_of
from atelier.local.postgres.server import PORT, USER, Server, stop
from atelier.store.migrate import migrate
from tests.support.postgres import FAST, INSTALLED, temporary_folder
from tests.support.waiting import until

DATABASE = "replicated"
_SCANS = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'question_documents_page'"


@dataclass
class Node:
    """A server that can be killed, restarted and promoted."""

    server: Server
    process: Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return self.server.dsn(DATABASE)

    def start(self) -> None:
        self.process = self.server.start(FAST)

    def kill(self) -> None:
        """Kill it, as in a power failure; its children notice and exit."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Make it unresponsive, while it accepts connections, until `wake`."""
        self._signal_all(signal.SIGSTOP)

    def wake(self) -> None:
        self._signal_all(signal.SIGCONT)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.wake()
            stop(self.process)

    def promote(self) -> None:
        self._run("pg_ctl", "promote", "-D", self.server.data)

    async def follow(self, primary: "Node") -> None:
        """Make this standby replicate another server."""
        conninfo = f"host={primary.server.sockets} port={PORT} user={USER}"
        await self.configure("primary_conninfo", conninfo)

    async def configure(self, name: str, value: str) -> None:
        await self.run(f"ALTER SYSTEM SET {name} = '{value}'")
        await self.run("SELECT pg_reload_conf()")

    async def run(self, statement: str, *args: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(
            self.url, server_settings={"search_path": "atelier", "application_name": "test"}
        )
        try:
            return await connection.fetch(statement, *args)
        finally:
            await connection.close()

    async def pages_read(self) -> int:
        """Return the number of its page reads, except those of the last second."""
        [row] = await self.run(_SCANS)
        return int(row[0])

    async def until_read_from(self) -> None:
        """Wait until concurrent clients read pages from it."""
        before = await self.pages_read()

        async def is_read_from() -> bool:
            return await self.pages_read() > before

        await until(is_read_from)

    def copy_to(self, folder: Path) -> "Node":
        """Create a standby of this server, not started yet."""
        folder.mkdir(mode=0o755)
        made = _node(self.server.programs, folder)
        made.server.data.mkdir(mode=0o700)
        made.server.account.own(made.server.data)
        conninfo = urlencode({"host": self.server.sockets, "port": PORT})
        self._run(
            "pg_basebackup",
            f"--dbname=postgresql://{USER}@/?{conninfo}",
            f"--pgdata={made.server.data}",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        )
        return made

    def _run(self, program: str, *arguments: object) -> None:
        command = self.server.programs / program
        done = self.server.account.run(command, *(str(each) for each in arguments))
        assert done.returncode == 0, done.stdout

    def _signal_all(self, number: signal.Signals) -> None:
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for pid in (self.process.pid, *map(int, children.split())):
            with suppress(ProcessLookupError):  # a connection may end at any time
                os.kill(pid, number)


@dataclass
class Group:
    """A primary and its standbys; all are stopped at the end."""

    folder: Path
    primary: Node
    stack: ExitStack
    standbys: list[Node] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The URL of all servers, the primary first."""
        return together(self.primary, *self.standbys)

    def add_standby(self) -> Node:
        standby = self.primary.copy_to(self.folder / f"standby-{len(self.standbys) + 1}")
        self.stack.callback(standby.stop)
        standby.start()
        self.standbys.append(standby)
        return standby


def together(*nodes: Node) -> str:
    """Return one URL of several servers."""
    hosts = ",".join(str(node.server.sockets) for node in nodes)
    return f"postgresql://{USER}@/{DATABASE}?{urlencode({'host': hosts, 'port': PORT})}"


@contextmanager
def temporary_group(postgres: str = "embedded") -> Iterator[Group]:
    """Yield a group of one primary, without a database."""
    with temporary_folder() as folder, ExitStack() as stack:
        (folder / "primary").mkdir(mode=0o755)
        primary = _node(INSTALLED[postgres], folder / "primary")
        primary.server.create()
        stack.callback(primary.stop)
        primary.start()
        yield Group(folder, primary, stack)


async def prepare(group: Group, *, standbys: int) -> None:
    """Create the service's migrated database, and standbys that replicate it."""
    connection = await asyncpg.connect(group.primary.server.dsn())
    await connection.execute(f"CREATE DATABASE {DATABASE}")
    await connection.close()
    await migrate(group.primary.url)
    for _ in range(standbys):
        group.add_standby()


def _node(programs: Path, folder: Path) -> Node:
    data = folder / "data"
    return Node(Server(programs, data, folder, folder / "log", account_of(data, programs)))

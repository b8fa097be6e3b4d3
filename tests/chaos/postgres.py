"""A separate PostgreSQL for a test, with full durability."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from atelier.local.host.account import account_of
from atelier.local.host.programs import postgres_programs
from atelier.local.postgres import server as postgres
from tests.chaos.hosts import Host


class Postgres:
    """A server that can be stopped and restarted."""

    def __init__(self, folder: Path) -> None:
        data, programs = folder / "data", postgres_programs()
        account = account_of(data, programs)
        self.server = postgres.Server(programs, data, folder, folder / "log", account)
        self.server.create()
        self._running = ExitStack()

    @property
    def dsn(self) -> str:
        return self.server.dsn()

    @property
    def socket(self) -> Path:
        return self.server.sockets / f".s.PGSQL.{postgres.PORT}"

    def start(self, **settings: str) -> None:
        self._running.callback(postgres.stop, self.server.start(settings))

    def stop(self) -> None:
        self._running.close()


@contextmanager
def running_postgres(folder: Path, **settings: str) -> Iterator[Postgres]:
    """Yield a new running server; stop it when the context ends."""
    made = Postgres(folder)
    try:
        made.start(**settings)
        yield made
    finally:
        made.stop()


def postgres_on(host: Host, folder: Path, method: str) -> Postgres:
    """Create a PostgreSQL that runs on a host and authenticates its network by a method."""
    made = Postgres(folder)
    with (made.server.data / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all samenet {method}\n")
    account = made.server.account
    as_account = (f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups")
    prefix = account.prefix or ("setpriv", *as_account, "--pdeathsig=keep")
    made.server = replace(made.server, account=replace(account, prefix=(*host.prefix, *prefix)))
    return made

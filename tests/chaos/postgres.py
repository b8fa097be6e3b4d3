"""A separate PostgreSQL for a test, with full durability."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from atelier.local.host.account import account_of
from atelier.local.host.programs import postgres_programs
from atelier.local.postgres import server as postgres


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

"""Everything behind `atelier up`: database, migrations, sample, instances, nginx."""

import asyncio
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any, cast

from rich.console import Console

from atelier.errors import AtelierError
from atelier.local.cluster import control, orphans
from atelier.local.cluster.service import Service
from atelier.local.host.home import Home
from atelier.local.logs.collector import Logs
from atelier.local.monitoring import metrics as gather
from atelier.local.monitoring.status import status
from atelier.local.nginx import nginx
from atelier.local.postgres.database import check_read_url, database
from atelier.local.postgres.embedded import Embedded
from atelier.local.postgres.state import connections_missing, database_state
from atelier.local.supervisor.preflight import address_of, check_port, only_one
from atelier.local.supervisor.sample import load_sample, needs_sample
from atelier.local.supervisor.terminal import Terminal, detach
from atelier.settings import Settings
from atelier.store.migrate import migrate
from atelier.transfer.progress import progress_for

_CHECK_SECONDS = 1.0

_console = Console(file=cast("IO[str]", Terminal()), highlight=False, soft_wrap=True)


def up(settings: Settings, *, verbose: bool = False) -> None:
    """Run the whole service until a signal ends it; raise AtelierError if it cannot start.

    Shows what it does and what its parts say of importance, or all they say. A closed terminal is
    a signal like others, unless it is ignored as with nohup (docs/decisions/0011).
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if _obeys_hang_up():
        signal.signal(signal.SIGHUP, _on_hang_up)
    check_read_url(settings)
    home = Home.open(settings.home)
    folder = home.log("supervisor.log").parent
    logs = Logs(folder, _show, verbose=verbose, days=settings.log_days)
    with only_one(home, settings.port):
        _end_orphans(home, logs)
        check_port(settings.port)
        logs.log(_starting_database(settings))
        with database(settings, make=True) as dsn, suppress(asyncio.CancelledError):
            asyncio.run(_Supervisor(settings, home, dsn, logs).run())
    logs.log("Stopped.")
    logs.close()


class _Supervisor:
    """Brings the service up on a database, and down again when a signal comes."""

    def __init__(self, settings: Settings, home: Home, dsn: str, logs: Logs) -> None:
        self._settings = settings
        self._home = home
        self._dsn = dsn
        self._logs = logs
        self._service: Service | None = None
        self._stopping = False

    async def run(self) -> None:
        """Run until a signal cancels this task."""
        task = asyncio.current_task()
        assert task  # noqa: S101 - a coroutine that runs has one
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, task)
        if _obeys_hang_up():
            loop.add_signal_handler(signal.SIGHUP, self._on_hang_up, task)
        await self._prepare_database()
        with _service_folder(self._home) as folder:
            await self._serve(folder)

    def _on_signal(self, task: asyncio.Task[None]) -> None:
        if self._stopping:  # somebody is in a hurry
            if self._service:
                self._service.kill()
            return
        self._stopping = True
        task.cancel()  # before anything is said: whom it is said to may be gone
        self._logs.log("Stopping: requests under way are finished first. Ctrl-C again hurries.")

    def _on_hang_up(self, task: asyncio.Task[None]) -> None:
        detach()
        self._on_signal(task)

    async def _prepare_database(self) -> None:
        applied = await migrate(self._dsn)
        self._logs.log(
            f"Migrated: {', '.join(applied)}." if applied else "The database is up to date."
        )
        if await needs_sample(self._dsn):
            self._logs.log("Loading the sample into the empty database.")
            await load_sample(self._dsn, self._home, progress_for(_console))
        state = await database_state(self._dsn)
        if warning := connections_missing(state, self._settings, self._settings.instances):
            self._logs.log(warning)

    async def _serve(self, folder: Path) -> None:
        service = Service(self._settings, self._home, folder, self._dsn, self._logs)
        self._service = service
        self._logs.log(f"Starting {self._settings.instances} instances and nginx.")
        if (files := nginx.max_open_files()) < nginx.MAX_OPEN_FILES:
            self._logs.log(
                f"Only {files} files may be open at once, so nginx takes {files // 2} connections: "
                f"raise the hard limit (ulimit -Hn) to {nginx.MAX_OPEN_FILES} for more."
            )
        try:
            await service.start()
            with gather.served(self._settings.metrics_port, service, self._logs.log):
                async with control.served(control.address(self._home), _answers(service)):
                    self._logs.log(_welcome(self._settings))
                    await self._watch()
        finally:
            await service.stop()
            orphans.forget(self._home.processes)

    async def _watch(self) -> None:
        """Look after the logs, and after the embedded PostgreSQL, for ever."""
        embedded = None if self._settings.database_url else Embedded.open(self._settings.home)
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            await asyncio.to_thread(self._logs.look)
            if embedded and not embedded.is_running():
                self._logs.log("PostgreSQL ended; starting it again.")
                try:
                    await asyncio.to_thread(embedded.ensure_running)
                except AtelierError as error:
                    self._logs.log(str(error))


def _obeys_hang_up() -> bool:
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def _on_hang_up(_number: int, _frame: FrameType | None) -> None:
    """Stop as at Ctrl-C, before the service runs."""
    detach()
    raise KeyboardInterrupt


def _end_orphans(home: Home, logs: Logs) -> None:
    if ended := orphans.end_orphans(home.processes, home.path, home.run):
        names = ", ".join(sorted(set(ended)))
        logs.log(f"Ended {len(ended)} processes of a service that was killed before: {names}.")


def _answers(service: Service) -> Mapping[str, control.Answer]:
    """Return what commands may ask of the service."""

    async def tell(_: Mapping[str, Any]) -> object:
        return await status(service)

    async def reload(request: Mapping[str, Any]) -> object:
        return await service.reload(request["changes"])

    async def scale(request: Mapping[str, Any]) -> object:
        return await service.scale(int(request["instances"]))

    return {"status": tell, "reload": reload, "scale": scale}


@contextmanager
def _service_folder(home: Home) -> Iterator[Path]:
    """Make the folder of the sockets and of nginx's files; remove it in the end."""
    home.make_run_folder()
    folder = home.run / "service"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        home.clean_up()


def _starting_database(settings: Settings) -> str:
    if settings.database_url:
        return "Using the database of ATELIER_DATABASE_URL."
    home = settings.home.name if settings.home.parent == Path.cwd() else settings.home
    return f"Starting PostgreSQL, with its data in {home}."


def _welcome(settings: Settings) -> str:
    address = address_of(settings.port)
    return (
        f"Ready: {address}\n"
        f"  a page of questions  {address}/qa/questions?product_id=1\n"
        f"  the API to try       {address}/docs\n"
        "Ctrl-C stops it; the data stays."
    )


def _show(line: str) -> None:
    _console.print(line, markup=False)

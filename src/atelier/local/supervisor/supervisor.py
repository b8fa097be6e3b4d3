"""Runs `atelier up`: database, migrations, sample, instances, nginx."""

import asyncio
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
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
from atelier.local.monitoring import metrics as cluster_metrics
from atelier.local.monitoring.status import status
from atelier.local.nginx import nginx
from atelier.local.postgres.database import (
    check_service_url,
    check_urls,
    database,
    service_url,
    update_privileges,
)
from atelier.local.postgres.embedded import Embedded
from atelier.local.postgres.state import connections_missing, database_state
from atelier.local.supervisor.preflight import address_of, check_port, exclusive_service
from atelier.local.supervisor.sample import load_sample, move_photos, needs_sample
from atelier.local.supervisor.terminal import Terminal, detach
from atelier.settings import Settings
from atelier.store.migrate import migrate, names
from atelier.transfer.progress import progress_for

_CHECK_SECONDS = 1.0

_console = Console(file=cast("IO[str]", Terminal()), highlight=False, soft_wrap=True)


def up(settings: Settings, *, verbose: bool = False) -> None:
    """Run the whole service until a signal stops it; raise AtelierError if it cannot start.

    Prints its progress and its components' warnings and errors, or with `verbose` all their
    output. SIGHUP stops it too, unless it is ignored, as with nohup (docs/decisions/0011).
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if _handles_hang_up():
        signal.signal(signal.SIGHUP, _on_hang_up)
    check_urls(settings)
    home = Home.open(settings.home)
    folder = home.log("supervisor.log").parent
    logs = Logs(folder, _show, verbose=verbose, max_days=settings.log_days)
    with exclusive_service(home, settings.port):
        _terminate_orphans(home, logs)
        check_port(settings.port)
        logs.log(_starting_database(settings))
        with database(settings, create=True) as dsn, suppress(asyncio.CancelledError):
            asyncio.run(_Supervisor(settings, home, dsn, logs).run())
    logs.log("Stopped.")
    logs.close()


class _Supervisor:
    """Starts the service on a database, and stops it at a signal."""

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
        assert task  # noqa: S101 - a running coroutine has one
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, task)
        if _handles_hang_up():
            loop.add_signal_handler(signal.SIGHUP, self._on_hang_up, task)
        await self._prepare_database()
        with _service_folder(self._home) as folder:
            await self._serve(folder)

    def _on_signal(self, task: asyncio.Task[None]) -> None:
        if self._stopping:  # a second signal: do not wait
            if self._service:
                self._service.kill()
            return
        self._stopping = True
        task.cancel()  # before logging, because the terminal may be closed
        self._logs.log("Stopping after the requests in progress. Press Ctrl-C again to stop now.")

    def _on_hang_up(self, task: asyncio.Task[None]) -> None:
        detach()
        self._on_signal(task)

    async def _prepare_database(self) -> None:
        applied = await migrate(self._dsn)
        self._logs.log(_migrated(applied))
        await update_privileges(self._settings, self._dsn)
        await check_service_url(self._settings)
        photos = f"{address_of(self._settings.port)}/demo/photos"
        if await needs_sample(self._dsn):
            self._logs.log("Loading the sample into the empty database.")
            shown = {"photos": photos} if self._settings.has_demo else {}
            await load_sample(self._dsn, self._home, progress_for(_console), **shown)
        elif self._settings.has_demo:
            await move_photos(self._dsn, photos)
        state = await database_state(service_url(self._settings, self._dsn))
        if warning := connections_missing(state, self._settings, self._settings.instances):
            self._logs.log(warning)

    async def _serve(self, folder: Path) -> None:
        service = Service(self._settings, self._home, folder, self._dsn, self._logs)
        self._service = service
        self._logs.log(f"Starting {self._settings.instances} instances and nginx.")
        if (files := nginx.max_open_files()) < nginx.MAX_OPEN_FILES:
            self._logs.log(
                f"The limit of {files} open files allows nginx {files // 2} connections: "
                f"raise the hard limit (ulimit -Hn) to {nginx.MAX_OPEN_FILES} for more."
            )
        try:
            await service.start()
            with cluster_metrics.served(self._settings.metrics_port, service, self._logs.log):
                async with control.served(control.address(self._home), _handlers(service)):
                    self._logs.log(_ready_message(self._settings))
                    await self._monitor()
        finally:
            await service.stop()
            orphans.forget(self._home.processes)

    async def _monitor(self) -> None:
        """Poll the logs and restart the embedded PostgreSQL if it has ended, until cancelled."""
        embedded = Embedded.open(self._settings.home) if self._settings.is_embedded else None
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            await asyncio.to_thread(self._logs.poll)
            if embedded and not embedded.is_running():
                self._logs.log("PostgreSQL exited; restarting it.")
                try:
                    await asyncio.to_thread(embedded.ensure_running)
                except AtelierError as error:
                    self._logs.log(str(error))


def _handles_hang_up() -> bool:
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def _on_hang_up(_number: int, _frame: FrameType | None) -> None:
    """Stop as with Ctrl-C while the service is starting."""
    detach()
    raise KeyboardInterrupt


def _terminate_orphans(home: Home, logs: Logs) -> None:
    if terminated := orphans.terminate_orphans(home.processes, home.path, home.run):
        names = ", ".join(sorted(set(terminated)))
        logs.log(f"Terminated {len(terminated)} orphaned processes of a killed service: {names}.")


def _handlers(service: Service) -> Mapping[str, control.Handler]:
    """Return the handlers of the control socket."""

    async def report_status(_: Mapping[str, Any]) -> object:
        return await status(service)

    async def reload(request: Mapping[str, Any]) -> object:
        return await service.reload(request["changes"])

    async def scale(request: Mapping[str, Any]) -> object:
        return await service.scale(int(request["instances"]))

    return {"status": report_status, "reload": reload, "scale": scale}


@contextmanager
def _service_folder(home: Home) -> Iterator[Path]:
    """Create the folder of the sockets and nginx's files; remove it at the end."""
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
    if not settings.is_embedded:
        return "Using the database of ATELIER_DATABASE_URL."
    home = settings.home.name if settings.home.parent == Path.cwd() else settings.home
    return f"Starting PostgreSQL, with its data in {home}."


def _migrated(applied: Sequence[str]) -> str:
    if not applied:
        return "The database is up to date."
    if names() == set(applied):
        return "Created the tables."
    return f"Migrated: {', '.join(applied)}."


def _ready_message(settings: Settings) -> str:
    address = address_of(settings.port)
    shop = f"  a shop to try        {address}/\n" if settings.has_demo else ""
    return (
        f"Ready: {address}\n"
        f"{shop}"
        f"  a page of questions  {address}/qa/questions?product_id=1\n"
        f"  the API to try       {address}/docs\n"
        f"  the console          {address}/console\n"
        "Ctrl-C stops it; the data stays."
    )


def _show(line: str) -> None:
    _console.print(line, markup=False)

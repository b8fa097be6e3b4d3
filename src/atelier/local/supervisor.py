"""Everything behind `atelier up`: database, migrations, sample, instances, nginx."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console

from atelier.errors import AtelierError
from atelier.local import nginx
from atelier.local.child import Child, running
from atelier.local.database import database
from atelier.local.embedded import Embedded
from atelier.local.home import Home
from atelier.local.preflight import address_of, check_port, only_one
from atelier.local.readiness import is_ready
from atelier.local.sample import is_empty, load_sample
from atelier.settings import Settings
from atelier.store.migrate import migrate
from atelier.transfer.progress import progress_for

_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_DATABASE_CHECK_SECONDS = 1.0

_console = Console(highlight=False, soft_wrap=True)


def up(settings: Settings) -> None:
    """Run the whole service until a signal ends it; raise AtelierError if it cannot start."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home = Home.open(settings.home)
    with only_one(home, settings.port):
        check_port(settings.port)
        _say(_starting_database(settings))
        with database(settings) as dsn, suppress(asyncio.CancelledError):
            asyncio.run(_Supervisor(settings, home, dsn).run())
    _say("Stopped.")


class _Supervisor:
    """Brings the service up on a database, and down again when a signal comes."""

    def __init__(self, settings: Settings, home: Home, dsn: str) -> None:
        self._settings = settings
        self._home = home
        self._dsn = dsn
        self._children: list[Child] = []
        self._stopping = False

    async def run(self) -> None:
        """Run until a signal cancels this task."""
        task = asyncio.current_task()
        assert task  # noqa: S101 - a coroutine that runs has one
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, task)
        await self._prepare_database()
        with _service_folder(self._home) as folder:
            await self._serve(folder)

    def _on_signal(self, task: asyncio.Task[None]) -> None:
        if self._stopping:  # somebody is in a hurry
            for child in self._children:
                child.kill()
            return
        self._stopping = True
        _say("Stopping: requests under way are finished first. Ctrl-C again hurries.")
        task.cancel()

    async def _prepare_database(self) -> None:
        applied = await migrate(self._dsn)
        _say(f"Migrated: {', '.join(applied)}." if applied else "The database is up to date.")
        if await is_empty(self._dsn):
            _say("Loading the sample into the empty database.")
            await load_sample(self._dsn, self._home, progress_for(_console))

    async def _serve(self, folder: Path) -> None:
        sockets = [folder / f"instance-{n + 1}.sock" for n in range(self._settings.instances)]
        instances = [self._instance(socket) for socket in sockets]
        front = self._child("nginx", nginx.configure(folder, self._settings.port, sockets))
        self._children = [*instances, front]
        _say(f"Starting {len(instances)} instances and nginx.")
        async with running(instances):
            for socket, instance in zip(sockets, instances, strict=True):
                await _until_ready(socket, instance)
            async with running([front]):
                await _until_ready(self._settings.port, front)
                _say(_welcome(self._settings))
                await self._watch_database()

    def _instance(self, socket: Path) -> Child:
        command = [sys.executable, "-P", "-m", "atelier", "serve", "--socket", str(socket)]
        return self._child(socket.stem.replace("-", " "), command)

    def _child(self, name: str, command: list[str]) -> Child:
        # The address goes by the environment: others can read a command line.
        environment = os.environ | {"ATELIER_DATABASE_URL": self._dsn}
        stop_signal = signal.SIGQUIT if name == "nginx" else signal.SIGTERM
        return Child(name, command, stop_signal=stop_signal, environment=environment, say=_say)

    async def _watch_database(self) -> None:
        """Start the embedded PostgreSQL again when it has ended, for ever."""
        if self._settings.database_url:
            await asyncio.Event().wait()
        embedded = Embedded.open(self._settings.home)
        while True:
            await asyncio.sleep(_DATABASE_CHECK_SECONDS)
            if not embedded.is_running():
                _say("PostgreSQL ended; starting it again.")
                try:
                    await asyncio.to_thread(embedded.ensure_running)
                except AtelierError as error:
                    _say(str(error))


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


async def _until_ready(address: Path | int, child: Child) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await is_ready(address):
                if child.ends:
                    raise AtelierError(f"{child.name} ended while starting: see above why.")
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise AtelierError(f"{child.name} is not ready after {_READY_SECONDS:.0f} s.") from error


def _starting_database(settings: Settings) -> str:
    if settings.database_url:
        return "Using the database of ATELIER_DATABASE_URL."
    return f"Starting PostgreSQL, with its data in {settings.home}."


def _welcome(settings: Settings) -> str:
    address = address_of(settings.port)
    return (
        f"Ready: {address}\n"
        f"  a page of questions  {address}/qa/questions?product_id=1\n"
        f"  the API to try       {address}/docs\n"
        "Ctrl-C stops it; the data stays."
    )


def _say(line: str) -> None:
    _console.print(line, markup=False)

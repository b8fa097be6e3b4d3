"""One program under supervision: started, started again when it ends, stopped."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from atelier.local.host.account import die_with_parent

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_STABLE_SECONDS = 10.0
_STOP_SECONDS = 20.0
_LONGEST_LINE = 1 << 20


class SupervisedProcess:
    """A program that is to run as long as this process does, and no longer."""

    def __init__(  # noqa: PLR0913 - each is named where it is called
        self,
        name: str,
        command: Sequence[str],
        *,
        stop_signal: signal.Signals,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        on_line: Callable[[str], None] | None = None,
        on_start: Callable[[int], None] | None = None,
    ) -> None:
        """Take its name, how to start and stop it, and what gets the messages about it.

        `on_line` gets each line of its output, which otherwise goes where ours does; `on_start`
        gets the process id of each start.
        """
        self.name = name
        self.exits = 0
        self.started_at = 0.0
        """By the monotonic clock."""
        self._command = command
        self._stop_signal = stop_signal
        self._environment = environment
        self._log = log
        self._on_line = on_line
        self._on_start = on_start
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Return its process id while it runs."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    def start(self) -> None:
        """Keep it running until `stop`."""
        self._task = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """Stop it politely, or after a while by force; return when it is gone."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal if it runs."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it, and whatever it started, at once."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _keep_running(self) -> None:
        pause = _FIRST_PAUSE
        try:
            while True:
                self.started_at = time.monotonic()
                await self._run_once()
                if time.monotonic() - self.started_at > _STABLE_SECONDS:
                    pause = _FIRST_PAUSE
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            await self._end()

    async def _run_once(self) -> None:
        try:
            self._process = await self._start()
            if self._on_start:
                self._on_start(self._process.pid)
            reason = _reason(await self._process.wait())
        except OSError as error:
            reason = str(error)
        self.exits += 1
        self.kill()  # workers that outlived it would hold on to the port
        self._log(f"{self.name} ended ({reason}); starting it again.")

    async def _start(self) -> asyncio.subprocess.Process:
        # Not asyncio's pipe: with that, a process has not ended until its workers have.
        output = await _listen(self._on_line) if self._on_line else None
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,  # a terminal's Ctrl-C is for the supervisor alone
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        finally:
            if output is not None:
                os.close(output)

    async def _end(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(self._stop_signal)
            ended = asyncio.ensure_future(self._process.wait())
            try:
                # Not asyncio.timeout(): before Python 3.11.3 it fails in a task that was cancelled.
                _, pending = await asyncio.wait([ended], timeout=_STOP_SECONDS)
                if pending:
                    self._log(f"{self.name} did not stop in time; killing it.")
            finally:
                self.kill()
            await ended


@asynccontextmanager
async def running(processes: Sequence[SupervisedProcess]) -> AsyncIterator[None]:
    """Keep processes running while the context lasts."""
    for process in processes:
        process.start()
    try:
        yield
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


async def _listen(on_line: Callable[[str], None]) -> int:
    """Return a file descriptor to write to; each line goes to a function, until it is closed."""
    reading, writing = os.pipe()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: _Lines(on_line), os.fdopen(reading, "rb", buffering=0)
    )
    return writing


class _Lines(asyncio.Protocol):
    """Cuts what comes into lines."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace"))
        if len(self._rest) > _LONGEST_LINE:
            self.connection_lost(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._rest:
            self._on_line(self._rest.decode(errors="replace"))
            self._rest = b""


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

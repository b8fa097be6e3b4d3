"""A supervised program: started, restarted when it ends, stopped."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from atelier.local.host.account import die_with_parent

_MIN_RESTART_DELAY = 0.2
_MAX_RESTART_DELAY = 5.0
_STABLE_SECONDS = 10.0
_STOP_SECONDS = 20.0
_MAX_LINE_BYTES = 1 << 20


class SupervisedProcess:
    """A program that runs until it is stopped or this process ends."""

    def __init__(  # noqa: PLR0913 - all are passed by name
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
        """Take its name, its command and stop signal, and the logger of messages about it.

        `on_line` is called with each line of its output, which is inherited otherwise; `on_start`
        with the pid of each start.
        """
        self.name = name
        self.exits = 0
        self.started_at = 0.0
        """Monotonic time in seconds."""
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
        """Return its pid, None if it is not running."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    def start(self) -> None:
        """Keep it running until `stop`."""
        self._task = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """Stop it gracefully, or kill it after a timeout; return when it has ended."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal if it is running."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it and its process group."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _keep_running(self) -> None:
        delay = _MIN_RESTART_DELAY
        try:
            while True:
                self.started_at = time.monotonic()
                await self._run_once()
                if time.monotonic() - self.started_at > _STABLE_SECONDS:
                    delay = _MIN_RESTART_DELAY
                await asyncio.sleep(delay)
                delay = min(2 * delay, _MAX_RESTART_DELAY)
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
        self.kill()  # orphaned workers would keep the port open
        self._log(f"{self.name} exited ({reason}); restarting it.")

    async def _start(self) -> asyncio.subprocess.Process:
        # With asyncio's own pipe, wait() would not return before all workers have ended, too.
        output = await _listen(self._on_line) if self._on_line else None
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,  # a terminal's Ctrl-C must reach only the supervisor
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        finally:
            if output is not None:
                os.close(output)

    async def _end(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(self._stop_signal)
            exited = asyncio.ensure_future(self._process.wait())
            try:
                # asyncio.timeout() fails in a cancelled task before Python 3.11.3.
                _, pending = await asyncio.wait([exited], timeout=_STOP_SECONDS)
                if pending:
                    self._log(f"{self.name} did not stop in time; killing it.")
            finally:
                self.kill()
            await exited


@asynccontextmanager
async def running(processes: Sequence[SupervisedProcess]) -> AsyncIterator[None]:
    """Keep processes running in the context."""
    for process in processes:
        process.start()
    try:
        yield
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


async def _listen(on_line: Callable[[str], None]) -> int:
    """Return a file descriptor; `on_line` is called with each line written to it."""
    reading, writing = os.pipe()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: _Lines(on_line), os.fdopen(reading, "rb", buffering=0)
    )
    return writing


class _Lines(asyncio.Protocol):
    """Splits received data into lines."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._remainder = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._remainder = (self._remainder + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace"))
        if len(self._remainder) > _MAX_LINE_BYTES:
            self.connection_lost(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._remainder:
            self._on_line(self._remainder.decode(errors="replace"))
            self._remainder = b""


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

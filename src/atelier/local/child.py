"""One program under supervision: started, started again when it ends, stopped."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from atelier.local.account import die_with_parent

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_PROVEN_SECONDS = 10.0
_STOP_SECONDS = 20.0
_LONGEST_LINE = 1 << 20


class Child:
    """A program that is to run as long as this process does, and no longer."""

    def __init__(  # noqa: PLR0913 - each is named where it is called
        self,
        name: str,
        command: Sequence[str],
        *,
        stop_signal: signal.Signals,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        hear: Callable[[str], None] | None = None,
        note: Callable[[int], None] | None = None,
    ) -> None:
        """Take its name for people, how to start it, what stops it politely, and whom to tell.

        `hear` gets each line that it writes; without it, its output goes where ours does. `note`
        gets the process id of each start.
        """
        self.name = name
        self.ends = 0
        self.started_at = 0.0
        """By the monotonic clock."""
        self._command = command
        self._stop_signal = stop_signal
        self._environment = environment
        self._say = say
        self._hear = hear
        self._note = note
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
                if time.monotonic() - self.started_at > _PROVEN_SECONDS:
                    pause = _FIRST_PAUSE
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            await self._end()

    async def _run_once(self) -> None:
        try:
            self._process = await self._start()
            if self._note:
                self._note(self._process.pid)
            reason = _reason(await self._process.wait())
        except OSError as error:
            reason = str(error)
        self.ends += 1
        self.kill()  # workers that outlived it would hold on to the port
        self._say(f"{self.name} ended ({reason}); starting it again.")

    async def _start(self) -> asyncio.subprocess.Process:
        # Not asyncio's pipe: with that, a process has not ended until its workers have.
        output = await _listen(self._hear) if self._hear else None
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
                    self._say(f"{self.name} did not stop in time; killing it.")
            finally:
                self.kill()
            await ended


@asynccontextmanager
async def running(children: Sequence[Child]) -> AsyncIterator[None]:
    """Keep children running while the context lasts."""
    for child in children:
        child.start()
    try:
        yield
    finally:
        await asyncio.gather(*(child.stop() for child in children))


async def _listen(hear: Callable[[str], None]) -> int:
    """Return a file descriptor to write to; each line goes to a function, until it is closed."""
    reading, writing = os.pipe()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: _Lines(hear), os.fdopen(reading, "rb", buffering=0)
    )
    return writing


class _Lines(asyncio.Protocol):
    """Cuts what comes into lines."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hear(line.decode(errors="replace"))
        if len(self._rest) > _LONGEST_LINE:
            self.connection_lost(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._rest:
            self._hear(self._rest.decode(errors="replace"))
            self._rest = b""


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

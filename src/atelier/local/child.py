"""One program under supervision: started, started again when it ends, stopped."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from atelier.local.account import die_with_parent

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_PROVEN_SECONDS = 10.0
_STOP_SECONDS = 15.0


class Child:
    """A program that is to run as long as this process does, and no longer."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        stop_signal: signal.Signals,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        """Take its name for people, how to start it, what stops it politely, and whom to tell."""
        self.name = name
        self.ends = 0
        self._command = command
        self._stop_signal = stop_signal
        self._environment = environment
        self._say = say
        self._process: asyncio.subprocess.Process | None = None

    async def keep_running(self) -> None:
        """Run it, again and again, until this task is cancelled; then stop it."""
        pause = _FIRST_PAUSE
        clock = asyncio.get_running_loop().time
        try:
            while True:
                started = clock()
                await self._run_once()
                if clock() - started > _PROVEN_SECONDS:
                    pause = _FIRST_PAUSE
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            await self._stop()

    def kill(self) -> None:
        """End it, and whatever it started, at once."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _run_once(self) -> None:
        try:
            self._process = await self._start()
            reason = _reason(await self._process.wait())
        except OSError as error:
            reason = str(error)
        self.ends += 1
        self.kill()  # workers that outlived it would hold on to the port
        self._say(f"{self.name} ended ({reason}); starting it again.")

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,  # a terminal's Ctrl-C is for the supervisor alone
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    async def _stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(self._stop_signal)
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._say(f"{self.name} did not stop in time; killing it.")
            finally:
                self.kill()
            await self._process.wait()


@asynccontextmanager
async def running(children: Sequence[Child]) -> AsyncIterator[None]:
    """Keep children running while the context lasts."""
    tasks = [asyncio.create_task(child.keep_running()) for child in children]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

"""Runs the command `atelier` in a process with its own environment."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from atelier.local.host.account import die_with_parent, nobody, with_capability
from atelier.local.host.home import Home
from tests.support.processes import Process, all_processes, family

_SECONDS = 60
ATELIER = (sys.executable, "-P", "-m", "atelier")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Return this environment with a home folder and settings, without other settings."""
    names = ("ATELIER_", "PORT", "INSTANCES")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    # Services of other tests must not be found.
    return plain | {"ATELIER_HOME": str(home), "TMPDIR": str(home.parent)} | settings


_FOLDER = "/" if os.access("/", os.W_OK) else tempfile.gettempdir()
"""Commands run outside the checkout, where they may write a rejects file."""


def run(
    home: Path, *arguments: str, prefix: Sequence[str] = (), **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command and return its result."""
    return subprocess.run(
        [*prefix, *ATELIER, *arguments],
        env=environment(home, **settings),
        cwd=_FOLDER,
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )


def as_ordinary_user(folder: Path) -> tuple[str, ...]:
    """Give a folder to an unprivileged user; return a command prefix that runs as that user.

    The user may read everything, because the interpreter may be accessible to root only.
    """
    if os.geteuid() != 0:
        return ()
    os.chown(folder, nobody().uid or 0, nobody().gid or 0)
    return with_capability(nobody(), "dac_read_search").prefix


class Up:
    """A running `atelier up`, with its output so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output_file = output

    @property
    def output(self) -> str:
        return self._output_file.read_text()

    def wait_for(self, text: str) -> None:
        """Wait for a text in its output; fail if it ends before."""
        deadline = time.monotonic() + _SECONDS
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)

    def press_ctrl_c(self) -> int:
        """Interrupt the process group, as a terminal does, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(_SECONDS)


@contextmanager
def up(home: Path, *options: str, prefix: Sequence[str] = (), **settings: str) -> Iterator[Up]:
    """Yield a running `atelier up`; terminate it at the end, or when this process is killed."""
    output = home.with_name(home.name + ".output")
    with output.open("w") as file:
        process = subprocess.Popen(
            [*prefix, *ATELIER, "up", *options],
            env=environment(home, **settings),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl, no locks
        )
    try:
        yield Up(process, output)
    finally:
        process.terminate()
        process.wait(_SECONDS)


def processes_of(home: Path) -> list[Process]:
    """Return the processes that were started for a home folder, and their descendants."""
    opened = Home.open(home)
    return family(
        *(
            process.pid
            for process in all_processes()
            if process.home == str(home)
            or str(home) in process.command
            or str(opened.run) in process.command
        )
    )


def left_behind(home: Path) -> list[str]:
    """Return the processes and files that an ended command should not have left behind."""
    opened = Home.open(home)
    files = [opened.run, opened.data / "postmaster.pid", home / "sample", home / "postgresql.new"]
    commands = [process.command for process in processes_of(home)]
    return commands + [str(file) for file in files if file.exists()]

"""The command `atelier` as a user runs it: a process with an environment of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from atelier.local.host.account import entering, nobody
from atelier.local.host.home import Home
from tests.support.processes import Process, all_processes, family

_SECONDS = 60
ATELIER = (sys.executable, "-P", "-m", "atelier")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Return this environment with a home folder and settings, and no others of atelier's."""
    names = ("ATELIER_", "PORT", "INSTANCES")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    # What runs in another test's folder is not to be heard of.
    return plain | {"ATELIER_HOME": str(home), "TMPDIR": str(home.parent)} | settings


def run(
    home: Path, *arguments: str, prefix: Sequence[str] = (), **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*prefix, *ATELIER, *arguments],
        env=environment(home, **settings),
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )


def as_ordinary_user(folder: Path) -> tuple[str, ...]:
    """Give a folder to a user who is not root; return the command that runs others as that user.

    That user may read everything, for the interpreter may lie where only root can enter.
    """
    if os.geteuid() != 0:
        return ()
    os.chown(folder, nobody().uid or 0, nobody().gid or 0)
    return entering(nobody(), "dac_read_search").prefix


class Up:
    """A running `atelier up`, with all it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        """Wait until it has said something; fail if it ends before."""
        deadline = time.monotonic() + _SECONDS
        while text not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def press_ctrl_c(self) -> int:
        """Do what a terminal does, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(_SECONDS)


@contextmanager
def up(home: Path, *options: str, prefix: Sequence[str] = (), **settings: str) -> Iterator[Up]:
    """Yield a running `atelier up`; it is ended in the end if the test has not done it."""
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
        )
    try:
        yield Up(process, output)
    finally:
        process.terminate()
        process.wait(_SECONDS)


def processes_of(home: Path) -> list[Process]:
    """Return the processes that were started for a home folder, and their descendants."""
    place = Home.open(home)
    return family(
        *(
            process.pid
            for process in all_processes()
            if process.home == str(home)
            or str(home) in process.command
            or str(place.run) in process.command
        )
    )


def left_behind(home: Path) -> list[str]:
    """Return what a command that has ended should not have left: processes, and files of theirs."""
    place = Home.open(home)
    files = [place.run, place.data / "postmaster.pid", home / "sample", home / "postgresql.new"]
    commands = [process.command for process in processes_of(home)]
    return commands + [str(file) for file in files if file.exists()]

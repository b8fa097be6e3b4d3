"""Lists the machine's processes, to check that some have ended."""

import os
import time
from pathlib import Path
from typing import NamedTuple

_SECONDS = 60


class Process(NamedTuple):
    """A process in /proc; its start time distinguishes it from a later one with the same pid."""

    pid: int
    parent: int
    start: int
    command: str
    home: str
    """Its ATELIER_HOME, if it has one."""


def all_processes() -> list[Process]:
    """Return every process except zombies."""
    processes = (_read(folder) for folder in Path("/proc").glob("[0-9]*"))
    return [process for process in processes if process]


def family(*roots: int) -> list[Process]:
    """Return processes and their descendants."""
    processes = all_processes()
    members = set(roots)
    while new := {p.pid for p in processes if p.parent in members} - members:
        members |= new
    return [process for process in processes if process.pid in members]


def alive(processes: list[Process]) -> list[Process]:
    """Return those of the given processes that are still running."""
    now = {(process.pid, process.start) for process in all_processes()}
    return [process for process in processes if (process.pid, process.start) in now]


def wait_until_gone(processes: list[Process]) -> None:
    """Wait for processes to end."""
    deadline = time.monotonic() + _SECONDS
    while found := alive(processes):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def _read(folder: Path) -> Process | None:
    try:
        command = os.fsdecode((folder / "cmdline").read_bytes()).replace("\0", " ").strip()
        fields = (folder / "stat").read_text(errors="replace").rpartition(") ")[2].split()
    except OSError:
        return None
    if fields[0] == "Z":
        return None
    return Process(int(folder.name), int(fields[1]), int(fields[19]), command, _home(folder))


def _home(folder: Path) -> str:
    try:
        settings = (folder / "environ").read_text(errors="surrogateescape").split("\0")
    except OSError:  # another user's process
        return ""
    name = "ATELIER_HOME="
    return next((each.removeprefix(name) for each in settings if each.startswith(name)), "")

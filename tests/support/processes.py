"""Looks at the machine's processes, to find those that should be gone."""

import os
import time
from pathlib import Path
from typing import NamedTuple

_SECONDS = 60


class Process(NamedTuple):
    """A process as /proc shows it; its start tells it from a later one of the same number."""

    pid: int
    parent: int
    start: int
    command: str
    home: str
    """Its ATELIER_HOME, if it has one."""


def all_processes() -> list[Process]:
    """Return every process, but those that are only waiting for their parent to notice."""
    found = (_read(folder) for folder in Path("/proc").glob("[0-9]*"))
    return [process for process in found if process]


def family(*roots: int) -> list[Process]:
    """Return processes and their descendants."""
    everybody = all_processes()
    members = set(roots)
    while new := {p.pid for p in everybody if p.parent in members} - members:
        members |= new
    return [process for process in everybody if process.pid in members]


def alive(processes: list[Process]) -> list[Process]:
    """Return those of some processes that still run."""
    now = {(process.pid, process.start) for process in all_processes()}
    return [process for process in processes if (process.pid, process.start) in now]


def wait_until_gone(processes: list[Process]) -> None:
    """Wait for processes to end by themselves."""
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
    except OSError:  # another user's
        return ""
    name = "ATELIER_HOME="
    return next((each.removeprefix(name) for each in settings if each.startswith(name)), "")

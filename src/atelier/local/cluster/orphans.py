"""Finds and terminates the processes of a service whose supervisor was killed.

Every program that a supervisor starts leads its own session, and its children stay in that
session. The session id is recorded with the leader's start time. Linux does not reuse a pid while
a session has that id, so a process in a recorded session whose leader has ended was started by
that leader, or by a later one with the same pid: therefore it must also have one of the service's
files open.
"""

import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Leader:
    """The record of a started program."""

    pid: int
    start: int
    """Start time in clock ticks since boot."""
    boot: str
    """The kernel's boot id."""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    name: str
    session: int
    start: int


def record(file: Path, pid: int) -> None:
    """Record a program that was just started; skip it without /proc, or if the disk is full."""
    if process := _read(pid):
        with suppress(OSError), file.open("a", encoding="utf-8") as records:
            records.write(json.dumps(asdict(Leader(pid, process.start, _boot()))) + "\n")


def forget(file: Path) -> None:
    """Delete all records: the programs have ended."""
    file.unlink(missing_ok=True)


def terminate_orphans(file: Path, *folders: Path) -> list[str]:
    """Terminate the recorded programs and their children that still run; return their names.

    `folders` contain the service's files.
    """
    processes = [process for pid in _pids() if (process := _read(pid))]
    orphans = [
        orphan for leader in _recorded(file) for orphan in _orphans_of(leader, processes, folders)
    ]
    for orphan in orphans:
        _terminate(orphan)
    forget(file)
    return [orphan.name for orphan in orphans]


def _recorded(file: Path) -> Iterator[Leader]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield Leader(**json.loads(line))
        except (ValueError, TypeError):  # truncated by a crash, or written by another version
            continue


def _orphans_of(
    leader: Leader, processes: list[_Process], folders: tuple[Path, ...]
) -> list[_Process]:
    if leader.boot != _boot():
        return []
    same_pid = [process for process in processes if process.pid == leader.pid]
    if any(process.start != leader.start for process in same_pid):
        return []
    children = [
        process
        for process in processes
        if process.session == leader.pid != process.pid and _has_open(process.pid, folders)
    ]
    return same_pid + children


def _has_open(pid: int, folders: tuple[Path, ...]) -> bool:
    """Return whether a process has a file in one of the folders open."""
    try:
        links = [link.readlink() for link in (_PROC / str(pid) / "fd").iterdir()]
    except OSError:  # another user's process, or it has ended
        return False
    return any(link.is_relative_to(folder.resolve()) for link in links for folder in folders)


def _terminate(process: _Process) -> None:
    """Send SIGTERM, then SIGKILL, through a pidfd, so that a reused pid is never signalled."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if _read(process.pid) != process:
            return
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not select.select([pidfd], [], [], _STOP_SECONDS)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            select.select([pidfd], [], [], _STOP_SECONDS)
    except OSError:  # it has ended, or belongs to another user
        return
    finally:
        os.close(pidfd)


def _pids() -> list[int]:
    return [int(folder.name) for folder in _PROC.glob("[0-9]*")]


def _read(pid: int) -> _Process | None:
    """Return a process from /proc (proc(5)); None if it has ended."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    name, fields = text.partition("(")[2].rpartition(")")[0], text.rpartition(")")[2].split()
    state, session, start = fields[0], int(fields[3]), int(fields[19])
    return None if state == "Z" else _Process(pid, name, session, start)


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""

"""Processes that outlived a service whose supervisor was killed: known again, and ended.

Every program that a supervisor starts leads a session of its own, and what it starts stays in it. A
session's number is noted with the moment at which its leader started. Linux gives no number to
another process while a session has it, so whoever is in a noted session after its leader has ended
was started by that leader, or by a later one of the same number: therefore it must also have one
of the service's files open.
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
    """A program that was started, as it is noted."""

    pid: int
    start: int
    """In ticks of the kernel's clock since the machine's start."""
    boot: str
    """Which start of the machine that was."""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    name: str
    session: int
    start: int


def record(file: Path, pid: int) -> None:
    """Note a program that was just started; nothing where there is no /proc, or no room for it.

    A program that runs is worth more than its note.
    """
    if process := _read(pid):
        with suppress(OSError), file.open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(asdict(Leader(pid, process.start, _boot()))) + "\n")


def forget(file: Path) -> None:
    """Forget all programs: they have ended."""
    file.unlink(missing_ok=True)


def end_orphans(file: Path, *folders: Path) -> list[str]:
    """End what the noted programs left running; return the names of what was ended.

    `folders` are those of the service's files.
    """
    everybody = [process for pid in _pids() if (process := _read(pid))]
    left = [each for leader in _recorded(file) for each in _left_by(leader, everybody, folders)]
    for process in left:
        _end(process)
    forget(file)
    return [process.name for process in left]


def _recorded(file: Path) -> Iterator[Leader]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield Leader(**json.loads(line))
        except (ValueError, TypeError):  # cut off by a crash, or of another version
            continue


def _left_by(
    leader: Leader, everybody: list[_Process], folders: tuple[Path, ...]
) -> list[_Process]:
    if leader.boot != _boot():
        return []
    namesakes = [process for process in everybody if process.pid == leader.pid]
    if any(process.start != leader.start for process in namesakes):
        return []
    followers = [
        process
        for process in everybody
        if process.session == leader.pid != process.pid and _has_open(process.pid, folders)
    ]
    return namesakes + followers


def _has_open(pid: int, folders: tuple[Path, ...]) -> bool:
    """Tell whether a process has a file of one of the folders open."""
    try:
        links = [link.readlink() for link in (_PROC / str(pid) / "fd").iterdir()]
    except OSError:  # another user's, or gone
        return False
    return any(link.is_relative_to(folder.resolve()) for link in links for folder in folders)


def _end(process: _Process) -> None:
    """Ask a process to end, then make it; its number may be another's only once it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if _read(process.pid) != process:
            return
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not select.select([handle], [], [], _STOP_SECONDS)[0]:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], _STOP_SECONDS)
    except OSError:  # it has ended, or is not ours to end
        return
    finally:
        os.close(handle)


def _pids() -> list[int]:
    return [int(folder.name) for folder in _PROC.glob("[0-9]*")]


def _read(pid: int) -> _Process | None:
    """Return a process as proc(5) shows it; None if it has ended."""
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

"""Limits on the CPU time of processes, through a control group of their own (as root, on Linux)."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from atelier.errors import AtelierError

_FIRST, _SECOND = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
_PERIOD = 20_000
"""Microseconds, short, so that a process does not wait long for the rest of its time."""
_SHARES, _WEIGHT = 65_536, 10_000
"""Before other programs: only the quota is to limit them."""


@contextmanager
def quotas(pids: Sequence[int], cores: float) -> Iterator[None]:
    """Limit each of some processes to a part of a core while the context lasts.

    Raises AtelierError if this machine's control groups cannot be changed.
    """
    with ExitStack() as stack:
        for pid in pids:
            stack.enter_context(_quota(pid, round(cores * _PERIOD)))
        yield


@contextmanager
def _quota(pid: int, micros: int) -> Iterator[None]:
    root = _FIRST if (_FIRST / "cpu.cfs_quota_us").exists() else _SECOND
    group = root / f"atelier-bench-{os.getpid()}-{pid}"
    try:
        group.mkdir()
        try:
            for name, value in _settings(root, micros).items():
                (group / name).write_text(value)
            (group / "cgroup.procs").write_text(str(pid))
            yield
        finally:
            for each in (group / "cgroup.procs").read_text().split():
                (root / "cgroup.procs").write_text(each)
            group.rmdir()
    except OSError as error:
        raise AtelierError(f"the CPU time of a process cannot be limited: {error}") from error


def _settings(root: Path, micros: int) -> dict[str, str]:
    if root == _SECOND:
        return {"cpu.max": f"{micros} {_PERIOD}", "cpu.weight": str(_WEIGHT)}
    return {
        "cpu.cfs_period_us": str(_PERIOD),
        "cpu.cfs_quota_us": str(micros),
        "cpu.shares": str(_SHARES),
    }

"""How much memory PostgreSQL may count on, and which kind of shared memory."""

import os
import shutil
from pathlib import Path

_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_POSIX_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - asked for its size, nothing is put there
_LEAST_FOR_PARALLEL_QUERIES = 256 << 20


def total_memory() -> int:
    """Return the bytes of memory of the machine, or of the container if that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return machine


def dynamic_shared_memory() -> str:
    """Return `posix`, or `sysv` where /dev/shm is missing or as small as in many containers."""
    try:
        size = shutil.disk_usage(_POSIX_SHARED_MEMORY).total
    except OSError:
        return "sysv"
    return "posix" if size >= _LEAST_FOR_PARALLEL_QUERIES else "sysv"

"""Whose processor time a load takes: each program's part, from the kernel's own books."""

import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import family

_TICKS = os.sysconf("SC_CLK_TCK")
_OWN, _ITS_DEAD_CHILDRENS = slice(11, 13), slice(13, 15)

PARTS = ("load generator", "nginx", "instances", "PostgreSQL")


@dataclass(frozen=True, slots=True)
class Roots:
    """The processes at the top of each part; what they started belongs to it."""

    nginx: int
    instances: Sequence[int]
    postmaster: int


def seconds(roots: Roots) -> Mapping[str, float]:
    """Return the processor seconds each part has taken until now, and all that were not idle."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "load generator": children.ru_utime + children.ru_stime,
        "nginx": _of_family(roots.nginx),
        "instances": sum(map(_of_family, roots.instances)),
        "PostgreSQL": _of_family(roots.postmaster),
        "busy": _busy(),
    }


def _of_family(pid: int) -> float:
    return sum(_of(each) for each in family(pid))


def _of(pid: int) -> float:
    """Return a process's seconds, with those of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return sum(map(int, fields[_OWN] + fields[_ITS_DEAD_CHILDRENS])) / _TICKS


def _busy() -> float:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    waited = sum(fields[3:5])  # idle, and idle until a disk answers
    return (sum(fields[:8]) - waited) / _TICKS

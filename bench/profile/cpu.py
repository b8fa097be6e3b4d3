"""CPU time under load by component, from the kernel's accounting."""

import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import process_tree

_TICKS = os.sysconf("SC_CLK_TCK")
_OWN, _ENDED_CHILDREN = slice(11, 13), slice(13, 15)

PARTS = ("load generator", "nginx", "instances", "PostgreSQL")
REST = "the rest"
"""The kernel's own work: network and disk."""


@dataclass(frozen=True, slots=True)
class Roots:
    """The root processes of each component; their descendants belong to it."""

    nginx: int
    instances: Sequence[int]
    postmaster: int


def seconds(roots: Roots) -> Mapping[str, float]:
    """Return the CPU seconds used so far by each component, and in total (`busy`)."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "load generator": children.ru_utime + children.ru_stime,
        "nginx": tree_seconds(roots.nginx),
        "instances": sum(map(tree_seconds, roots.instances)),
        "PostgreSQL": tree_seconds(roots.postmaster),
        "busy": _busy(),
    }


def tree_seconds(pid: int) -> float:
    """Return the CPU seconds used so far by a process and its descendants."""
    return sum(_seconds_of(each) for each in process_tree(pid))


def _seconds_of(pid: int) -> float:
    """Return a process's CPU seconds, including those of its ended children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return sum(map(int, fields[_OWN] + fields[_ENDED_CHILDREN])) / _TICKS


def _busy() -> float:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    idle = sum(fields[3:5])  # idle and iowait
    return (sum(fields[:8]) - idle) / _TICKS

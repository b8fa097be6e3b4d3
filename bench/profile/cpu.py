"""CPU time under load by component, from the kernel's accounting."""

import os
import resource
from collections.abc import Iterator, Mapping, Sequence
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
    """Return the CPU seconds used so far by each component, and by the kernel itself.

    Other programs count nowhere.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "load generator": children.ru_utime + children.ru_stime,
        "nginx": tree_seconds(roots.nginx),
        "instances": sum(map(tree_seconds, roots.instances)),
        "PostgreSQL": tree_seconds(roots.postmaster),
        REST: busy_seconds() - sum(_seconds_of(pid) for pid in _programs()),
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


def _programs() -> Iterator[int]:
    """Yield all processes but the kernel's own, which are the children of process 2."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and "2" not in {folder.name, _parent(folder)}:
            yield int(folder.name)


def _parent(folder: Path) -> str:
    try:
        return (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
    except OSError:
        return ""


def busy_seconds() -> float:
    """Return the seconds that the cores have not been idle, or taken by another machine."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    idle = sum(fields[3:5])  # idle and iowait
    return (sum(fields[:7]) - idle) / _TICKS

"""A core for the load generator alone, so that it does not take time from the systems."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from atelier.errors import AtelierError
from bench.processes import process_tree
from bench.profile.cost import postmaster
from bench.stage import Stage
from bench.systems import Running


@contextmanager
def apart(stage: Stage, systems: Sequence[Running]) -> Iterator[Stage]:
    """Confine systems and PostgreSQL to all cores but the last; yield a stage that loads from it.

    Afterwards they may use all cores again. Raises AtelierError on a machine with one core.
    """
    cores = sorted(os.sched_getaffinity(0))
    *others, last = cores
    if not others:
        raise AtelierError("The machine has one core: none can be the load generator's alone.")
    roots = [
        postmaster(stage.embedded),
        *(pid for each in systems for pid in (*each.pids, each.nginx)),
    ]
    confine(roots, others)
    try:
        yield replace(stage, load=replace(stage.load, core=last))
    finally:
        confine(roots, cores)


def confine(roots: Sequence[int], cores: Sequence[int]) -> None:
    """Let processes, their descendants and all their threads run on some cores only."""
    for pid in (each for root in roots for each in process_tree(root)):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)

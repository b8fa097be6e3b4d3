"""Compares a checkout with another revision of itself, in turn, on the same data."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from atelier.errors import AtelierError
from bench.database_memory import warm
from bench.load import WORKLOADS
from bench.plan import Plan
from bench.processes import ROOT
from bench.profile.cost import measure
from bench.results import Cost
from bench.runner import stage_for
from bench.systems import OURS, System, ours
from bench.tables import table
from bench.targets import Spread

_BASE = "base"
_COMPARED = ("uniform", "answers", "v1", "votes")


def compare(
    plan: Plan, revision: str, settings: Mapping[str, str], log: Callable[[str], None]
) -> str:
    """Measure this checkout and another revision in turn; return a table of the ratios.

    `settings` are environment variables for this checkout's instances only. Both run behind the
    same nginx and on the same database, configured and migrated by this checkout. A ratio is
    computed from two consecutive measurements. Raises AtelierError if git does not know the
    revision.
    """
    with stage_for(plan, log) as stage, checked_out(stage.home.path, revision) as source:
        dsn = stage.catalogue.dsn
        warm(dsn)
        base = with_source(ours(dsn, _BASE), source)
        this = replace(ours(dsn), environment={**ours(dsn).environment, **settings})
        with stage.running(this, base) as pair:
            costs = {name: measure(stage, name, pair) for name in _COMPARED}
    return _table(costs)


@contextmanager
def checked_out(folder: Path, revision: str) -> Iterator[Path]:
    """Unpack a revision's code into a separate folder; yield its import path."""
    unpacked = folder / "base"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(mode=0o755)
    archive = subprocess.run(
        ["git", "archive", revision, "src", "contract"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        raise AtelierError(f"git archive {revision}: {archive.stderr.decode().strip()}")
    try:
        subprocess.run(["tar", "-xC", unpacked], input=archive.stdout, check=True)
        yield unpacked / "src"
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def with_source(system: System, source: Path) -> System:
    """Return a system that runs the code in an import path."""
    return replace(system, environment={**system.environment, "PYTHONPATH": str(source)})


def _table(found: Mapping[str, Mapping[str, list[Cost]]]) -> str:
    head = ["workload", "requests/s, ÷ base", "instances, µs", "base", "÷ base", "errors"]
    return table(head, [_row(name, costs) for name, costs in found.items()])


def _row(workload: str, costs: Mapping[str, list[Cost]]) -> list[str]:
    now, base = costs[OURS], costs[_BASE]
    micros = [median(map(_instances_time, side)) for side in (now, base)]
    return [
        WORKLOADS[workload],
        Spread.of(_ratios(now, base, lambda cost: cost.rate)).text(2),
        *(f"{number:.0f}" for number in micros),
        Spread.of(_ratios(now, base, _instances_time)).text(2),
        str(sum(cost.errors for cost in (*now, *base))),
    ]


def _instances_time(cost: Cost) -> float:
    return cost.parts["instances"]


def _ratios(now: list[Cost], base: list[Cost], figure: Callable[[Cost], float]) -> list[float]:
    return [figure(one) / figure(other) for one, other in zip(now, base, strict=True)]

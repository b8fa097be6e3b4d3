"""Measures a checkout beside another revision of itself, on the same data, in turn."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from atelier.errors import AtelierError
from bench import report
from bench.bars import Spread
from bench.database_memory import warm
from bench.load import WORKLOADS
from bench.plan import CONNECTIONS, Plan
from bench.processes import ROOT
from bench.profile import cpu
from bench.profile.run import postmaster
from bench.results import Sample
from bench.runner import stage_for
from bench.stage import Stage
from bench.systems import OURS, Running, System, ours

_BASE = "base"
_COMPARED = ("uniform", "answers", "votes")


@dataclass(frozen=True, slots=True)
class _Round:
    """One measurement of one side: what wrk saw, and the processor time of a request in µs."""

    sample: Sample
    cpu: Mapping[str, float]


def compare(plan: Plan, revision: str, say: Callable[[str], None]) -> str:
    """Measure this checkout and another revision in turn; return a table of the ratios.

    Both are behind the same nginx, configured by this checkout, and on the same database, migrated
    by this checkout. A ratio is that of two measurements next to each other in time. Raises
    AtelierError if git does not know the revision.
    """
    with stage_for(plan, say) as stage, _checked_out(stage.home.path, revision) as source:
        dsn = stage.catalogue.dsn
        warm(dsn)
        base = replace(ours(dsn, _BASE), environment=_importing(source, ours(dsn)))
        with stage.running(ours(dsn), base) as pair:
            rounds = {name: _measure(stage, pair, name) for name in _COMPARED}
    return _table(rounds)


@contextmanager
def _checked_out(folder: Path, revision: str) -> Iterator[Path]:
    """Unpack a revision's code into a folder of its own; yield where to import it from."""
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


def _importing(source: Path, system: System) -> Mapping[str, str]:
    return {**system.environment, "PYTHONPATH": str(source)}


def _measure(stage: Stage, pair: list[Running], workload: str) -> dict[str, list[_Round]]:
    found: dict[str, list[_Round]] = {system.name: [] for system in pair}
    for number in range(stage.plan.rounds):
        stage.say(f"{workload}, round {number + 1} of {stage.plan.rounds}.")
        for system in pair if number % 2 else reversed(pair):
            if workload == "votes":
                stage.checkpoint()
            stage.load.saturate(system, workload, 1, seed=50 + number, connections=CONNECTIONS)
            found[system.name].append(_once(stage, system, workload, number))
    return found


def _once(stage: Stage, system: Running, workload: str, seed: int) -> _Round:
    roots = cpu.Roots(system.nginx, system.pids, postmaster(stage))
    before = cpu.seconds(roots)
    sample = stage.load.saturate(
        system, workload, stage.plan.seconds, seed=seed, connections=CONNECTIONS
    )
    requests = max(sample.rate * stage.plan.seconds, 1)
    after = cpu.seconds(roots)
    return _Round(sample, {part: 1e6 * (after[part] - before[part]) / requests for part in before})


def _table(found: Mapping[str, Mapping[str, list[_Round]]]) -> str:
    head = ["workload", "requests/s, ÷ base", "instances, µs", "base", "÷ base", "errors"]
    return report.table(head, [_row(name, rounds) for name, rounds in found.items()])


def _row(workload: str, rounds: Mapping[str, list[_Round]]) -> list[str]:
    now, base = rounds[OURS], rounds[_BASE]
    micros = [median(each.cpu["instances"] for each in side) for side in (now, base)]
    return [
        WORKLOADS[workload],
        Spread.of(_ratios(now, base, lambda each: each.sample.rate)).text(2),
        *(f"{number:.0f}" for number in micros),
        Spread.of(_ratios(now, base, lambda each: each.cpu["instances"])).text(2),
        str(sum(each.sample.errors for each in (*now, *base))),
    ]


def _ratios(
    now: list[_Round], base: list[_Round], figure: Callable[[_Round], float]
) -> list[float]:
    return [figure(one) / figure(other) for one, other in zip(now, base, strict=True)]

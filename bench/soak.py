"""A long steady mixed load on the service, to detect growing latency, memory or descriptors."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from atelier.settings import CommaSeparated, Settings
from bench import systems
from bench.memory import Peak, largest_sampler, sampled
from bench.plan import Plan
from bench.plots import draw_soak
from bench.processes import process_tree, started
from bench.results import Soak, Timeline
from bench.runner import stage_for
from bench.systems import Running

_K6 = "127.0.0.1/32"
"""The address of the normal requests, all from one client: hostile ones come from others."""
_SAMPLE_INTERVAL = 5.0
_END_SECONDS = 60


@dataclass
class _Usage:
    """Records memory and open files over time."""

    system: Running
    start: float = field(default_factory=time.monotonic)
    memory: list[tuple[float, float]] = field(default_factory=list)
    descriptors: list[tuple[float, int]] = field(default_factory=list)

    def sample(self, _peak: Peak) -> None:
        peak = Peak()
        largest_sampler(self.system.pids)(peak)
        seconds = round(time.monotonic() - self.start, 1)
        self.memory.append((seconds, round(peak.value.resident, 1)))
        pids = (*self.system.pids, *process_tree(self.system.nginx))
        self.descriptors.append((seconds, sum(map(_open_files, pids))))


def _open_files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - no objects are needed
    except OSError:
        return 0


def soak(  # noqa: PLR0913 - the command's options
    plan: Plan,
    minutes: float,
    rate: int,
    folder: Path,
    log: Callable[[str], None],
    *,
    hostile: bool = False,
) -> str:
    """Run bench/k6/soak.js, beside hostile clients if wanted; return the verdict.

    Writes soak.json and soak.svg (or hostile.json and hostile.svg) to a folder.
    """
    with stage_for(plan, log) as stage:
        path = stage.load.scratch / "timeline.json"
        environment = {"MINUTES": str(minutes), "RATE": str(rate), "TIMELINE": str(path)}
        attack = stage.load.scratch / "hostile.json"
        system = systems.ours(stage.catalogue.dsn)
        limits = Settings(rate_exempt=CommaSeparated([_K6])) if hostile else None
        with systems.running(system, stage.folder, settings=limits) as ours:
            log(f"{rate:,} requests/s of the mixed workload for {minutes:g} minutes.")
            usage = _Usage(ours)
            with (
                sampled(usage.sample, _SAMPLE_INTERVAL),
                _attack(ours, minutes, attack, wanted=hostile),
            ):
                stage.load.k6_script(ours, "soak", environment)
        timeline = msgspec.json.decode(path.read_bytes(), type=Timeline)
        seen = json.loads(attack.read_text()) if hostile else {}
    result = Soak(minutes, rate, timeline, usage.memory, usage.descriptors, seen)
    name, title = "soak", f"{rate:,} requests/s for {minutes:g} minutes"
    if hostile:
        name, title = "hostile", f"{title}, beside hostile clients"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    draw_soak(result, folder / f"{name}.svg", title)
    return "\n".join([timeline.verdict, *_verdicts(result)])


@contextmanager
def _attack(system: Running, minutes: float, output: Path, *, wanted: bool) -> Iterator[None]:
    """Run hostile clients (bench/hostile.py) while the context lasts."""
    if not wanted:
        yield
        return
    port = system.url.rpartition(":")[2]
    command = [sys.executable, "-m", "bench.hostile", port, str(60 * minutes)]
    with started(command, log=output) as process:
        yield
        process.wait(_END_SECONDS)


def _verdicts(result: Soak) -> Iterator[str]:
    first, last = _beginning_and_end(result.memory)
    yield f"The largest instance took {first:.0f} MB after warm-up and {last:.0f} MB at the end."
    first, last = _beginning_and_end(result.descriptors)
    yield f"Instances and nginx had {first:.0f} open files then and {last:.0f} at the end."
    for kind, statuses in result.hostile.items():
        counts = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
        yield f"{kind}: statuses {counts}"


def _beginning_and_end(samples: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of the second sixth of a run, after warm-up, and of the last."""
    sixth = max(1, len(samples) // 6)
    first = statistics.median(value for _, value in samples[sixth : 2 * sixth] or samples)
    return first, statistics.median(value for _, value in samples[-sixth:])

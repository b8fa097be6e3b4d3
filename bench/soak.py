"""A long steady mixed load on the service, to detect growing latency or memory."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench import memory, systems
from bench.plan import Plan
from bench.plots import draw_timeline
from bench.results import Timeline
from bench.runner import stage_for

_SAMPLE_INTERVAL = 5.0


class Soak(msgspec.Struct):
    """The result of a soak test."""

    minutes: float
    rate: int
    timeline: Timeline
    memory: list[tuple[float, float]]
    """Seconds since the start, and resident MB of the largest instance."""


@dataclass
class _MemoryLog:
    """Records memory over time."""

    pids: Sequence[int]
    start: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, float]] = field(default_factory=list)

    def sample(self, _peak: memory.Peak) -> None:
        peak = memory.Peak()
        memory.largest_sampler(self.pids)(peak)
        self.samples.append(
            (round(time.monotonic() - self.start, 1), round(peak.value.resident, 1))
        )


def soak(plan: Plan, minutes: float, rate: int, folder: Path, log: Callable[[str], None]) -> str:
    """Run bench/k6/soak.js; write soak.json and soak.svg to a folder and return the verdict."""
    with stage_for(plan, log) as stage:
        path = stage.load.scratch / "timeline.json"
        environment = {"MINUTES": str(minutes), "RATE": str(rate), "TIMELINE": str(path)}
        with stage.running(systems.ours(stage.catalogue.dsn)) as [ours]:
            log(f"{rate:,} requests/s of the mixed workload for {minutes:g} minutes.")
            memory_log = _MemoryLog(ours.pids)
            with memory.sampled(memory_log.sample, _SAMPLE_INTERVAL):
                stage.load.k6_script(ours, "soak", environment)
        timeline = msgspec.json.decode(path.read_bytes(), type=Timeline)
    result = Soak(minutes, rate, timeline, memory_log.samples)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.json").write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    draw_timeline(timeline, folder / "soak.svg", f"{rate:,} requests/s for {minutes:g} minutes")
    return f"{timeline.verdict}\n{_memory_verdict(memory_log.samples)}"


def _memory_verdict(samples: Sequence[tuple[float, float]]) -> str:
    """Compare the second sixth of the run, after warm-up, with the last."""
    if not samples:
        return "Memory was not measured."
    sixth = max(1, len(samples) // 6)
    first = statistics.median(size for _, size in samples[sixth : 2 * sixth] or samples)
    last = statistics.median(size for _, size in samples[-sixth:])
    return (
        f"The largest instance took {first:.0f} MB near the beginning and {last:.0f} MB at the end."
    )

"""Half an hour of steady mixed load on the service alone: nothing may creep."""

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

_LOOK_SECONDS = 5.0


class Soak(msgspec.Struct):
    """A soak's outcome."""

    minutes: float
    rate: int
    timeline: Timeline
    memory: list[tuple[float, float]]
    """Seconds from the start, and the resident MB of the largest instance then."""


@dataclass
class _Watch:
    """Remembers how memory went over time."""

    pids: Sequence[int]
    begin: float = field(default_factory=time.monotonic)
    seen: list[tuple[float, float]] = field(default_factory=list)

    def look(self, _peak: memory.Peak) -> None:
        now = memory.Peak()
        memory.largest(self.pids)(now)
        self.seen.append((round(time.monotonic() - self.begin, 1), round(now.value.resident, 1)))


def soak(plan: Plan, minutes: float, rate: int, folder: Path, log: Callable[[str], None]) -> str:
    """Run bench/k6/soak.js; write soak.json and soak.svg to a folder and return the verdict."""
    with stage_for(plan, log) as stage:
        path = stage.load.scratch / "timeline.json"
        environment = {"MINUTES": str(minutes), "RATE": str(rate), "TIMELINE": str(path)}
        with stage.running(systems.ours(stage.catalogue.dsn)) as [ours]:
            log(f"{rate:,} requests/s of the mixed workload for {minutes:g} minutes.")
            watch = _Watch(ours.pids)
            with memory.watched(watch.look, _LOOK_SECONDS):
                stage.load.k6_script(ours, "soak", environment)
        timeline = msgspec.json.decode(path.read_bytes(), type=Timeline)
    outcome = Soak(minutes, rate, timeline, watch.seen)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)) + b"\n")
    draw_timeline(timeline, folder / "soak.svg", f"{rate:,} requests/s for {minutes:g} minutes")
    return f"{timeline.verdict}\n{_memory_verdict(watch.seen)}"


def _memory_verdict(seen: Sequence[tuple[float, float]]) -> str:
    """Compare the first sixth, once warm, with the last."""
    if not seen:
        return "Memory was not seen."
    sixth = max(1, len(seen) // 6)
    first = statistics.median(size for _, size in seen[sixth : 2 * sixth] or seen)
    last = statistics.median(size for _, size in seen[-sixth:])
    return (
        f"The largest instance took {first:.0f} MB near the beginning and {last:.0f} MB at the end."
    )

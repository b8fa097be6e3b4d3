"""Memory of processes, sampled while they run."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.processes import process_tree
from bench.results import Memory

_FIELDS = re.compile(r"^(Rss|Pss): +(\d+) kB$", re.MULTILINE)
_KILOBYTES = 1024


class Peak:
    """The maximum of the samples."""

    def __init__(self) -> None:
        """Start at zero."""
        self.value = Memory(0, 0)

    def add(self, resident: float, proportional: float) -> None:
        """Add a sample, in MB."""
        self.value = Memory(
            max(self.value.resident, resident), max(self.value.proportional, proportional)
        )


@contextmanager
def sampled(sample: Callable[[Peak], None], interval: float = 2) -> Iterator[Peak]:
    """Sample every `interval` seconds while the context lasts; yield the peak.

    The default interval keeps the overhead negligible: sampling a large process takes milliseconds.
    """
    peak, done = Peak(), threading.Event()

    def run() -> None:
        sample(peak)
        while not done.wait(interval):
            sample(peak)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def largest_sampler(pids: Sequence[int]) -> Callable[[Peak], None]:
    """Return a sampler of the largest of some processes."""

    def sample(peak: Peak) -> None:
        for pid in pids:
            peak.add(*_megabytes(pid))

    return sample


def tree_sampler(pid: int) -> Callable[[Peak], None]:
    """Return a sampler of a process and its descendants, added up."""

    def sample(peak: Peak) -> None:
        sizes = [_megabytes(each) for each in process_tree(pid)]
        peak.add(sum(size[0] for size in sizes), sum(size[1] for size in sizes))

    return sample


def _megabytes(pid: int) -> tuple[float, float]:
    """Return resident and proportional memory; zero if the process has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0, 0
    sizes = {name: int(size) / _KILOBYTES for name, size in _FIELDS.findall(text)}
    return sizes.get("Rss", 0), sizes.get("Pss", 0)

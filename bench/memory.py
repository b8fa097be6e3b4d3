"""How much memory processes take, watched from outside while they work."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.processes import family
from bench.results import Memory

_FIELDS = re.compile(r"^(Rss|Pss): +(\d+) kB$", re.MULTILINE)
_KILOBYTES = 1024


class Peak:
    """The most that was seen."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.value = Memory(0, 0)

    def see(self, resident: float, proportional: float) -> None:
        """Take another look into account."""
        self.value = Memory(
            max(self.value.resident, resident), max(self.value.proportional, proportional)
        )


@contextmanager
def watched(look: Callable[[Peak], None], interval: float = 2) -> Iterator[Peak]:
    """Look every `interval` seconds while the context lasts; yield the peak.

    Seldom enough not to be noticed: a look at a large process takes milliseconds.
    """
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        look(peak)
        while not done.wait(interval):
            look(peak)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def largest(pids: Sequence[int]) -> Callable[[Peak], None]:
    """Return what looks at each of some processes for itself."""

    def look(peak: Peak) -> None:
        for pid in pids:
            peak.see(*_megabytes(pid))

    return look


def together(pid: int) -> Callable[[Peak], None]:
    """Return what looks at a process and all below it as one."""

    def look(peak: Peak) -> None:
        sizes = [_megabytes(each) for each in family(pid)]
        peak.see(sum(size[0] for size in sizes), sum(size[1] for size in sizes))

    return look


def _megabytes(pid: int) -> tuple[float, float]:
    """Return resident and proportional memory; nothing once the process is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0, 0
    sizes = {name: int(size) / _KILOBYTES for name, size in _FIELDS.findall(text)}
    return sizes.get("Rss", 0), sizes.get("Pss", 0)

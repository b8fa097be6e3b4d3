"""Progress of long-running work: bars on a terminal, a plain line every two seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichBars
from rich.progress import Task as RichTask
from rich.text import Text

PLAIN_INTERVAL = 2.0
"""Seconds between two lines about one task."""


class Task(Protocol):
    """A running task."""

    def advance(self, number: int) -> None:
        """Add `number` rows (or other units) to the completed ones."""

    def set_total(self, number: int) -> None:
        """Set the expected total."""


class Progress(Protocol):
    """Reports the progress of long-running work."""

    def task(
        self, label: str, total: int | None = None, *, unit: str = "rows"
    ) -> AbstractContextManager[Task]:
        """Show a task while the context lasts; `total` is its size, if known."""


def progress_for(console: Console) -> Progress:
    """Return bars for a terminal, plain lines for any other output."""
    if console.is_terminal:
        return BarProgress(console)
    return PlainProgress(lambda line: console.print(line, highlight=False, soft_wrap=True))


class BarProgress:
    """Rich's progress bars; concurrent tasks share one display."""

    def __init__(self, console: Console) -> None:
        """Draw on this terminal."""
        self._console = console
        self._bars: RichBars | None = None
        self._running = 0

    @contextmanager
    def task(self, label: str, total: int | None = None, *, unit: str = "rows") -> Iterator[Task]:
        """Show a bar for a task, with its rate and remaining time."""
        bars = self._open()
        try:
            bar = _Bar(bars, label, total, unit)
            yield bar
            bar.finish()
        finally:
            self._close(bars)

    def _open(self) -> RichBars:
        if self._bars is None:
            self._bars = RichBars(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                _RateColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bars.start()
        self._running += 1
        return self._bars

    def _close(self, bars: RichBars) -> None:
        self._running -= 1
        if self._running == 0:
            bars.stop()
            self._bars = None


class _Bar:
    def __init__(self, bars: RichBars, label: str, total: int | None, unit: str) -> None:
        self._bars = bars
        self._id = bars.add_task(label, total=total, unit=unit)

    def advance(self, number: int) -> None:
        self._bars.advance(self._id, number)

    def set_total(self, number: int) -> None:
        self._bars.update(self._id, total=number)

    def finish(self) -> None:
        done = self._bars.tasks[self._bars.task_ids.index(self._id)].completed
        self._bars.update(self._id, total=done or 1, completed=done or 1)


class _RateColumn(ProgressColumn):
    def render(self, task: RichTask) -> Text:
        speed = task.finished_speed or task.speed
        shown = f"{speed:,.0f} {task.fields['unit']}/s" if speed else ""
        return Text(shown, style="progress.data.speed")


class PlainProgress:
    """One line when a task starts, every two seconds while it advances, and when it ends."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Print lines with `write`; `clock` returns seconds."""
        self._write = write
        self._clock = clock

    @contextmanager
    def task(self, label: str, total: int | None = None, *, unit: str = "rows") -> Iterator[Task]:
        """Print lines about a task while the context lasts."""
        self._write(f"{label} ...")
        lines = _Lines(self._write, self._clock, label, total, unit)
        yield lines
        lines.finish()


class _Lines:
    def __init__(
        self,
        write: Callable[[str], None],
        clock: Callable[[], float],
        label: str,
        total: int | None,
        unit: str,
    ) -> None:
        self._write, self._clock = write, clock
        self._label, self._total, self._unit = label, total, unit
        self._start = self._printed = clock()
        self._done = 0

    def advance(self, number: int) -> None:
        self._done += number
        now = self._clock()
        if now - self._printed >= PLAIN_INTERVAL:
            self._printed = now
            self._write(f"{self._label}: {self._rate(now)}{self._remaining(now)}")

    def set_total(self, number: int) -> None:
        self._total = number

    def finish(self) -> None:
        now = self._clock()
        rate = f", {self._rate(now)}" if self._done else ""
        self._write(f"{self._label}: done in {now - self._start:.1f} s{rate}")

    def _rate(self, now: float) -> str:
        speed = self._done / max(now - self._start, 1e-3)
        return f"{self._done:,} {self._unit}, {speed:,.0f} {self._unit}/s"

    def _remaining(self, now: float) -> str:
        if self._total is None or self._done == 0:
            return ""
        seconds = max(self._total - self._done, 0) * (now - self._start) / self._done
        return f", {seconds:.0f} s left"

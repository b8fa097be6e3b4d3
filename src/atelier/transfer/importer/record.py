"""The record of an import in the table `imports`: its progress, its rejects, its end.

The progress is written from a connection of its own, outside the import's transactions. The end of
a successful import is written in the transaction that publishes its rows.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import asyncpg

from atelier.errors import describe_error
from atelier.store.connections.database import LOST, SCHEMA
from atelier.store.queries import queries
from atelier.transfer.database.session import one_line_errors, session
from atelier.transfer.files.rejects import RejectsFile
from atelier.transfer.importer.summary import FileSummary
from atelier.transfer.progress import Progress, Task

_QUERIES = queries("atelier.transfer.importer")
_INTERVAL = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Record:
    """The row of one import."""

    id: int
    rejected: RejectsFile
    progress: "RecordedProgress"

    async def finish(self, connection: asyncpg.Connection, files: Iterable[FileSummary]) -> None:
        """Write in the connection's transaction that the rows of the files are published."""
        counts = [
            {name: value for name, value in asdict(file).items() if name != "rejected"}
            | {"accepted": file.accepted, "rejected": file.rejected.total()}
            for file in files
        ]
        query = _QUERIES["finish_import"]
        await connection.execute(query, self.id, *self._rejects(), json.dumps(counts))

    async def keep_current(self, connection: asyncpg.Connection) -> None:
        """Write the progress every second, until cancelled or the connection is lost."""
        with suppress(asyncpg.PostgresError, *LOST):
            while True:
                await self.write(connection)
                await asyncio.sleep(_INTERVAL)

    async def write(self, connection: asyncpg.Connection) -> None:
        """Write the progress."""
        values = (*self.progress.state(), *self._rejects())
        await connection.execute(_QUERIES["update_import"], self.id, *values)

    def _rejects(self) -> tuple[int, str]:
        return self.rejected.counts.total(), json.dumps(self.rejected.found())


@asynccontextmanager
async def recorded(
    dsn: str, folder: Path, rejected: RejectsFile, progress: Progress, *, replace: bool
) -> AsyncIterator[Record]:
    """Record an import while the context lasts; the caller holds the lock of imports.

    An error that leaves the context ends the record with its text, a cancellation as interrupted.
    """
    async with session(dsn, SCHEMA) as connection:
        paths = map(_stored, map(os.path.abspath, (folder, rejected.path)))
        row = (socket.gethostname(), *paths, replace)
        record = Record(
            await connection.fetchval(_QUERIES["begin_import"], *row),
            rejected,
            RecordedProgress(progress),
        )
        writing = asyncio.create_task(record.keep_current(connection))
        state, error = "interrupted", None
        try:
            with one_line_errors("The import"):
                yield record
        except Exception as raised:
            state, error = "failed", describe_error(raised).removeprefix("AtelierError: ")
            raise
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            await _end(dsn, record, state, error)


async def _end(dsn: str, record: Record, state: str, error: str | None) -> None:
    """Write how the import ended, unless its end is written: an error here must hide no other."""
    with suppress(asyncpg.PostgresError, *LOST):
        async with session(dsn, SCHEMA) as connection:
            await record.write(connection)
            await connection.execute(
                _QUERIES["end_import"], record.id, state, error and _stored(error)
            )


def _stored(text: str) -> str:
    """Return a text that may contain a path; the bytes of a path are not always UTF-8."""
    return text.encode(errors="backslashreplace").decode()


class RecordedProgress:
    """Passes progress on, and knows what runs at the moment."""

    def __init__(self, progress: Progress) -> None:
        """Pass everything on to `progress`."""
        self._progress = progress
        self._running: list[_Task] = []
        self._last = _Task("", None, "rows")

    @contextmanager
    def task(self, label: str, total: int | None = None, *, unit: str = "rows") -> Iterator[Task]:
        """Show a task while the context lasts."""
        with self._progress.task(label, total, unit=unit) as shown:
            self._last = task = _Task(label, total, unit, shown)
            self._running.append(task)
            try:
                yield task
            finally:
                self._running.remove(task)

    def state(self) -> tuple[str, int, int | None, str]:
        """Return the labels of what runs or ran last, the units done, their total and name."""
        tasks = self._running or [self._last]
        totals = [task.total for task in tasks if task.total is not None]
        total = sum(totals) if len(totals) == len(tasks) else None
        label = ", ".join(task.label for task in tasks)
        return label, sum(task.done for task in tasks), total, tasks[0].unit


@dataclass(slots=True, eq=False)
class _Task:
    label: str
    total: int | None
    unit: str
    shown: Task | None = None
    done: int = field(default=0)

    def advance(self, number: int) -> None:
        self.done += number
        if self.shown:
            self.shown.advance(number)

    def set_total(self, number: int) -> None:
        self.total = number
        if self.shown:
            self.shown.set_total(number)

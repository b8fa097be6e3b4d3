"""What imports did, and how far a running one is, for the console and the command line."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERY = queries("atelier.store")["recent_imports"]
_JSON = ("rejects", "files")

LOCK = 0x41_74_49_6D
"""The key of the advisory lock that an import holds while it runs."""


class ImportRun(NamedTuple):
    """An import: a running one as it was at most a second before `updated_at`."""

    id: int
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    host: str
    """The machine on which it ran, where `folder` and `rejects_file` are."""
    folder: str
    rejects_file: str
    """Where the rejected rows are, once it is finished and has rejected any."""
    is_replacing: bool
    """Whether the rows of the files replace all others (--replace)."""
    state: str
    """running, finished, failed (see `error`) or interrupted: by Ctrl-C, or it was killed."""
    error: str | None
    phase: str
    """What it does or did last: a file that it reads, tables, documents, …"""
    done: int
    """How many rows (or other units, see `unit`) of the phase are done."""
    total: int | None
    """Of how many; None if that is unknown."""
    unit: str
    rejected: int
    """Rejected rows so far."""
    rejects: list[dict[str, Any]]
    """For each file and reason: `file`, `reason`, `count`, `first_lines` (at most five)."""
    files: list[dict[str, Any]]
    """Once it is finished, for each file: its name and the counts that the command prints."""

    @property
    def seconds(self) -> float:
        """How long it ran, or has been running."""
        return ((self.finished_at or self.updated_at) - self.started_at).total_seconds()


class Imports:
    """Reads the imports, for the service."""

    def __init__(self, database: Database) -> None:
        """Take the primary."""
        self._database = database

    async def recent(self, limit: int) -> list[ImportRun]:
        """Return the last imports, the newest first; 100 are kept."""
        return _runs(await self._database.read(_QUERY, LOCK, limit))


async def recent_imports(connection: asyncpg.Connection, limit: int) -> list[ImportRun]:
    """Return the last imports, the newest first; 100 are kept."""
    return _runs(await connection.fetch(_QUERY, LOCK, limit))


def _runs(rows: Iterable[asyncpg.Record]) -> list[ImportRun]:
    return [ImportRun(**{**row, **{name: json.loads(row[name]) for name in _JSON}}) for row in rows]

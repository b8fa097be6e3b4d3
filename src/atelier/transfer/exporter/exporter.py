"""Exports the tables to the three CSV files that an import reads."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import asyncpg
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from atelier.store.connections.database import SCHEMA
from atelier.store.queries import queries
from atelier.transfer.database.session import Job, one_line_errors, open_workers, session
from atelier.transfer.database.snapshot import export_snapshot
from atelier.transfer.files.folder import new_files
from atelier.transfer.files.layout import ANSWERS, FILES, PHOTOS, QUESTIONS, ExportFile, Kind
from atelier.transfer.progress import Progress, Task

_QUERIES = queries("atelier.transfer.exporter")


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """The result of an export."""

    folder: Path
    rows: dict[str, int]
    """Number of rows by file name."""
    seconds: float

    def render(self) -> RenderableType:
        """Return a table of the files and a line with the duration."""
        table = Table()
        table.add_column("file")
        table.add_column("rows", justify="right")
        for name, rows in self.rows.items():
            table.add_row(name, f"{rows:,}")
        speed = sum(self.rows.values()) / max(self.seconds, 1e-3)
        return Group(table, Text(f"{self.folder}: {self.seconds:.1f} s, {speed:,.0f} rows/s"))


async def export(
    dsn: str, folder: Path, *, progress: Progress, force: bool = False
) -> ExportSummary:
    """Write the three files into a folder (created if missing) from one snapshot.

    They replace existing files only once all three are complete. Raises AtelierError if that
    fails, or if the folder holds an export and `force` is not set; its files are then unchanged.
    """
    started = time.monotonic()
    with new_files(folder, force=force) as files:
        rows = await _copy_all(dsn, files, progress)
    return ExportSummary(folder, rows, time.monotonic() - started)


async def _copy_all(
    dsn: str, files: Mapping[ExportFile, BinaryIO], progress: Progress
) -> dict[str, int]:
    with one_line_errors("The export"):
        async with (
            session(dsn, SCHEMA) as connection,
            export_snapshot(connection) as snapshot,
            open_workers(dsn, SCHEMA) as workers,
        ):
            rows: dict[str, int] = {}
            failures: list[OSError] = []

            def copy_job(file: ExportFile) -> Job:
                async def copy(connection: asyncpg.Connection) -> None:
                    with progress.task(file.name) as task:
                        async with snapshot.transaction(connection):
                            rows[file.name] = await _copy(
                                connection, file, files[file], task, failures
                            )

                return copy

            await workers.run(copy_job(file) for file in (ANSWERS, QUESTIONS, PHOTOS))
            if failures:
                raise failures[0]
    return {file.name: rows[file.name] for file in FILES}


async def _copy(
    connection: asyncpg.Connection,
    file: ExportFile,
    output: BinaryIO,
    task: Task,
    failures: list[OSError],
) -> int:
    async def write(data: bytes) -> None:
        # Not raised here: asyncpg may still be receiving, and would print a traceback.
        if failures:
            return
        try:
            output.write(data)
        except OSError as error:
            failures.append(error)
        task.advance(data.count(b"\n"))

    output.write(",".join(column.name for column in file.columns).encode() + b"\n")
    status = await connection.copy_from_query(
        _QUERIES[f"export_{file.table}"],
        output=write,
        format="csv",
        force_quote=[column.name for column in file.columns if column.kind is Kind.TEXT],
    )
    return int(status.removeprefix("COPY "))

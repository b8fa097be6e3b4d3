"""Imports an export: all of it or nothing, while the service goes on with what it had.

Everything is built in a schema beside the live one. An empty database, or one to be replaced,
gets the whole build at once: the schemas are swapped. Other rows are merged with, by id.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from atelier.errors import AtelierError
from atelier.store.database import SCHEMA as LIVE
from atelier.store.migrate import migrate
from atelier.store.sql import queries
from atelier.transfer.alone import alone
from atelier.transfer.build import SCHEMA as BUILD
from atelier.transfer.build import Build
from atelier.transfer.layout import FILES, ExportFile
from atelier.transfer.merge import merge
from atelier.transfer.progress import Progress
from atelier.transfer.publish import publish
from atelier.transfer.rejects import FOUND_BY_DATABASE, RejectsFile
from atelier.transfer.second_look import report_rejected_rows
from atelier.transfer.session import Workers, one_line_errors, session, workers
from atelier.transfer.staging import Staging
from atelier.transfer.summary import FileSummary, ImportSummary

_STAGED = "atelier_import_files"
_QUERIES = queries("atelier.transfer")


async def import_export(  # noqa: PLR0913 - the command's options, by name
    dsn: str, folder: Path, *, rejects: Path, strict: bool, replace: bool, progress: Progress
) -> ImportSummary:
    """Import the three files of a folder; return what became of their rows.

    Rows that cannot be accepted go to the file `rejects`; with `strict` one of them is enough
    to leave the database as it was. With `replace` the rows of the files take the place of
    those in the database. Raises AtelierError; the database is then as it was.
    """
    started = time.monotonic()
    with closing(Staging(folder, _STAGED)) as staging, one_line_errors("The import"):
        await migrate(dsn)
        async with alone(dsn, "import") as connection, workers(dsn, BUILD, _STAGED) as crew:
            with closing(RejectsFile(rejects)) as rejected:
                run = _Import(dsn, crew, staging, rejected, progress, strict)
                if replace or await connection.fetchval(_QUERIES["is_empty"]):
                    new = await run.publish(connection, replace=replace)
                else:
                    new = await run.merge()
                return run.summary(new, time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Import:
    dsn: str
    crew: Workers
    staging: Staging
    rejected: RejectsFile
    progress: Progress
    strict: bool

    async def publish(
        self, connection: asyncpg.Connection, *, replace: bool
    ) -> Mapping[ExportFile, int]:
        """Build the whole schema and swap it in; return the rows of each file."""
        build = await self._load()
        await build.index()
        await build.document()
        rows = await build.finish()
        await self._settle_rejects(self.crew.connections[0])
        assert rows == {file: self._accepted(file) for file in FILES}, "a row got lost"  # noqa: S101
        await publish(connection, replace=replace)
        return rows

    async def merge(self) -> Mapping[ExportFile, int]:
        """Build the tables and merge them with the live ones; return the new rows of each file."""
        await self._load()
        async with session(self.dsn, LIVE, _STAGED) as connection, connection.transaction():
            new = await merge(connection, self.progress)
            await self._settle_rejects(connection)
            return new

    def summary(self, new: Mapping[ExportFile, int], seconds: float) -> ImportSummary:
        """Return what became of the rows, given the number of new ones."""
        files = [
            FileSummary(
                file.name,
                new[file],
                self._accepted(file) - new[file],
                self.rejected.reasons(file.name),
            )
            for file in FILES
        ]
        return ImportSummary(files, seconds, self.rejected.path, self.staging.warnings)

    def _accepted(self, file: ExportFile) -> int:
        """Return how many rows neither the reader nor the database rejected."""
        reasons = self.rejected.reasons(file.name)
        return self.staging.rows[file] - sum(reasons[reason] for reason in FOUND_BY_DATABASE)

    async def _load(self) -> Build:
        await self.staging.load(self.crew, self.progress, self.rejected.add)
        build = Build(self.dsn, self.crew, self.staging, self.progress)
        await build.make()
        await build.fill()
        return build

    async def _settle_rejects(self, connection: asyncpg.Connection) -> None:
        await report_rejected_rows(connection, self.staging, self.progress, self.rejected.add)
        # In its place before the rows are in theirs: a kill in between loses nothing.
        self.rejected.publish()
        if self.strict and (number := self.rejected.counts.total()):
            raise AtelierError(
                f"{number:,} rows were rejected, see {self.rejected.path}; with --strict the "
                "database stays as it was."
            )

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
from atelier.transfer.comparison import (
    NOTHING_BEFORE,
    Comparison,
    compare,
    count_live_rows,
)
from atelier.transfer.confirmation import Confirm, LossGuard, refuse
from atelier.transfer.layout import FILES, ExportFile
from atelier.transfer.merge import merge
from atelier.transfer.progress import Progress
from atelier.transfer.publish import publish
from atelier.transfer.rejects import RejectsFile, strict_error
from atelier.transfer.second_look import report_rejected_rows
from atelier.transfer.session import Workers, one_line_errors, session, workers
from atelier.transfer.staging import Staging
from atelier.transfer.summary import FileSummary, ImportSummary
from atelier.transfer.target import target_of

_STAGED = "atelier_import_files"
_QUERIES = queries("atelier.transfer")


async def import_export(  # noqa: PLR0913 - the command's options, by name
    dsn: str,
    folder: Path,
    *,
    rejects: Path,
    strict: bool,
    replace: bool,
    progress: Progress,
    confirm: Confirm = refuse,
) -> ImportSummary:
    """Import the three files of a folder; return what became of their rows.

    Rows that cannot be accepted go to the file `rejects`; with `strict` one of them is enough
    to leave the database as it was. With `replace` the rows of the files take the place of
    those in the database; `confirm` is asked if a table would then have fewer rows than before,
    while no lock is held that anyone but another import waits for. Raises AtelierError; the
    database is then as it was.
    """
    started = time.monotonic()
    with closing(Staging(folder, _STAGED)) as staging, one_line_errors("The import"):
        await migrate(dsn)
        async with alone(dsn, "import") as connection, workers(dsn, BUILD, _STAGED) as crew:
            target = await target_of(connection, dsn)
            with closing(RejectsFile(rejects)) as rejected:
                run = _Import(dsn, crew, staging, rejected, progress, strict)
                if replace or await connection.fetchval(_QUERIES["is_empty"]):
                    guard = LossGuard(target, confirm)
                    files = await run.publish(connection, guard, replace=replace)
                else:
                    files = await run.merge()
            seconds = time.monotonic() - started
            return ImportSummary(
                files, target, seconds, rejects, staging.warnings, had_rejects=rejected.has_earlier
            )


@dataclass(frozen=True, slots=True)
class _Import:
    dsn: str
    crew: Workers
    staging: Staging
    rejected: RejectsFile
    progress: Progress
    strict: bool

    async def publish(
        self, connection: asyncpg.Connection, guard: LossGuard, *, replace: bool
    ) -> list[FileSummary]:
        """Build the whole schema and swap it in."""
        await self._stage()
        if replace:
            guard.check(await count_live_rows(connection), self.staging.rows)
        build = await self._build()
        await build.index()
        await build.document()
        rows = await build.finish()
        found = await self._compare() if replace else NOTHING_BEFORE
        await self._settle_rejects(self.crew.connections[0])
        assert rows == {file: self._accepted(file) for file in FILES}, "a row got lost"  # noqa: S101
        guard.check({file: found[file].before for file in FILES}, rows)
        await publish(connection, replace=replace)
        return [self._compared(file, found[file]) for file in FILES]

    async def merge(self) -> list[FileSummary]:
        """Build the tables and merge them with the live ones."""
        await self._stage()
        await self._build()
        async with session(self.dsn, LIVE, _STAGED) as connection, connection.transaction():
            before = await count_live_rows(connection)
            added = await merge(connection, self.progress)
            await self._settle_rejects(connection)
            return [self._merged(file, before[file], added[file]) for file in FILES]

    def _compared(self, file: ExportFile, found: Comparison) -> FileSummary:
        reasons = self.rejected.reasons(file.name)
        return FileSummary.compared(file, self._accepted(file), found, reasons, replace=True)

    def _merged(self, file: ExportFile, before: int, added: int) -> FileSummary:
        return FileSummary(
            file.name,
            file.table,
            before=before,
            added=added,
            replaced=0,
            unchanged=self._accepted(file) - added,
            removed=0,
            rejected=self.rejected.reasons(file.name),
        )

    async def _compare(self) -> Mapping[ExportFile, Comparison]:
        relations = {file: f"{BUILD}.{file.table}" for file in FILES}
        return await compare(self.crew, self.progress, relations)

    def _accepted(self, file: ExportFile) -> int:
        return self.staging.accepted(file, self.rejected.reasons(file.name))

    async def _stage(self) -> None:
        await self.staging.load(self.crew, self.progress, self.rejected.add)

    async def _build(self) -> Build:
        build = Build(self.dsn, self.crew, self.staging, self.progress)
        await build.make()
        await build.fill()
        return build

    async def _settle_rejects(self, connection: asyncpg.Connection) -> None:
        await report_rejected_rows(connection, self.staging, self.progress, self.rejected.add)
        # In its place before the rows are in theirs: a kill in between loses nothing.
        self.rejected.publish()
        if self.strict and (number := self.rejected.counts.total()):
            raise AtelierError(strict_error(number, self.rejected.path))

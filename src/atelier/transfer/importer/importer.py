"""Imports an export atomically, while the service keeps serving the existing rows.

The new tables are built in a schema beside the live one. If the live tables are empty or to be
replaced, the schemas are swapped; otherwise the new rows are merged into the live tables by id.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from atelier.errors import AtelierError
from atelier.store.connections.database import SCHEMA as LIVE
from atelier.store.migrate import migrate
from atelier.transfer.database.exclusive_lock import exclusive_lock
from atelier.transfer.database.session import (
    Workers,
    one_line_errors,
    open_workers,
    session,
    target_of,
)
from atelier.transfer.database.staging import Staging
from atelier.transfer.files.layout import FILES, ExportFile
from atelier.transfer.files.rejects import RejectsFile, strict_error
from atelier.transfer.importer.build import SCHEMA as BUILD
from atelier.transfer.importer.build import Build
from atelier.transfer.importer.comparison import (
    EMPTY_DATABASE,
    Comparison,
    compare,
    count_live_rows,
)
from atelier.transfer.importer.confirmation import Confirm, LossGuard, refuse
from atelier.transfer.importer.publish import is_empty, merge, publish
from atelier.transfer.importer.record import Record, recorded
from atelier.transfer.importer.rescan import report_rejected_rows
from atelier.transfer.importer.summary import FileSummary, ImportSummary
from atelier.transfer.progress import Progress

_STAGED = "atelier_import_files"


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
    """Import the three files of a folder; return a summary of their rows.

    Rejected rows are written to the file `rejects`; with `strict`, a single one aborts the
    import. With `replace`, the rows of the files replace those in the database; `confirm` is
    called if a table would then have fewer rows, while only the lock against other imports is
    held. Raises AtelierError; the database is then unchanged.
    """
    started = time.monotonic()
    with closing(Staging(folder, _STAGED)) as staging, one_line_errors("The import"):
        await migrate(dsn)
        async with (
            exclusive_lock(dsn, "import") as connection,
            open_workers(dsn, BUILD, _STAGED) as workers,
        ):
            target = await target_of(connection, dsn)
            with closing(RejectsFile(rejects)) as rejected:
                async with recorded(dsn, folder, rejected, progress, replace=replace) as record:
                    run = _Import(dsn, workers, staging, record, strict)
                    files = await run.run(connection, LossGuard(target, confirm), replace=replace)
            seconds = time.monotonic() - started
            return ImportSummary(
                files, target, seconds, rejects, staging.warnings, had_rejects=rejected.has_earlier
            )


@dataclass(frozen=True, slots=True)
class _Import:
    dsn: str
    workers: Workers
    staging: Staging
    record: Record
    strict: bool

    @property
    def progress(self) -> Progress:
        return self.record.progress

    @property
    def rejected(self) -> RejectsFile:
        return self.record.rejected

    async def run(
        self, connection: asyncpg.Connection, guard: LossGuard, *, replace: bool
    ) -> list[FileSummary]:
        """Replace the whole schema if that is wanted or it is empty, else merge."""
        if replace or await is_empty(connection):
            return await self.publish(connection, guard, replace=replace)
        return await self.merge()

    async def publish(
        self, connection: asyncpg.Connection, guard: LossGuard, *, replace: bool
    ) -> list[FileSummary]:
        """Build the whole schema and swap it in."""
        await self._stage()
        if replace:
            guard.check(await count_live_rows(connection), self.staging.rows)
        build = await self._build()
        await build.create_indexes()
        await build.write_documents()
        rows = await build.finish()
        found = await self._compare() if replace else EMPTY_DATABASE
        await self._publish_rejects(self.workers.connections[0])
        assert rows == {file: self._accepted(file) for file in FILES}, "rows were lost"  # noqa: S101
        guard.check({file: found[file].before for file in FILES}, rows)
        files = [self._compared(file, found[file]) for file in FILES]
        await publish(connection, partial(self.record.finish, files=files), replace=replace)
        return files

    async def merge(self) -> list[FileSummary]:
        """Build the tables and merge them with the live ones."""
        await self._stage()
        await self._build()
        async with session(self.dsn, LIVE, _STAGED) as connection, connection.transaction():
            before = await count_live_rows(connection)
            added = await merge(connection, self.progress)
            await self._publish_rejects(connection)
            files = [self._merged(file, before[file], added[file]) for file in FILES]
            await self.record.finish(connection, files)
        return files

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
        return await compare(self.workers, self.progress, relations)

    def _accepted(self, file: ExportFile) -> int:
        return self.staging.accepted(file, self.rejected.reasons(file.name))

    async def _stage(self) -> None:
        await self.staging.load(self.workers, self.progress, self.rejected.add)

    async def _build(self) -> Build:
        build = Build(self.dsn, self.workers, self.staging, self.progress)
        await build.create_tables()
        await build.fill_tables()
        return build

    async def _publish_rejects(self, connection: asyncpg.Connection) -> None:
        await report_rejected_rows(connection, self.staging, self.progress, self.rejected.add)
        # Published before the rows are: a kill in between loses no reject.
        self.rejected.publish()
        if self.strict and (number := self.rejected.counts.total()):
            raise AtelierError(strict_error(number, self.rejected.path))

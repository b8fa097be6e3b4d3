"""Counts what an import would do; the rows are copied only into temporary tables."""

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import asyncpg

from atelier.store.connections.database import SCHEMA as LIVE
from atelier.store.queries import queries
from atelier.transfer.database.rejection import reject_duplicates, reject_orphans
from atelier.transfer.database.session import (
    Workers,
    one_line_errors,
    session,
    target_of,
    transaction,
)
from atelier.transfer.database.staging import TEMPORARY, Staging
from atelier.transfer.files.layout import FILES, ExportFile
from atelier.transfer.files.rejects import RejectsFile
from atelier.transfer.importer.comparison import EMPTY_DATABASE, Comparison, compare
from atelier.transfer.importer.publish import is_empty
from atelier.transfer.importer.rescan import report_rejected_rows
from atelier.transfer.importer.summary import FileSummary, ImportSummary
from atelier.transfer.progress import Progress

_QUERIES = queries("atelier.transfer.importer")


async def dry_run(
    dsn: str, folder: Path, *, rejects: Path, replace: bool, progress: Progress
) -> ImportSummary:
    """Return what an import of the three files of a folder would do.

    The database need not have tables yet. Rows that an import would reject are written to the
    file `rejects`; without any, an earlier file is kept. Raises AtelierError.
    """
    started = time.monotonic()
    with closing(Staging(folder, TEMPORARY)) as staging, one_line_errors("The dry run"):
        async with session(dsn, LIVE) as connection:
            with closing(RejectsFile(rejects)) as rejected:
                run = _DryRun(connection, staging, rejected, progress)
                await run.read()
                # One snapshot for all tables: with votes in between, the counts would not add up.
                async with transaction(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ"):
                    found = await run.compare(replace=replace)
                await report_rejected_rows(connection, staging, progress, rejected.add)
                files = [run.summary(file, found[file], replace=replace) for file in FILES]
                if rejected.counts:
                    rejected.publish()
            return ImportSummary(
                files,
                await target_of(connection, dsn),
                time.monotonic() - started,
                rejects,
                staging.warnings,
                had_rejects=rejected.has_earlier,
                dry_run=True,
            )


class _DryRun:
    def __init__(
        self,
        connection: asyncpg.Connection,
        staging: Staging,
        rejected: RejectsFile,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._worker = Workers([connection])
        self._staging = staging
        self._rejected = rejected
        self._progress = progress

    async def read(self) -> None:
        """Copy the files into temporary tables; keep the first of several rows with the same id."""
        await self._staging.load(self._worker, self._progress, self._rejected.add)
        with self._progress.task("duplicates"):
            for file in FILES:
                await reject_duplicates(self._connection, file)

    async def compare(self, *, replace: bool) -> Mapping[ExportFile, Comparison]:
        """Remove the other rows that would be rejected; compare the rest with the live tables."""
        has_tables = await self._connection.fetchval(_QUERIES["has_tables"])
        is_empty_database = not has_tables or await is_empty(self._connection)
        with self._progress.task("orphans"):
            use_live = not (replace or is_empty_database)
            await reject_orphans(self._connection, use_live=use_live)
        if is_empty_database:
            return EMPTY_DATABASE
        if not replace:
            await self._reject_conflicts()
        relations = {file: f"{file.table}_file" for file in FILES}
        return await compare(self._worker, self._progress, relations)

    def summary(self, file: ExportFile, found: Comparison, *, replace: bool) -> FileSummary:
        """Return the summary of a file."""
        reasons = self._rejected.reasons(file.name)
        accepted = self._staging.accepted(file, reasons)
        return FileSummary.compared(file, accepted, found, reasons, replace=replace)

    async def _reject_conflicts(self) -> None:
        with self._progress.task("conflicts"):
            for file in FILES:
                query = _QUERIES[f"merge_conflicts_{file.table}"]
                await self._connection.execute(query.format(relation=f"{file.table}_file"))

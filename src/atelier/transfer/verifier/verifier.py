"""Verifies that the database matches the files, and that its documents are current."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import asyncpg

from atelier.store.connections.database import SCHEMA as LIVE
from atelier.transfer.database.exclusive_lock import exclusive_lock
from atelier.transfer.database.partitions import Partition, partitions
from atelier.transfer.database.rejection import reject_duplicates, reject_orphans
from atelier.transfer.database.session import Job, Workers, one_line_errors, open_workers
from atelier.transfer.database.snapshot import Snapshot, export_snapshot
from atelier.transfer.database.staging import Staging
from atelier.transfer.files.layout import FILES, QUESTIONS, ExportFile
from atelier.transfer.files.rejects import Reject
from atelier.transfer.progress import Progress, Task
from atelier.transfer.verifier.checksums import (
    Checksums,
    differing_ids,
    live_checksums,
    staged_checksums,
)
from atelier.transfer.verifier.documents import IDS_SHOWN, DocumentComparison
from atelier.transfer.verifier.report import Check, VerifyReport

_STAGED = "atelier_verify"
_QUESTIONS_PER_PARTITION = 50_000
_PARTITIONS_PER_VIEWED = 16  # one in so many is compared with the views in any case


async def verify(dsn: str, folder: Path, *, progress: Progress) -> VerifyReport:
    """Compare the three files of a folder with the database, column by column.

    Nothing is written to the live schema. Rows that an import would reject are counted separately.
    Raises AtelierError if the comparison is impossible; differences are in the report.
    """
    started = time.monotonic()
    rejected: Counter[str] = Counter()

    def count(reject: Reject) -> None:
        rejected[reject.file] += 1

    with closing(Staging(folder, _STAGED)) as staging, one_line_errors("The verification"):
        async with (
            exclusive_lock(dsn, "verify") as connection,
            open_workers(dsn, LIVE, _STAGED) as workers,
        ):
            await staging.load(workers, progress, count)
            run = _Verification(workers, staging, progress)
            async with export_snapshot(connection) as snapshot:
                await run.compare(snapshot)
            await run.reject()
            checks = [check async for check in run.checks()]
    for file in FILES:
        rejected[file.name] += staging.rows[file] - run.staged[file].rows
    return VerifyReport(checks, dict(rejected), time.monotonic() - started, staging.warnings)


class _Verification:
    def __init__(self, workers: Workers, staging: Staging, progress: Progress) -> None:
        self._workers = workers
        self._connection = workers.connections[0]
        self._staging = staging
        self._progress = progress
        self.staged: dict[ExportFile, Checksums] = {}
        self._live: dict[ExportFile, Checksums] = {}
        self._documents = DocumentComparison()

    async def compare(self, snapshot: Snapshot) -> None:
        """Compute the checksums, and compare the documents."""
        questions = self._staging.rows[QUESTIONS]
        parts = await partitions(
            self._connection, number=1 + questions // _QUESTIONS_PER_PARTITION, questions=questions
        )
        with self._progress.task("checksums"):
            await self._workers.run(
                [
                    *(partial(self._checksum_file, file=file) for file in FILES),
                    *(
                        partial(self._checksum_table, file=file, snapshot=snapshot)
                        for file in FILES
                    ),
                ]
            )
        with self._progress.task("documents", questions) as task:
            await self._workers.run(self._document_jobs(parts, snapshot, task))

    async def reject(self) -> None:
        """If files and tables differ, remove the rows that an import would reject."""
        if self.staged == self._live:
            return
        for file in FILES:
            await reject_duplicates(self._connection, file)
        await reject_orphans(self._connection, use_live=True)
        await self._workers.run(partial(self._checksum_file, file=file) for file in FILES)

    async def checks(self) -> AsyncIterator[Check]:
        """Yield all comparisons, with the ids of differing rows."""
        for file in FILES:
            staged, live = self.staged[file], self._live[file]
            rows = (f"{staged.rows:,}", f"{live.rows:,}")
            yield Check(file.table, f"{file.table}: rows", *rows, ok=staged.rows == live.rows)
            for column, expected in staged.columns.items():
                yield await self._check(file, column, expected, live.columns[column])
        for check in self._documents.checks():
            yield check

    async def _check(self, file: ExportFile, column: str, expected: int, found: int) -> Check:
        ids = []
        if expected != found:
            ids = await differing_ids(self._connection, file, column, IDS_SHOWN)
        what = f"{file.table}.{column}"
        equal = expected == found
        return Check(file.table, what, _hex(expected), _hex(found), ok=equal, ids=ids)

    def _document_jobs(
        self, parts: Iterable[Partition], snapshot: Snapshot, task: Task
    ) -> Iterator[Job]:
        for number, partition in enumerate(parts):
            by_view = number % _PARTITIONS_PER_VIEWED == 0
            yield partial(
                self._compare_documents,
                partition=partition,
                by_view=by_view,
                snapshot=snapshot,
                task=task,
            )

    async def _compare_documents(
        self,
        connection: asyncpg.Connection,
        *,
        partition: Partition,
        by_view: bool,
        snapshot: Snapshot,
        task: Task,
    ) -> None:
        async with snapshot.transaction(connection):
            task.advance(await self._documents.compare(connection, partition, by_view=by_view))

    async def _checksum_file(self, connection: asyncpg.Connection, file: ExportFile) -> None:
        self.staged[file] = await staged_checksums(connection, file)

    async def _checksum_table(
        self, connection: asyncpg.Connection, file: ExportFile, snapshot: Snapshot
    ) -> None:
        async with snapshot.transaction(connection):
            self._live[file] = await live_checksums(connection, file)


def _hex(sum_: int) -> str:
    return f"{sum_ % 2**64:016x}"

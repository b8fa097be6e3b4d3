"""Fills a fresh schema beside the live one: rows first, then keys, then documents."""

from collections.abc import Iterable, Iterator
from functools import partial

import asyncpg

from atelier.store.migrate import migrate
from atelier.store.queries import queries
from atelier.transfer.database.partitions import partitions
from atelier.transfer.database.session import Job, Workers
from atelier.transfer.database.staging import Staging, reject_duplicates
from atelier.transfer.files.layout import ANSWERS, FILES, PHOTOS, QUESTIONS, ExportFile
from atelier.transfer.importer.constraints import (
    Index,
    Keys,
    create_foreign_key,
    create_index,
    drop_keys,
)
from atelier.transfer.progress import Progress, Task

SCHEMA = "atelier_import"
"""The schema that is filled; it becomes the live one."""

_QUERIES = queries("atelier.transfer.importer")
_ANSWERS_PER_PARTITION = 1_500_000
_QUESTIONS_PER_PARTITION = 100_000


class Build:
    """The schema being filled."""

    def __init__(self, dsn: str, workers: Workers, staging: Staging, progress: Progress) -> None:
        """Take the database, connections that look into SCHEMA first, and the staged files."""
        self._dsn = dsn
        self._workers = workers
        self._coordinator = workers.connections[0]
        self._staging = staging
        self._progress = progress
        self._keys = Keys([], [])

    async def make(self) -> None:
        """Make the tables, with keys and triggers out of the way."""
        await migrate(self._dsn, schema=SCHEMA)
        self._keys = await drop_keys(self._coordinator)
        await self._switch_triggers("DISABLE")

    async def fill(self) -> None:
        """Move the staged rows into the tables; of several with one id the first stands."""
        with self._progress.task("tables", sum(self._staging.rows.values())) as task:
            await self._workers.run(
                [
                    *await self._filling(ANSWERS, task),
                    *await self._filling(QUESTIONS, task),
                    *await self._filling(PHOTOS, task),
                ]
            )
        with self._progress.task("primary keys"):
            await self._workers.run(
                partial(self._create_unique, file=file, index=index)
                for file in (ANSWERS, QUESTIONS, PHOTOS)
                for index in self._indexes_of(file.table)
                if index.is_unique
            )

    async def index(self) -> None:
        """Build the other indexes of the tables, and gather what the planner needs to know."""
        with self._progress.task("indexes"):
            await self._workers.run(
                partial(create_index, index=index)
                for file in (ANSWERS, QUESTIONS, PHOTOS)
                for index in self._indexes_of(file.table)
                if not index.is_unique
            )
            await self._workers.run(_analyzing("questions", "answers", "photos"))

    async def document(self) -> None:
        """Write all documents; meanwhile remove orphans, which no document shows."""
        questions = self._staging.rows[QUESTIONS]
        parts = await partitions(
            self._coordinator, number=1 + questions // _QUESTIONS_PER_PARTITION, questions=questions
        )
        with self._progress.task("documents", questions) as task:
            jobs = [_inserting("fill_documents", task, part.first, part.last) for part in parts]
            await self._workers.run([self._add_foreign_keys, *jobs])

    async def finish(self) -> dict[ExportFile, int]:
        """Make the schema one that can serve; return the number of rows for each file."""
        rows: dict[ExportFile, int] = {}

        async def count(connection: asyncpg.Connection) -> None:
            [numbers] = await connection.fetch(_QUERIES["count_rows"])
            rows.update(zip(FILES, numbers, strict=True))

        with self._progress.task("indexes of documents"):
            await self._workers.run(
                partial(create_index, index=index)
                for index in self._indexes_of("question_documents")
            )
            await self._workers.run([*_analyzing("question_documents"), count])
        await self._switch_triggers("ENABLE")
        await self._coordinator.execute(_QUERIES["raise_sequences"])
        return rows

    async def _filling(self, file: ExportFile, task: Task) -> list[Job]:
        if file is not ANSWERS:
            return [_inserting(f"fill_{file.table}", task)]
        parts = await partitions(
            self._coordinator,
            number=1 + self._staging.rows[ANSWERS] // _ANSWERS_PER_PARTITION,
            questions=self._staging.rows[QUESTIONS],
        )
        return [_inserting("fill_answers", task, part.first, part.last) for part in parts]

    async def _create_unique(
        self, connection: asyncpg.Connection, file: ExportFile, index: Index
    ) -> None:
        try:
            await create_index(connection, index)
        except asyncpg.UniqueViolationError:
            await self._without_duplicates(connection, file)
            await create_index(connection, index)

    async def _without_duplicates(self, connection: asyncpg.Connection, file: ExportFile) -> None:
        await reject_duplicates(connection, file)
        await connection.execute(f"TRUNCATE {file.table}")
        with self._progress.task(f"{file.name}, without duplicates") as task:
            for job in await self._filling(file, task):
                await job(connection)

    async def _add_foreign_keys(self, connection: asyncpg.Connection) -> None:
        for key in self._keys.foreign_keys:
            try:
                await create_foreign_key(connection, key)
            except asyncpg.ForeignKeyViolationError:
                await connection.execute(_QUERIES[f"reject_orphans_{key.table}"])
                await create_foreign_key(connection, key)

    async def _switch_triggers(self, switch: str) -> None:
        for table in ("questions", "answers", "photos"):
            await self._coordinator.execute(f"ALTER TABLE {table} {switch} TRIGGER USER")

    def _indexes_of(self, table: str) -> Iterable[Index]:
        return (index for index in self._keys.indexes if index.table == table)


def _inserting(query: str, task: Task, *args: int) -> Job:
    async def insert(connection: asyncpg.Connection) -> None:
        status = await connection.execute(_QUERIES[query], *args)
        task.advance(int(status.removeprefix("INSERT 0 ")))

    return insert


def _analyzing(*tables: str) -> Iterator[Job]:
    return (partial(_execute, sql=f"ANALYZE {table}") for table in tables)


async def _execute(connection: asyncpg.Connection, sql: str) -> None:
    await connection.execute(sql)

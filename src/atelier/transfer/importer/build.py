"""Builds a new schema beside the live one: rows first, then keys, then documents."""

from collections.abc import Iterable, Iterator
from functools import partial

import asyncpg

from atelier.store.migrate import migrate
from atelier.store.queries import queries
from atelier.transfer.database.documents import BUILT_DOCUMENTS
from atelier.transfer.database.partitions import partitions
from atelier.transfer.database.rejection import reject_duplicates
from atelier.transfer.database.session import Job, Workers
from atelier.transfer.database.staging import Staging
from atelier.transfer.files.layout import ANSWERS, FILES, PHOTOS, QUESTIONS, ExportFile
from atelier.transfer.importer.constraints import (
    Index,
    Keys,
    attach_constraint,
    create_foreign_key,
    drop_keys,
)
from atelier.transfer.importer.insertion import insertion
from atelier.transfer.progress import Progress, Task

SCHEMA = "atelier_import"
"""The schema being built; it becomes the live one."""

_QUERIES = queries("atelier.transfer.importer")
_INSERT_DOCUMENTS = _QUERIES["insert_documents"].format(built=BUILT_DOCUMENTS)
_ANSWERS_PER_PARTITION = 1_500_000
_QUESTIONS_PER_PARTITION = 50_000
_DERIVED_TABLES = ("question_documents", "question_summaries")


class Build:
    """The schema being built."""

    def __init__(self, dsn: str, workers: Workers, staging: Staging, progress: Progress) -> None:
        """Use workers whose search path starts with SCHEMA, and the staged files."""
        self._dsn = dsn
        self._workers = workers
        self._coordinator = workers.connections[0]
        self._staging = staging
        self._progress = progress
        self._keys = Keys([], [])

    async def create_tables(self) -> None:
        """Create the tables, without keys and with triggers disabled."""
        await migrate(self._dsn, schema=SCHEMA)
        self._keys = await drop_keys(self._coordinator)
        await self._set_triggers("DISABLE")

    async def fill_tables(self) -> None:
        """Copy the staged rows into the tables; keep the first of several with the same id."""
        with self._progress.task("tables", sum(self._staging.rows.values())) as task:
            await self._workers.run(
                [
                    *await self._fill_jobs(ANSWERS, task),
                    *await self._fill_jobs(QUESTIONS, task),
                    *await self._fill_jobs(PHOTOS, task),
                ]
            )
        with self._progress.task("primary keys"):
            await self._workers.run(
                partial(self._create_unique_index, file=file, index=index)
                for file in (ANSWERS, QUESTIONS, PHOTOS)
                for index in self._indexes_of(file.table)
                if index.is_unique
            )
            await self._attach_constraints("answers", "questions", "photos")

    async def create_indexes(self) -> None:
        """Create the non-unique indexes of the tables, and run ANALYZE."""
        with self._progress.task("indexes"):
            await self._workers.run(
                partial(_execute, sql=index.definition)
                for file in (ANSWERS, QUESTIONS, PHOTOS)
                for index in self._indexes_of(file.table)
                if not index.is_unique
            )
            await self._workers.run(_analyze_jobs("questions", "answers", "photos"))

    async def write_documents(self) -> None:
        """Write all documents; meanwhile remove orphans, which are in no document."""
        questions = self._staging.rows[QUESTIONS]
        parts = await partitions(
            self._coordinator, number=1 + questions // _QUESTIONS_PER_PARTITION, questions=questions
        )
        with self._progress.task("documents", questions) as task:
            jobs = [
                insertion(
                    _INSERT_DOCUMENTS,
                    task,
                    partition.first,
                    partition.last,
                    tables=_DERIVED_TABLES,
                )
                for partition in parts
            ]
            states = partial(_execute, sql=_QUERIES["fill_moderation_states"])
            await self._workers.run([self._add_foreign_keys, states, *jobs])

    async def finish(self) -> dict[ExportFile, int]:
        """Complete the schema; return the number of rows for each file."""
        rows: dict[ExportFile, int] = {}

        async def count(connection: asyncpg.Connection) -> None:
            [numbers] = await connection.fetch(_QUERIES["count_rows"])
            rows.update(zip(FILES, numbers, strict=True))

        tables = (*_DERIVED_TABLES, "moderation_states")
        with self._progress.task("indexes of documents"):
            indexes = [
                partial(_execute, sql=index.definition)
                for table in tables
                for index in self._indexes_of(table)
            ]
            search = partial(_execute, sql=_QUERIES["fill_search_products"])
            await self._workers.run([*indexes, search, count])
            await self._attach_constraints(*tables)
            await self._workers.run(_analyze_jobs(*_DERIVED_TABLES))
        await self._set_triggers("ENABLE")
        await self._coordinator.execute(_QUERIES["raise_sequences"])
        return rows

    async def _fill_jobs(self, file: ExportFile, task: Task) -> list[Job]:
        query, tables = _QUERIES[f"fill_{file.table}"], (file.table,)
        if file is not ANSWERS:
            return [insertion(query, task, tables=tables)]
        parts = await partitions(
            self._coordinator,
            number=1 + self._staging.rows[ANSWERS] // _ANSWERS_PER_PARTITION,
            questions=self._staging.rows[QUESTIONS],
        )
        return [
            insertion(query, task, partition.first, partition.last, tables=tables)
            for partition in parts
        ]

    async def _create_unique_index(
        self, connection: asyncpg.Connection, file: ExportFile, index: Index
    ) -> None:
        try:
            await connection.execute(index.definition)
        except asyncpg.UniqueViolationError:
            await self._reject_duplicates(connection, file)
            await connection.execute(index.definition)

    async def _reject_duplicates(self, connection: asyncpg.Connection, file: ExportFile) -> None:
        await reject_duplicates(connection, file)
        await connection.execute(f"TRUNCATE {file.table}")
        with self._progress.task(f"{file.name}, without duplicates") as task:
            for job in await self._fill_jobs(file, task):
                await job(connection)

    async def _add_foreign_keys(self, connection: asyncpg.Connection) -> None:
        for key in self._keys.foreign_keys:
            try:
                await create_foreign_key(connection, key)
            except asyncpg.ForeignKeyViolationError:
                await connection.execute(_QUERIES[f"reject_orphans_{key.table}"])
                await create_foreign_key(connection, key)

    async def _attach_constraints(self, *tables: str) -> None:
        for table in tables:
            for index in self._indexes_of(table):
                await attach_constraint(self._coordinator, index)

    async def _set_triggers(self, action: str) -> None:
        for table in ("questions", "answers", "photos", "question_documents"):
            await self._coordinator.execute(f"ALTER TABLE {table} {action} TRIGGER USER")

    def _indexes_of(self, table: str) -> Iterable[Index]:
        return (index for index in self._keys.indexes if index.table == table)


def _analyze_jobs(*tables: str) -> Iterator[Job]:
    return (partial(_execute, sql=f"ANALYZE {table}") for table in tables)


async def _execute(connection: asyncpg.Connection, sql: str) -> None:
    await connection.execute(sql)

"""Inserts many rows, then reads them once, so that PostgreSQL does not log their pages again.

Whoever reads a row first marks it, on its page, as committed. If the cluster has checksums (the
default since PostgreSQL 18) and a checkpoint has begun since the row was inserted, the whole page
is logged for that. The first to read would otherwise be an index, built several checkpoints later.
https://www.postgresql.org/docs/18/runtime-config-wal.html#GUC-WAL-LOG-HINTS
"""

import asyncpg

from atelier.store.queries import queries
from atelier.transfer.database.session import Job
from atelier.transfer.progress import Task

_QUERIES = queries("atelier.transfer.importer")


def insertion(query: str, task: Task, *args: int, tables: tuple[str, ...]) -> Job:
    """Return a job that runs an INSERT into tables, then reads their new pages."""

    async def insert(connection: asyncpg.Connection) -> None:
        pages = [await connection.fetchval(_QUERIES["last_page"], table) for table in tables]
        status = await connection.execute(query, *args)
        for table, page in zip(tables, pages, strict=True):
            await connection.fetchval(_QUERIES["read_pages"].format(table=table), (page, 0))
        task.advance(int(status.removeprefix("INSERT 0 ")))

    return insert

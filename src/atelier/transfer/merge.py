"""Merges a build into tables that have rows: by id, never overwriting."""

from collections.abc import Mapping

import asyncpg

from atelier.store.sql import queries
from atelier.transfer.build import SCHEMA as BUILD
from atelier.transfer.layout import ANSWERS, FILES, PHOTOS, ExportFile
from atelier.transfer.progress import Progress

_QUERIES = queries("atelier.transfer")
_LOCK_ATTEMPTS = 20


async def merge(connection: asyncpg.Connection, progress: Progress) -> Mapping[ExportFile, int]:
    """Insert what the live tables do not have; return the number of new rows of each file.

    Runs inside the caller's transaction, in the schemas `atelier` and `atelier_import_files`.
    Orphans and rows that differ from the live row with their id go to rejected_rows.
    """
    # First of all, so that no id of the files is given to a new row of the service.
    await connection.execute(_QUERIES["raise_sequences"])
    await _lock_questions(connection)
    new = {}
    for file in FILES:
        with progress.task(f"merging {file.table}"):
            if file in (ANSWERS, PHOTOS):
                await connection.execute(_QUERIES[f"merge_orphans_{file.table}"])
            status = await connection.execute(_QUERIES[f"merge_{file.table}"])
            await connection.execute(
                _QUERIES[f"merge_conflicts_{file.table}"].format(relation=f"{BUILD}.{file.table}")
            )
        new[file] = int(status.removeprefix("INSERT 0 "))
    return new


async def _lock_questions(connection: asyncpg.Connection) -> None:
    """Lock the questions that get answers or photos.

    The service locks in the same order; a stranger (an UPDATE in psql) may not, and PostgreSQL then
    ends one of the two. Nothing is written yet: give back what was locked, and begin again.
    """
    for attempts_left in reversed(range(_LOCK_ATTEMPTS)):
        try:
            async with connection.transaction():
                await connection.execute(_QUERIES["merge_lock_questions"])
                return
        except asyncpg.DeadlockDetectedError:
            if not attempts_left:
                raise

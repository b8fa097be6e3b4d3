"""Publishes a finished build: swaps it with the live schema, or merges it into the live tables."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import asyncpg

from atelier.errors import AtelierError
from atelier.store.queries import queries
from atelier.transfer.files.layout import ANSWERS, FILES, PHOTOS, ExportFile
from atelier.transfer.importer.build import SCHEMA as BUILD
from atelier.transfer.progress import Progress

_QUERIES = queries("atelier.transfer.importer")
_ATTEMPTS = 100
_RETRY_DELAY = 0.3  # seconds
_MAX_VOTE_DURATION = timedelta(minutes=1)


Finish = Callable[[asyncpg.Connection], Awaitable[None]]
"""Writes in a transaction that the import is finished."""


async def publish(connection: asyncpg.Connection, finish: Finish, *, replace: bool) -> None:
    """Swap the schemas; readers see either all old rows or all new ones.

    The lock request times out and is repeated, so that a slow reader does not block all others
    behind it. Raises AtelierError if rows were written to the live tables during the import
    (unless they are to be replaced), or if the tables remain in use.
    """
    for _ in range(_ATTEMPTS):
        try:
            await _swap(connection, finish, replace=replace)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(_RETRY_DELAY)
        else:
            return
    raise AtelierError("The tables are in use without a break: run the import again later.")


async def is_empty(connection: asyncpg.Connection) -> bool:
    """Return whether all live tables are empty."""
    return bool(await connection.fetchval(_QUERIES["is_empty"]))


async def _swap(connection: asyncpg.Connection, finish: Finish, *, replace: bool) -> None:
    async with connection.transaction():
        # Most rows before the lock, which blocks all writes; under it only what came meanwhile.
        await connection.execute(_QUERIES["delete_voters_of_removed"], None)
        await connection.execute(_QUERIES["lock_live_tables"])
        await connection.execute(_QUERIES["delete_voters_of_removed"], _MAX_VOTE_DURATION)
        if not replace and not await is_empty(connection):
            raise AtelierError(
                "Rows were written while the import ran; nothing was imported. "
                "Run it again to merge, or with --replace."
            )
        await finish(connection)
        await connection.execute(_QUERIES["keep_moderation"])
        await connection.execute(_QUERIES["copy_privileges"])
        await connection.execute(_QUERIES["swap_schemas"])


_QUERIES = queries("atelier.transfer.importer")
_LOCK_ATTEMPTS = 20


async def merge(connection: asyncpg.Connection, progress: Progress) -> Mapping[ExportFile, int]:
    """Insert the rows missing from the live tables; return the number of new rows per file.

    Runs in the caller's transaction, with the search path `atelier, atelier_import_files`.
    Orphans, and rows that differ from the live row with their id, go to rejected_rows.
    """
    # First, so that the service assigns no id of the files to a new row.
    await connection.execute(_QUERIES["raise_sequences"])
    await connection.execute(_QUERIES["merge_begin"])
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
    if any(new.values()):
        await connection.execute(_QUERIES["merge_record"])
    return new


async def _lock_questions(connection: asyncpg.Connection) -> None:
    """Lock the questions that receive answers or photos.

    The service locks in the same order; another session (an UPDATE in psql) may not, and
    PostgreSQL then aborts one of the two. Nothing is written yet: release the locks and retry.
    """
    for attempts_left in reversed(range(_LOCK_ATTEMPTS)):
        try:
            async with connection.transaction():
                await connection.execute(_QUERIES["merge_lock_questions"])
                return
        except asyncpg.DeadlockDetectedError:
            if not attempts_left:
                raise

"""One moment of the live tables, seen by several connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from atelier.errors import AtelierError
from atelier.store.queries import queries
from atelier.transfer.database.session import transaction

_QUERIES = queries("atelier.transfer.database")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment, by the name that PostgreSQL gave it."""

    name: str

    @asynccontextmanager
    async def seen_by(self, connection: asyncpg.Connection) -> AsyncIterator[None]:
        """Let a connection see this moment while the context lasts."""
        async with transaction(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{self.name}'")
            yield


@asynccontextmanager
async def snapshot(connection: asyncpg.Connection) -> AsyncIterator[Snapshot]:
    """Hold the present moment on a connection that is not used for anything else meanwhile.

    Raises AtelierError if the tables do not exist.
    """
    async with connection.transaction(isolation="repeatable_read"):
        try:
            await connection.execute(_QUERIES["lock_for_reading"])
        except asyncpg.UndefinedTableError as error:
            raise AtelierError(
                "The database has no tables yet: run `atelier migrate` or `atelier import` first."
            ) from error
        yield Snapshot(await connection.fetchval("SELECT pg_export_snapshot()"))

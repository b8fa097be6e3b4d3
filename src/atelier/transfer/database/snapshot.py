"""A snapshot of the live tables, shared by several connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from atelier.errors import AtelierError
from atelier.store.queries import queries
from atelier.transfer.database import session

_QUERIES = queries("atelier.transfer.database")
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An exported snapshot, identified by the name that PostgreSQL gave it."""

    name: str

    @asynccontextmanager
    async def transaction(self, connection: asyncpg.Connection) -> AsyncIterator[None]:
        """Run a read-only transaction on this snapshot while the context lasts."""
        async with session.transaction(connection, _BEGIN):
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{self.name}'")
            yield


@asynccontextmanager
async def export_snapshot(connection: asyncpg.Connection) -> AsyncIterator[Snapshot]:
    """Export a snapshot from a connection that must not be used otherwise in the context.

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

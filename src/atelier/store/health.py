"""Whether this instance can serve: the database answers and its schema is this code's."""

import asyncpg

from atelier.store import migrate
from atelier.store.database import SCHEMA, Database
from atelier.store.sql import queries

_APPLIED = queries("atelier.store")["applied_migrations"]


async def pending_migrations(database: Database) -> list[str]:
    """Return the names of migrations the database lacks; raise DatabaseUnavailableError."""
    try:
        rows = await database.read(_APPLIED, SCHEMA)
    except asyncpg.UndefinedTableError:  # no migration was ever applied
        rows = []
    return sorted(migrate.names() - {row[0] for row in rows})

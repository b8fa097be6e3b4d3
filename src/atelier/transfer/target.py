"""Which database a command works on, for people: never with the password."""

import asyncpg

from atelier.store.database import SCHEMA
from atelier.store.sql import queries
from atelier.store.url import DatabaseUrl

_QUERIES = queries("atelier.transfer")


async def target_of(connection: asyncpg.Connection, dsn: str) -> str:
    """Return the database's name, its host as the address has it, and the schema."""
    name = await connection.fetchval(_QUERIES["database_name"])
    return f"database {name} on {DatabaseUrl.parse(dsn).place}, schema {SCHEMA}"

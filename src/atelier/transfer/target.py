"""Which database a command works on, for people: never with the password."""

from urllib.parse import parse_qs, urlsplit

import asyncpg

from atelier.store.database import SCHEMA
from atelier.store.sql import queries

_QUERIES = queries("atelier.transfer")


async def target_of(connection: asyncpg.Connection, dsn: str) -> str:
    """Return the database's name, its host as the address has it, and the schema."""
    name = await connection.fetchval(_QUERIES["database_name"])
    return f"database {name} on {_host(dsn)}, schema {SCHEMA}"


def _host(dsn: str) -> str:
    parts = urlsplit(dsn)
    from_query = parse_qs(parts.query).get("host", ["localhost"])[-1]
    return parts.netloc.rpartition("@")[2] or from_query

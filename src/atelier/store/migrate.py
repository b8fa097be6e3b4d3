"""The schema, brought up to date by pogo-core (docs/decisions/0001-migrations.md)."""

import logging
from importlib.resources import as_file, files
from pathlib import Path

import asyncpg
from pogo_core.error import BadMigrationError
from pogo_core.util import migrate as pogo
from pogo_core.util import sql as bookkeeping

from atelier.errors import AtelierError, described
from atelier.store.connections.database import SCHEMA, connect

_MIGRATIONS = files("atelier.store") / "migrations"
_ONE_AT_A_TIME = 0x41_74_65_6C  # an advisory lock's key: "Atel"

_QUIET = logging.getLogger(__name__)  # pogo-core warns of what our callers report
_QUIET.setLevel(logging.ERROR)


def names() -> set[str]:
    """Return the names of all migrations this version of the code knows."""
    return {f.name.removesuffix(".sql") for f in _MIGRATIONS.iterdir() if f.name.endswith(".sql")}


async def migrate(dsn: str, schema: str = SCHEMA) -> list[str]:
    """Apply what is pending to a schema (made if missing); return the names of what was applied.

    Two that start at once take turns. A table that is busy for more than five seconds raises
    AtelierError rather than queueing every reader behind the migration. A role that lacks rights
    gets asyncpg.InsufficientPrivilegeError.
    """
    connection = await connect(dsn, schema=schema)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ONE_AT_A_TIME)
        await connection.execute("SET lock_timeout = '5s'")
        return await _apply(connection, schema)
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, schema: str) -> list[str]:
    # IF NOT EXISTS would ask for the right to make one where there is one already.
    if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", f'"{schema}"'):
        await connection.execute(f'CREATE SCHEMA "{schema}"')
    await bookkeeping.ensure_pogo_sync(connection)
    before = await bookkeeping.get_applied_migrations(connection, schema_name=schema)
    with as_file(_MIGRATIONS) as folder:
        await _run(connection, folder, schema)
    return sorted(names() - before)


async def _run(connection: asyncpg.Connection, folder: Path, schema: str) -> None:
    try:
        await pogo.apply(connection, folder, schema_name=schema, logger=_QUIET)
    except BadMigrationError as error:
        if isinstance(error.__cause__, asyncpg.LockNotAvailableError):
            raise AtelierError(
                f"{error}: a table it changes is in use; run the migration again."
            ) from error
        if isinstance(error.__cause__, asyncpg.InsufficientPrivilegeError):
            raise error.__cause__ from None
        raise AtelierError(f"{error}: {described(error.__cause__)}") from error

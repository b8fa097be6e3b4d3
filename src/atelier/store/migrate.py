"""Applies schema migrations with pogo-core (docs/decisions/0001-migrations.md)."""

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

import asyncpg
from pogo_core.migration import topological_sort
from pogo_core.util import sql as pogo_sql
from pogo_core.util.migrate import transaction

from atelier.errors import AtelierError, describe_error
from atelier.store.connections.database import SCHEMA, connect_directly

_MIGRATIONS = files("atelier.store") / "migrations"
_ADVISORY_LOCK = 0x41_74_65_6C  # "Atel"


def names(migrations: Traversable = _MIGRATIONS) -> set[str]:
    """Return the names of all migrations of the installed version, or of another folder."""
    return {f.name.removesuffix(".sql") for f in migrations.iterdir() if f.name.endswith(".sql")}


async def migrate(
    dsn: str, schema: str = SCHEMA, migrations: Traversable = _MIGRATIONS
) -> list[str]:
    """Apply the pending migrations to a schema, created if missing; return their names.

    Concurrent migrations are serialized by an advisory lock. Raises AtelierError if a table is
    locked for more than five seconds, rather than making every reader queue behind the migration;
    asyncpg.InsufficientPrivilegeError if the role lacks privileges.
    """
    connection = await connect_directly(dsn, schema=schema)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY_LOCK)
        await connection.execute("SET lock_timeout = '5s'")
        return await _apply(connection, schema, migrations)
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, schema: str, migrations: Traversable) -> list[str]:
    # IF NOT EXISTS requires the CREATE privilege even if the schema exists.
    if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", f'"{schema}"'):
        await connection.execute(f'CREATE SCHEMA "{schema}"')
    await pogo_sql.ensure_pogo_sync(connection)
    with as_file(migrations) as folder:
        return await _run(connection, folder, schema)


async def _run(connection: asyncpg.Connection, folder: Path, schema: str) -> list[str]:
    # pogo's own function parses all migrations, and each of them twice, also if none is pending.
    known = await pogo_sql.read_migrations(folder, connection, schema_name=schema)
    pending = topological_sort([each.load() for each in known if not each.applied])
    for migration in pending:
        try:
            async with transaction(connection, migration):
                await migration.apply(connection)
                await pogo_sql.migration_applied(
                    connection, migration.id, migration.hash, schema_name=schema
                )
        except asyncpg.InsufficientPrivilegeError:
            raise
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise AtelierError(f"Failed to apply {migration.id}: {_describe(error)}") from error
    return sorted(migration.id for migration in pending)


def _describe(error: Exception) -> str:
    if isinstance(error, asyncpg.LockNotAvailableError):
        return "a table that it changes is in use; run the migration again."
    return describe_error(error)

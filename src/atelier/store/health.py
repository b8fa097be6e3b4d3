"""Checks whether the database is migrated, readable and writable, as requests use it."""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from atelier.store import migrate
from atelier.store.connections.database import (
    SCHEMA,
    Database,
    DatabaseUnavailableError,
    MissingPrivilegesError,
    SchemaMismatchError,
)
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_PAGES = ("questions_page", "answers_page")
_NO_PAGES: tuple[list[object], ...] = ([], [], [])
_NO_VOTES: tuple[list[object], ...] = ([], [], [], [], [], [])
_NO_VOTERS: tuple[list[object], ...] = ([],) * 8
_PRIVILEGES_REMEDY = "the database's role lacks privileges: run `atelier db roles --apply`"


class Fault(NamedTuple):
    """Why reads or writes cannot be served, and the exception that caused it, if any."""

    text: str
    cause: BaseException | None


class Migrations(NamedTuple):
    """Differences between the database's migrations and the installed version's; sorted names."""

    pending: list[str]
    """Known to this version, but not applied."""
    newer: list[str]
    """Applied, but unknown to this version."""

    @property
    def remedy(self) -> str:
        """How to fix statements that do not match the schema."""
        if self.pending:
            return "the database is not migrated: run `atelier migrate`"
        if self.newer:
            return "the database is migrated for a newer version: install that version"
        return "tables or functions are missing from the database: restore them from a backup"


async def migrations(database: Database) -> Migrations:
    """Compare the database's migrations with those of the code.

    Raises DatabaseUnavailableError.
    """
    try:
        rows = await database.read(_QUERIES["applied_migrations"], SCHEMA)
    except MissingPrivilegesError:
        raise
    except SchemaMismatchError:  # no migration has been applied yet
        rows = []
    known, applied = migrate.names(), {row[0] for row in rows}
    return Migrations(sorted(known - applied), sorted(applied - known))


async def check_reads(database: Database) -> Fault | None:
    """Return why pages cannot be read; None if they can."""
    try:
        for name in _PAGES:
            await database.read(_QUERIES[name], *_NO_PAGES)
    except DatabaseUnavailableError as error:
        return await _fault(error, database, "no database answers")
    return None


async def check_writes(database: Database) -> Fault | None:
    """Return why writes fail; None if the primary accepts writes and is migrated.

    It writes an empty group of votes, which changes nothing and fails wherever a vote would.
    """
    try:
        if pending := (await migrations(database)).pending:
            return _pending_fault(pending, None)
        await database.write(_QUERIES["votes"], *_NO_VOTES, timedelta())
        await database.write(_QUERIES["votes_once"], *_NO_VOTERS, 1, False, timedelta())  # noqa: FBT003
    except DatabaseUnavailableError as error:
        return await _fault(error, database, "no primary takes writes")
    return None


async def remedy(error: SchemaMismatchError, database: Database) -> str:
    """Return how to fix statements that do not match; raise DatabaseUnavailableError."""
    return _remedy(error, await _migrations_or_none(database))


async def _fault(error: DatabaseUnavailableError, database: Database, default: str) -> Fault:
    """Return an operator's explanation of an error; `default` if the schema is not the cause."""
    if isinstance(error, SchemaMismatchError):
        with suppress(DatabaseUnavailableError):
            found = await _migrations_or_none(database)
            if found and found.pending:
                return _pending_fault(found.pending, error.__cause__)
            return Fault(_remedy(error, found), error.__cause__)
    return Fault(default, error.__cause__)


async def _migrations_or_none(database: Database) -> Migrations | None:
    """Return how migrations differ; None if the role may not read them or use the schema."""
    try:
        found = await migrations(database)
        hidden = await database.read(_QUERIES["schema_is_hidden"], SCHEMA)
    except MissingPrivilegesError:
        return None
    return None if any(row["is_hidden"] for row in hidden) else found


def _remedy(error: SchemaMismatchError, found: Migrations | None) -> str:
    lacks_privileges = isinstance(error, MissingPrivilegesError) and not (found and found.pending)
    return _PRIVILEGES_REMEDY if found is None or lacks_privileges else found.remedy


def _pending_fault(pending: list[str], cause: BaseException | None) -> Fault:
    return Fault(f"run `atelier migrate`; pending: {', '.join(pending)}", cause)

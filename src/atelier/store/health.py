"""Checks whether the database is migrated, readable and writable, as requests use it."""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from atelier.store import migrate
from atelier.store.connections.database import (
    SCHEMA,
    Database,
    DatabaseUnavailableError,
    SchemaMismatchError,
)
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_PAGES = ("questions_page", "answers_page")
_NO_PAGES: tuple[list[object], ...] = ([], [], [])
_NO_VOTES: tuple[list[object], ...] = ([], [], [], [], [], [])
_NO_VOTERS: tuple[list[object], ...] = ([],) * 8


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


async def _fault(error: DatabaseUnavailableError, database: Database, default: str) -> Fault:
    """Return an operator's explanation of an error; `default` if the schema is not the cause."""
    if isinstance(error, SchemaMismatchError):
        with suppress(DatabaseUnavailableError):
            found = await migrations(database)
            if found.pending:
                return _pending_fault(found.pending, error.__cause__)
            return Fault(found.remedy, error.__cause__)
    return Fault(default, error.__cause__)


def _pending_fault(pending: list[str], cause: BaseException | None) -> Fault:
    return Fault(f"run `atelier migrate`; pending: {', '.join(pending)}", cause)

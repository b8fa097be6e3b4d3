"""What the database can be used for now: its schema, reads and writes, as requests use it."""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from atelier.store import migrate
from atelier.store.connections.database import (
    SCHEMA,
    Database,
    DatabaseUnavailableError,
    MissingRightsError,
    SchemaMismatchError,
)
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_PAGES = ("questions_page", "answers_page")
_NO_PAGES: tuple[list[object], ...] = ([], [], [])
_NO_VOTES: tuple[list[object], ...] = ([], [], [], [], [], [])
_RIGHTS_REMEDY = "the database's role lacks rights: run `atelier db roles --apply`"


class Fault(NamedTuple):
    """What cannot be served, and the error behind it, if one is."""

    text: str
    cause: BaseException | None


class Migrations(NamedTuple):
    """How the database's migrations differ from those that this version knows; names in order."""

    pending: list[str]
    """Known here, and not applied."""
    newer: list[str]
    """Applied, and not known here."""

    @property
    def remedy(self) -> str:
        """What to do about statements that do not fit the schema."""
        if self.pending:
            return "the database is not migrated: run `atelier migrate`"
        if self.newer:
            return "the database is migrated for a newer version: install that version"
        return "tables or functions are missing from the database: restore them from a backup"


async def migrations(database: Database) -> Migrations:
    """Compare the migrations of a database with those of the code.

    Raises DatabaseUnavailableError.
    """
    try:
        rows = await database.read(_QUERIES["applied_migrations"], SCHEMA)
    except MissingRightsError:
        raise
    except SchemaMismatchError:  # no migration was ever applied
        rows = []
    known, applied = migrate.names(), {row[0] for row in rows}
    return Migrations(sorted(known - applied), sorted(applied - known))


async def reads_fault(database: Database) -> Fault | None:
    """Say why pages cannot be read now; None if they can."""
    try:
        for name in _PAGES:
            await database.read(_QUERIES[name], *_NO_PAGES)
    except DatabaseUnavailableError as error:
        return await _explained(error, database, "no database answers")
    return None


async def writes_fault(database: Database) -> Fault | None:
    """Say why nothing is to be written now; None if the primary takes writes and is migrated.

    A group of no votes changes nothing, and fails wherever a vote would.
    """
    try:
        if pending := (await migrations(database)).pending:
            return _due(pending, None)
        await database.write(_QUERIES["votes"], *_NO_VOTES, timedelta())
    except DatabaseUnavailableError as error:
        return await _explained(error, database, "no primary takes writes")
    return None


async def remedy(error: SchemaMismatchError, database: Database) -> str:
    """Return what to do about statements that do not fit; raise DatabaseUnavailableError."""
    return _remedy(error, await _migrations_or_none(database))


async def _explained(error: DatabaseUnavailableError, database: Database, away: str) -> Fault:
    """Return what an error means to an operator; `away`, if it is not about the schema."""
    if isinstance(error, SchemaMismatchError):
        with suppress(DatabaseUnavailableError):
            found = await _migrations_or_none(database)
            if found and found.pending:
                return _due(found.pending, error.__cause__)
            return Fault(_remedy(error, found), error.__cause__)
    return Fault(away, error.__cause__)


async def _migrations_or_none(database: Database) -> Migrations | None:
    """Return how migrations differ; None if the role may not know, or use the schema."""
    try:
        found = await migrations(database)
        hidden = await database.read(_QUERIES["schema_is_hidden"], SCHEMA)
    except MissingRightsError:
        return None
    return None if any(row["is_hidden"] for row in hidden) else found


def _remedy(error: SchemaMismatchError, found: Migrations | None) -> str:
    lacks_rights = isinstance(error, MissingRightsError) and not (found and found.pending)
    return _RIGHTS_REMEDY if found is None or lacks_rights else found.remedy


def _due(pending: list[str], cause: BaseException | None) -> Fault:
    return Fault(f"run `atelier migrate`; pending: {', '.join(pending)}", cause)

"""The versions of the moderation rules, and which is in force."""

import logging
from enum import Enum, auto
from typing import NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.moderation import rule_files
from atelier.store.moderation.rules import RuleSet, memory
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.moderation")
_log = logging.getLogger(__name__)


class Change(NamedTuple):
    """A change of the rules in force: to a version, or to none."""

    id: int
    version: int | None
    source: str | None
    """The version's file."""
    actor: str
    changed_at: str
    """The date as in JSON."""


class ChangeOutcome(Enum):
    """The result of changing the rules."""

    DONE = auto()
    UNCHANGED = auto()
    """These rules, or none, were in force already."""
    CONFLICT = auto()
    """Another version is in force than the one to replace."""


class Changed(NamedTuple):
    """The result of changing the rules, and the version in force then; None: no rules."""

    outcome: ChangeOutcome
    version: int | None


class RuleCount(NamedTuple):
    """How many posts a rule has held or refused."""

    posts: int = 0
    last_at: str | None = None
    """When it last did, as in JSON; None: never."""


class RuleVersions:
    """Reads and changes the rules in force. Versions never change and are never deleted."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def in_force(self) -> Change | None:
        """Return the last change; None if there has been none."""
        return _first(await self._database.read(_QUERIES["rules_in_force"]))

    async def version(self, number: int) -> Change | None:
        """Return the change that introduced a version; None if there is none."""
        return _first(await self._database.read(_QUERIES["rules_version"], number))

    async def history(self, limit: int) -> list[Change]:
        """Return the last changes, the newest first."""
        rows = await self._database.read(_QUERIES["rules_history"], limit)
        return [Change(*row) for row in rows]

    async def counts(self, version: int) -> dict[str, RuleCount]:
        """Return what the rules of a version have done, by name; without those that did nothing."""
        rows = await self._database.read(_QUERIES["rule_counts"], version)
        return {row["rule"]: RuleCount(row["posts"], row["last_at"]) for row in rows}

    async def change(
        self, actor: str, source: str | None, *, replaces: int | None = None
    ) -> Changed:
        """Put the rules of a file in force, None: no rules; raise InvalidRulesError.

        If `replaces` is given (0: no rules), that version must be in force.
        """
        if source is not None:
            rule_files.parse(source)
        [row] = await self._database.write(_QUERIES["change_rules"], actor, source, replaces)
        return Changed(ChangeOutcome[row["outcome"]], row["version"])


class ActiveRules:
    """The rules in force, as this instance knows them.

    Every statement that writes a post names the change that the post was checked with. If there is
    a later one, the statement writes nothing, and the post is checked again after `reload`. So a
    change applies to all instances from its commit, and costs nothing while there is none.
    """

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database
        self._versions = RuleVersions(database)
        self.current = RuleSet()

    async def reload(self) -> None:
        """Read the rules in force; log those that only a newer version understands."""
        change = await self._versions.in_force()
        if change is None:
            self.current = RuleSet()
        elif change.id != self.current.change:
            rules, errors = ((), []) if change.source is None else rule_files.known(change.source)
            for error in errors:
                _log.error(
                    "a moderation rule of version %s is not applied: %s", change.version, error
                )
            self.current = RuleSet(change.id, change.version, rules)

    async def delete_expired(self) -> None:
        """Delete what the rules in force no longer compare posts with."""
        await self.reload()
        kept = memory(self.current.rules)
        await self._database.write(_QUERIES["delete_expired_texts"], kept.texts)
        await self._database.write(_QUERIES["delete_expired_clients"], kept.clients)


def _first(rows: list[asyncpg.Record]) -> Change | None:
    return Change(*rows[0]) if rows else None

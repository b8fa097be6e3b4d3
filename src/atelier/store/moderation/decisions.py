"""Decisions of moderators about questions and answers, and their audit trail."""

import json
from collections.abc import AsyncGenerator, Sequence
from enum import Enum, StrEnum, auto
from typing import Any, NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store.moderation")
_STREAMED_ROWS = 500
MAX_ID = 2**63 - 1


class Action(StrEnum):
    """What a moderator does to a question or an answer."""

    RESTORE = "restore"
    """Show it, and clear its reports."""
    REMOVE = "remove"
    HOLD = "hold"
    """Hide it until another decision."""
    ANSWER_AS_SELLER = "answer_as_seller"
    """Answer a question in the name of the shop."""
    EDIT_TYPO = "edit_typo"
    """Replace the text; the old one is kept."""

    @property
    def has_text(self) -> bool:
        """Whether a decision needs a text."""
        return self in (Action.ANSWER_AS_SELLER, Action.EDIT_TYPO)


UNDO = "undo"
"""The action of a decision that undoes another one."""


class Decision(NamedTuple):
    """A decision about one question or answer."""

    target: str
    """`question` or `answer`."""
    id: int
    action: Action
    version: str | None
    """The version that the moderator saw; None: any."""
    reason: str
    """A short code."""
    note: str | None = None
    text: str | None = None
    """The answer, or the corrected text."""


class Outcome(Enum):
    """The result of a decision."""

    DONE = auto()
    NO_TARGET = auto()
    """The question, answer or decision does not exist."""
    CONFLICT = auto()
    """Another decision was made since the version that the moderator saw."""
    CHANGED = auto()
    """The text was changed since then, but not by a decision."""
    ERASED = auto()
    """The old text cannot be brought back, because it was erased."""


class Result(NamedTuple):
    """The outcome of a decision, and the decision: this one, or for conflicts the last one."""

    outcome: Outcome
    decision: dict[str, Any] | None


class Filter(NamedTuple):
    """Which decisions to return; None: all."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    target_id: int | None = None


class Decisions:
    """Makes, undoes and lists decisions; each is committed when its call returns."""

    def __init__(self, database: Database, streams: Database | None = None) -> None:
        """Take the database, and its connections for exports if these are others."""
        self._database = database
        self._streams = streams or database

    async def decide(self, actor: str, decisions: Sequence[Decision]) -> list[Result]:
        """Make decisions in one transaction; return a result for each, in the same order."""
        columns = map(list, zip(*decisions, strict=True))
        rows = await self._database.write(_QUERIES["decide"], actor, *columns)
        return list(map(_result, rows))

    async def undo(self, actor: str, decision_id: int, reason: str, note: str | None) -> Result:
        """Undo a decision, unless there is a later one about the same question or answer."""
        query = _QUERIES["undo_decision"]
        [row] = await self._database.write(query, actor, decision_id, reason, note)
        return _result(row)

    async def page(
        self, chosen: Filter, *, before: int = MAX_ID, limit: int
    ) -> list[dict[str, Any]]:
        """Return the decisions with ids below `before`, the newest first."""
        rows = await self._database.read(_QUERIES["decisions"], before, *chosen, limit)
        return [json.loads(row["decision"]) for row in rows]

    async def get(self, decision_id: int) -> dict[str, Any] | None:
        """Return a decision, None if there is none with this id."""
        rows = await self._database.read(_QUERIES["decision"], decision_id)
        return json.loads(rows[0]["decision"]) if rows else None

    async def all(self, chosen: Filter) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the decisions, the oldest first, from one snapshot."""
        chunks = self._streams.stream(_QUERIES["all_decisions"], *chosen, rows=_STREAMED_ROWS)
        async for chunk in chunks:
            for row in chunk:
                yield json.loads(row["decision"])


def _result(row: asyncpg.Record) -> Result:
    decision = row["decision"]
    return Result(Outcome[row["outcome"]], json.loads(decision) if decision else None)

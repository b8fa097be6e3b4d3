"""Finds, exports and erases the questions and answers posted with one e-mail address."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import asyncpg

from atelier.store.queries import queries

ANONYMOUS = "Anonymous"
"""Replaces the name."""
ERASED_EMAIL = "erased"
"""Replaces the e-mail address; not an address, so that no search finds it."""
REMOVED_TEXT = "(removed)"
"""Replaces the body."""

_QUERIES = queries("atelier.store")
_PREFETCH_ROWS = 1000
_BATCH_SIZE = 50
"""Questions per transaction; only votes on these wait until it commits."""
_MAX_ATTEMPTS = 20  # deadlocks with other sessions, which lock in another order
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_LIKE_ESCAPES = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Mode(StrEnum):
    """What to erase; the values are stored in the table `erasures`."""

    ANONYMIZE = "anonymized"
    """Replace names, addresses and texts, delete photos, keep the rows."""
    KEEP_TEXTS = "anonymized, texts kept"
    """Replace names and addresses only."""
    DELETE = "deleted"
    """Delete the rows; anonymize a question that others have answered."""
    DELETE_ALL = "deleted, with the answers of others"
    """Delete the rows, and the answers of others to these questions."""


class Found(NamedTuple):
    """The ids of a person's posts, and when they were written."""

    questions: list[int]
    answers: dict[int, int]
    """Answer id to question id."""
    written: list[datetime]

    @property
    def affected(self) -> list[int]:
        """The questions whose documents contain personal data, in lock order."""
        return sorted({*self.questions, *self.answers.values()})


class Erased(NamedTuple):
    """The numbers of erased rows."""

    questions: int = 0
    answers: int = 0
    photos: int = 0
    keys: int = 0


def is_address(email: str) -> bool:
    """Return whether a text may be an address; imported rows may hold others ("Seller")."""
    name, at, host = email.strip().rpartition("@")
    return bool(name and at and host)


async def find(connection: asyncpg.Connection, email: str) -> Found:
    """Find the posts with an address, ignoring case, outer whitespace and Unicode normal form."""
    questions = await _matching(connection, "privacy_find_questions", email)
    answers = await _matching(connection, "privacy_find_answers", email)
    return Found(
        [row["id"] for row in questions],
        {row["id"]: row["question_id"] for row in answers},
        [row["date_written"] for row in (*questions, *answers)],
    )


async def posts(connection: asyncpg.Connection, found: Found) -> dict[str, list[dict[str, object]]]:
    """Return all stored fields of the posts, as JSON-compatible values."""
    questions = await connection.fetch(_QUERIES["privacy_questions"], found.questions)
    answers = await connection.fetch(_QUERIES["privacy_answers"], list(found.answers))
    return {"questions": list(map(dict, questions)), "answers": list(map(dict, answers))}


async def answers_of_others(connection: asyncpg.Connection, found: Found) -> int:
    """Return the number of answers by others to the person's questions."""
    count: int = await connection.fetchval(
        _QUERIES["privacy_answers_of_others"], found.questions, list(found.answers)
    )
    return count


async def erase(
    connection: asyncpg.Connection, email: str, found: Found, mode: Mode, *, done_by: str
) -> Erased:
    """Erase the posts and record it in the table `erasures`; return the numbers of rows.

    Each batch of questions with their answers is one transaction, which includes the record, so
    votes wait only briefly. After an error, `find` returns what is left.
    """
    async with connection.transaction():
        keys = await connection.fetchval(
            _QUERIES["privacy_clear_keys"], found.written, _like(email)
        )
        await connection.execute(_QUERIES["privacy_delete_digests"], found.written)
        record = await connection.fetchval(_QUERIES["privacy_record"], done_by, mode, keys)
    total = Erased(keys=keys)
    affected = found.affected
    for start in range(0, len(affected), _BATCH_SIZE):
        batch = _batch(found, affected[start : start + _BATCH_SIZE])
        erased = await _erase_batch(connection, batch, mode, record)
        total = Erased(*(sum(pair) for pair in zip(total, erased, strict=True)))
    return total


class _Batch(NamedTuple):
    affected: Sequence[int]
    questions: list[int]
    answers: list[int]


def _batch(found: Found, affected: Sequence[int]) -> _Batch:
    ids = set(affected)
    return _Batch(
        affected,
        [question for question in found.questions if question in ids],
        [answer for answer, question in found.answers.items() if question in ids],
    )


async def _erase_batch(
    connection: asyncpg.Connection, batch: _Batch, mode: Mode, record: int
) -> Erased:
    for attempts_left in reversed(range(_MAX_ATTEMPTS)):
        try:
            async with connection.transaction():
                await connection.execute(_QUERIES["privacy_begin"])
                await connection.execute(_QUERIES["privacy_lock_questions"], batch.affected)
                await connection.execute(_QUERIES["privacy_delete_edited_texts"], *batch[1:])
                erased = await _apply(connection, batch, mode)
                await connection.execute(_QUERIES["privacy_index_texts"], batch.affected)
                await connection.execute(_QUERIES["privacy_count"], record, *erased[:3])
                return erased
        except asyncpg.DeadlockDetectedError:
            if not attempts_left:
                raise
    raise AssertionError("an attempt returns or raises")


async def _apply(connection: asyncpg.Connection, batch: _Batch, mode: Mode) -> Erased:
    if mode is Mode.KEEP_TEXTS:
        return await _anonymize(connection, batch, text=None)
    photos = await _execute(connection, "privacy_delete_photos", batch.answers)
    if mode is Mode.ANONYMIZE:
        return (await _anonymize(connection, batch, text=REMOVED_TEXT))._replace(photos=photos)
    answers = await _execute(connection, "privacy_delete_answers", batch.answers)
    with_others = mode is Mode.DELETE_ALL
    deleted = await _execute(connection, "privacy_delete_questions", batch.questions, with_others)
    anonymized = await _anonymize(connection, batch._replace(answers=[]), text=REMOVED_TEXT)
    return Erased(deleted + anonymized.questions, answers, photos)


async def _anonymize(connection: asyncpg.Connection, batch: _Batch, text: str | None) -> Erased:
    replacements = (ANONYMOUS, ERASED_EMAIL, text)
    return Erased(
        await _execute(connection, "privacy_anonymize_questions", batch.questions, *replacements),
        await _execute(connection, "privacy_anonymize_answers", batch.answers, *replacements),
    )


async def _execute(
    connection: asyncpg.Connection, query: str, ids: list[int], *args: object
) -> int:
    """Run a statement on these ids, if any; return the number of affected rows."""
    return len(await connection.fetch(_QUERIES[query], ids, *args)) if ids else 0


async def _matching(connection: asyncpg.Connection, query: str, email: str) -> list[asyncpg.Record]:
    normalized = _normalize(email)
    async with connection.transaction():
        rows = connection.cursor(_QUERIES[query], _like(email), prefetch=_PREFETCH_ROWS)
        return [row async for row in rows if _normalize(row["email"]) == normalized]


def _normalize(email: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).lower())


def _like(email: str) -> str:
    """Return a LIKE pattern for any text that contains the ASCII characters of an address.

    `_normalize` compares the other characters: with the locale C, lower() leaves them unchanged.
    """
    pieces = _NOT_ASCII.split(_normalize(email))
    return f"%{'%'.join(piece.translate(_LIKE_ESCAPES) for piece in pieces)}%"

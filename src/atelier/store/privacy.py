"""One person's questions and answers: found by an e-mail address, shown, erased."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import asyncpg

from atelier.store.queries import queries

ANONYMOUS = "Anonymous"
"""The name that takes the place of a person's."""
ERASED_EMAIL = "erased"
"""What takes the place of an e-mail address: no address, so that nobody is found by it."""
REMOVED_TEXT = "(removed)"
"""What takes the place of a text."""

_QUERIES = queries("atelier.store")
_FETCHED = 1000  # rows at a time
_QUESTIONS_AT_A_TIME = 50
"""Votes on these wait while they are changed; those on all others of a person do not."""
_ATTEMPTS = 20  # after deadlocks with strangers, who lock in another order
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_FOR_PATTERNS = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Mode(StrEnum):
    """What an erasure does; the values stand in the table `erasures`."""

    ANONYMIZE = "anonymized"
    """Names, addresses, texts and photos go; emptied rows stay."""
    KEEP_TEXTS = "anonymized, texts kept"
    """Names and addresses go."""
    DELETE = "deleted"
    """Rows go; a question that others have answered is emptied."""
    DELETE_ALL = "deleted, with the answers of others"
    """Rows go, and the answers of others to these questions."""


class Found(NamedTuple):
    """Where a person's posts are, as ids, and when they were written."""

    questions: list[int]
    answers: dict[int, int]
    """The question of each answer."""
    written: list[datetime]

    @property
    def touched(self) -> list[int]:
        """The questions whose documents show something of the person, in the order of locks."""
        return sorted({*self.questions, *self.answers.values()})


class Erased(NamedTuple):
    """How much was erased."""

    questions: int = 0
    answers: int = 0
    photos: int = 0
    keys: int = 0


def is_address(email: str) -> bool:
    """Say whether a text can be an address; imported rows may hold others ("Seller")."""
    name, at, host = email.strip().rpartition("@")
    return bool(name and at and host)


async def find(connection: asyncpg.Connection, email: str) -> Found:
    """Find the posts with an address: case, spaces around it and Unicode's forms do not matter."""
    questions = await _matching(connection, "privacy_find_questions", email)
    answers = await _matching(connection, "privacy_find_answers", email)
    return Found(
        [row["id"] for row in questions],
        {row["id"]: row["question_id"] for row in answers},
        [row["date_written"] for row in (*questions, *answers)],
    )


async def posts(connection: asyncpg.Connection, found: Found) -> dict[str, list[dict[str, object]]]:
    """Return all that is stored of what was found, ready for JSON."""
    questions = await connection.fetch(_QUERIES["privacy_questions"], found.questions)
    answers = await connection.fetch(_QUERIES["privacy_answers"], list(found.answers))
    return {"questions": list(map(dict, questions)), "answers": list(map(dict, answers))}


async def answers_of_others(connection: asyncpg.Connection, found: Found) -> int:
    """Return how many answers others gave to the person's questions."""
    number: int = await connection.fetchval(
        _QUERIES["privacy_answers_of_others"], found.questions, list(found.answers)
    )
    return number


async def erase(
    connection: asyncpg.Connection, email: str, found: Found, mode: Mode, *, done_by: str
) -> Erased:
    """Erase what was found, and note that in the table `erasures`; return how much it was.

    A few questions with their answers are one transaction, so that votes need not wait for long;
    what is noted is always what was done. After an error, what is left is found again.
    """
    async with connection.transaction():
        keys = await connection.fetchval(
            _QUERIES["privacy_blank_keys"], found.written, _like(email)
        )
        record = await connection.fetchval(_QUERIES["privacy_record"], done_by, mode, keys)
    total = Erased(keys=keys)
    touched = found.touched
    for first in range(0, len(touched), _QUESTIONS_AT_A_TIME):
        part = _part(found, touched[first : first + _QUESTIONS_AT_A_TIME])
        done = await _erase_part(connection, part, mode, record)
        total = Erased(*(sum(pair) for pair in zip(total, done, strict=True)))
    return total


class _Part(NamedTuple):
    touched: Sequence[int]
    questions: list[int]
    answers: list[int]


def _part(found: Found, touched: Sequence[int]) -> _Part:
    among = set(touched)
    return _Part(
        touched,
        [question for question in found.questions if question in among],
        [answer for answer, question in found.answers.items() if question in among],
    )


async def _erase_part(
    connection: asyncpg.Connection, part: _Part, mode: Mode, record: int
) -> Erased:
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            async with connection.transaction():
                await connection.execute(_QUERIES["privacy_lock_questions"], part.touched)
                done = await _change(connection, part, mode)
                await connection.execute(_QUERIES["privacy_count"], record, *done[:3])
                return done
        except asyncpg.DeadlockDetectedError:
            if not attempts_left:
                raise
    raise AssertionError("an attempt returns or raises")


async def _change(connection: asyncpg.Connection, part: _Part, mode: Mode) -> Erased:
    if mode is Mode.KEEP_TEXTS:
        return await _anonymize(connection, part, text=None)
    photos = await _count(connection, "privacy_delete_photos", part.answers)
    if mode is Mode.ANONYMIZE:
        return (await _anonymize(connection, part, text=REMOVED_TEXT))._replace(photos=photos)
    answers = await _count(connection, "privacy_delete_answers", part.answers)
    with_others = mode is Mode.DELETE_ALL
    deleted = await _count(connection, "privacy_delete_questions", part.questions, with_others)
    emptied = await _anonymize(connection, part._replace(answers=[]), text=REMOVED_TEXT)
    return Erased(deleted + emptied.questions, answers, photos)


async def _anonymize(connection: asyncpg.Connection, part: _Part, text: str | None) -> Erased:
    instead = (ANONYMOUS, ERASED_EMAIL, text)
    return Erased(
        await _count(connection, "privacy_anonymize_questions", part.questions, *instead),
        await _count(connection, "privacy_anonymize_answers", part.answers, *instead),
    )


async def _count(connection: asyncpg.Connection, query: str, ids: list[int], *args: object) -> int:
    """Run a statement on some rows, if there are any; return how many there were."""
    return len(await connection.fetch(_QUERIES[query], ids, *args)) if ids else 0


async def _matching(connection: asyncpg.Connection, query: str, email: str) -> list[asyncpg.Record]:
    wanted = _folded(email)
    async with connection.transaction():
        rows = connection.cursor(_QUERIES[query], _like(email), prefetch=_FETCHED)
        return [row async for row in rows if _folded(row["email"]) == wanted]


def _folded(email: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).lower())


def _like(email: str) -> str:
    """Return a LIKE pattern for whatever holds the ASCII characters of an address.

    The others are left to `_folded`: a database in the locale C knows no capitals among them.
    """
    pieces = _NOT_ASCII.split(_folded(email))
    return f"%{'%'.join(piece.translate(_FOR_PATTERNS) for piece in pieces)}%"

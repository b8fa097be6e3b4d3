"""What an export consists of: three files, their columns, and what each column holds."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a column holds; the reader checks values by it, the database stores them by it."""

    ID = "id"
    PRODUCT = "product"
    TEXT = "text"
    DATE = "date"
    BOOLEAN = "boolean"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file and of its table."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export and the table it is for."""

    name: str
    table: str
    columns: tuple[Column, ...]


_ID = Column("id", Kind.ID)
_BODY = Column("body", Kind.TEXT)
_DATE = Column("date_written", Kind.DATE)
_REPORTED = Column("reported", Kind.BOOLEAN)
_HELPFUL = Column("helpful", Kind.COUNT)

QUESTIONS = ExportFile(
    "questions.csv",
    "questions",
    (
        _ID,
        Column("product_id", Kind.PRODUCT),
        _BODY,
        _DATE,
        Column("asker_name", Kind.TEXT),
        Column("asker_email", Kind.TEXT),
        _REPORTED,
        _HELPFUL,
    ),
)
ANSWERS = ExportFile(
    "answers.csv",
    "answers",
    (
        _ID,
        Column("question_id", Kind.ID),
        _BODY,
        _DATE,
        Column("answerer_name", Kind.TEXT),
        Column("answerer_email", Kind.TEXT),
        _REPORTED,
        _HELPFUL,
    ),
)
PHOTOS = ExportFile(
    "answers_photos.csv",
    "photos",
    (_ID, Column("answer_id", Kind.ID), Column("url", Kind.TEXT)),
)
FILES = (QUESTIONS, ANSWERS, PHOTOS)
"""Parents before children: the order in which rows are judged and written."""

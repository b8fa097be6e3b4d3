"""The files of an export: their names, tables, columns and column types."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The type of a column; it determines how values are validated and stored."""

    ID = "id"
    PRODUCT = "product"
    TEXT = "text"
    DATE = "date"
    BOOLEAN = "boolean"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file and of the table it is imported into."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export and the table it is imported into."""

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
"""Parents before children: the order in which rows are validated and written."""

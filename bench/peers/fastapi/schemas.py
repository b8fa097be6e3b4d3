"""Requests and responses as Pydantic models, which FastAPI serialises itself."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

Date = Annotated[
    datetime,
    PlainSerializer(lambda date: f"{date:%Y-%m-%dT%H:%M:%S}.{date.microsecond // 1000:03}Z"),
]


class FromRow(BaseModel):
    """A model created from the attributes of an ORM object."""

    model_config = ConfigDict(from_attributes=True)


class NestedAnswer(BaseModel):
    """An answer inside a question."""

    id: int
    body: str
    date: Date
    answerer_name: str
    helpfulness: int
    photos: list[str]


class QuestionOut(BaseModel):
    """A question on a page of a product."""

    question_id: int
    question_body: str
    question_date: Date
    asker_name: str
    question_helpfulness: int
    reported: bool
    answers: dict[int, NestedAnswer]


class QuestionsPage(BaseModel):
    """A page of a product's questions."""

    product_id: str
    results: list[QuestionOut]


class PhotoOut(FromRow):
    """A photo on a page of answers."""

    id: int
    url: str


class AnswerOut(BaseModel):
    """An answer on a page of a question."""

    answer_id: int
    body: str
    date: Date
    answerer_name: str
    helpfulness: int
    photos: list[PhotoOut]


class AnswersPage(BaseModel):
    """A page of a question's answers."""

    question: str
    page: int | str
    count: int | str
    results: list[AnswerOut]


class QuestionIn(BaseModel):
    """A new question."""

    product_id: int
    body: str
    name: str
    email: str


class AnswerIn(BaseModel):
    """A new answer."""

    body: str
    name: str
    email: str
    photos: list[str] = []

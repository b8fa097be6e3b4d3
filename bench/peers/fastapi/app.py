"""The contract on FastAPI; the database is SQLAlchemy's DATABASE_URL."""

import os
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload
from starlette.exceptions import HTTPException as StarletteHTTPException

from bench.peers.fastapi.models import Answer, Photo, Question
from bench.peers.fastapi.schemas import (
    AnswerIn,
    AnswerOut,
    AnswersPage,
    NestedAnswer,
    PhotoOut,
    QuestionIn,
    QuestionOut,
    QuestionsPage,
)

_ERRORS = {
    "product_id": (422, "Error: invalid product_id provided"),
    "page": (422, "Error: invalid page provided"),
    "count": (422, "Error: invalid count provided"),
    "question_id": (404, "Error: invalid question id provided"),
    "answer_id": (404, "Error: invalid answer id provided"),
}

# AUTOCOMMIT: reads and single-statement writes need no BEGIN and COMMIT.
engine = create_async_engine(
    os.environ["DATABASE_URL"],
    isolation_level="AUTOCOMMIT",
    pool_size=int(os.environ.get("POOL_SIZE", "10")),
    max_overflow=0,
    connect_args={
        "server_settings": {"search_path": "peer", "plan_cache_mode": "force_generic_plan"}
    },
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
transactions = async_sessionmaker(
    engine.execution_options(isolation_level="READ COMMITTED"), expire_on_commit=False
)
app = FastAPI(openapi_url=None)


async def session() -> AsyncIterator[AsyncSession]:
    """Yield a session for one request."""
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]
PageNumber = Annotated[int, Query(alias="page", ge=0)]
Count = Annotated[int, Query(ge=0)]


@app.exception_handler(RequestValidationError)
async def invalid_request(_request: Request, error: RequestValidationError) -> Response:
    """Respond to invalid requests with the contract's text."""
    first = error.errors()[0]
    status, text = _ERRORS.get(first["loc"][-1], (422, f"Error: invalid entries: {first['msg']}"))
    return PlainTextResponse(text, status)


@app.exception_handler(StarletteHTTPException)
async def http_error(_request: Request, error: StarletteHTTPException) -> Response:
    """Send errors as text."""
    return PlainTextResponse(error.detail, error.status_code)


@app.get("/qa/questions")
async def questions_page(
    session: Session, product_id: int, number: PageNumber = 1, count: Count = 5
) -> QuestionsPage:
    """Send a page of a product's questions."""
    query = (
        select(Question)
        .where(Question.product_id == product_id, ~Question.reported)
        .order_by(Question.helpful.desc(), Question.id.desc())
        .limit(count)
        .offset(max(number - 1, 0) * count)
        .options(selectinload(Question.answers.and_(~Answer.reported)).selectinload(Answer.photos))
    )
    found = (await session.scalars(query)).all()
    return QuestionsPage(product_id=str(product_id), results=[_question(row) for row in found])


@app.get("/qa/questions/{question_id}/answers")
async def answers_page(
    request: Request, session: Session, question_id: int, number: PageNumber = 1, count: Count = 5
) -> AnswersPage:
    """Send a page of a question's answers."""
    query = (
        select(Answer)
        .join(Answer.question)
        .where(Answer.question_id == question_id, ~Answer.reported, ~Question.reported)
        .order_by(Answer.helpful.desc(), Answer.id.desc())
        .limit(count)
        .offset(max(number - 1, 0) * count)
        .options(selectinload(Answer.photos))
    )
    found = (await session.scalars(query)).all()
    return AnswersPage(
        question=str(question_id),
        page=request.query_params.get("page", 1),
        count=request.query_params.get("count", 5),
        results=[_answer(row) for row in found],
    )


@app.post("/qa/questions", status_code=201, response_class=PlainTextResponse)
async def add_question(session: Session, given: QuestionIn) -> str:
    """Add a question."""
    session.add(
        Question(
            product_id=given.product_id,
            body=given.body,
            asker_name=given.name,
            asker_email=given.email,
        )
    )
    await session.commit()
    return "Created"


@app.post("/qa/questions/{question_id}/answers", status_code=201, response_class=PlainTextResponse)
async def add_answer(question_id: int, given: AnswerIn) -> str:
    """Add an answer and its photos, in one transaction."""
    answer = Answer(
        question_id=question_id,
        body=given.body,
        answerer_name=given.name,
        answerer_email=given.email,
        photos=[Photo(url=url) for url in given.photos],
    )
    try:
        async with transactions.begin() as transaction:
            transaction.add(answer)
    except IntegrityError as error:
        raise HTTPException(*_ERRORS["question_id"]) from error
    return "Created"


@app.put("/qa/questions/{question_id}/helpful", status_code=204)
async def question_helpful(session: Session, question_id: int) -> None:
    """Count a vote for a question."""
    query = update(Question).where(Question.id == question_id)
    found = await session.scalar(query.values(helpful=Question.helpful + 1).returning(Question.id))
    _must_exist("question_id", found)


@app.put("/qa/questions/{question_id}/report", status_code=204)
async def question_report(session: Session, question_id: int) -> None:
    """Report a question."""
    query = update(Question).where(Question.id == question_id)
    found = await session.scalar(query.values(reported=True).returning(Question.id))
    _must_exist("question_id", found)


@app.put("/qa/answers/{answer_id}/helpful", status_code=204)
async def answer_helpful(session: Session, answer_id: int) -> None:
    """Count a vote for an answer."""
    query = update(Answer).where(Answer.id == answer_id)
    found = await session.scalar(query.values(helpful=Answer.helpful + 1).returning(Answer.id))
    _must_exist("answer_id", found)


@app.put("/qa/answers/{answer_id}/report", status_code=204)
async def answer_report(session: Session, answer_id: int) -> None:
    """Report an answer."""
    query = update(Answer).where(Answer.id == answer_id)
    found = await session.scalar(query.values(reported=True).returning(Answer.id))
    _must_exist("answer_id", found)


def _must_exist(name: str, found: int | None) -> None:
    if found is None:
        raise HTTPException(*_ERRORS[name])


def _question(row: Question) -> QuestionOut:
    return QuestionOut(
        question_id=row.id,
        question_body=row.body,
        question_date=row.date_written,
        asker_name=row.asker_name,
        question_helpfulness=row.helpful,
        reported=row.reported,
        answers={answer.id: _nested(answer) for answer in row.answers},
    )


def _nested(row: Answer) -> NestedAnswer:
    return NestedAnswer(
        id=row.id,
        body=row.body,
        date=row.date_written,
        answerer_name=row.answerer_name,
        helpfulness=row.helpful,
        photos=[photo.url for photo in row.photos],
    )


def _answer(row: Answer) -> AnswerOut:
    photos: Sequence[PhotoOut] = [PhotoOut.model_validate(photo) for photo in row.photos]
    return AnswerOut(
        answer_id=row.id,
        body=row.body,
        date=row.date_written,
        answerer_name=row.answerer_name,
        helpfulness=row.helpful,
        photos=list(photos),
    )

"""The three tables as SQLAlchemy models."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Ids are 64 bits wide; an unloaded relationship raises instead of querying."""

    type_annotation_map = {int: BigInteger, datetime: DateTime(timezone=True)}  # noqa: RUF012


class Question(Base):
    """A question on a product."""

    __tablename__ = "questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int]
    body: Mapped[str]
    date_written: Mapped[datetime] = mapped_column(server_default=text("now()"))
    asker_name: Mapped[str]
    asker_email: Mapped[str]
    reported: Mapped[bool] = mapped_column(server_default=text("false"))
    helpful: Mapped[int] = mapped_column(server_default=text("0"))
    answers: Mapped[list["Answer"]] = relationship(lazy="raise", back_populates="question")


class Answer(Base):
    """An answer to a question."""

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"))
    body: Mapped[str]
    date_written: Mapped[datetime] = mapped_column(server_default=text("now()"))
    answerer_name: Mapped[str]
    answerer_email: Mapped[str]
    reported: Mapped[bool] = mapped_column(server_default=text("false"))
    helpful: Mapped[int] = mapped_column(server_default=text("0"))
    question: Mapped[Question] = relationship(lazy="raise", back_populates="answers")
    photos: Mapped[list["Photo"]] = relationship(lazy="raise", order_by="Photo.id")


class Photo(Base):
    """A photo in an answer."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    url: Mapped[str]

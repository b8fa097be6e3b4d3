"""The rows of a generated export, one block of products at a time.

A block is drawn column by column and rendered by one f-string a row: faster than `%`, `format`,
joined columns and csv.writer, and memory does not grow with the export.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeVar

from atelier.transfer.generate.draws import Draws
from atelier.transfer.generate.wheels import LONGEST_DELAY, all_wheels

T = TypeVar("T")

PRODUCTS = 4096
"""Products of a block; the answers are scattered over the block's questions."""

FIRST_DATE = 1_514_764_800_000
"""2018-01-01, in milliseconds since the epoch."""
LAST_DATE = 1_767_225_600_000
"""2026-01-01: fixed, so that an export does not depend on the day it is made."""

PHOTO_URL = "https://images.example.com/answers"


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of one block, as CSV text."""

    questions: str
    answers: str
    photos: str
    rows: int
    """How many they are in the three files together."""


@dataclass(frozen=True, slots=True)
class _Questions:
    ids: range
    dates: Sequence[int]
    topics: Sequence[int]
    rows: str


def blocks(products: int, seed: int) -> Iterator[Block]:
    """Yield the export of the products from 1 to `products`; ids run on through the blocks."""
    question = answer = photo = 1
    for number, first in enumerate(range(1, products + 1, PRODUCTS)):
        draws = Draws(seed, number)
        asked = _questions(draws, range(first, min(first + PRODUCTS, products + 1)), question)
        answers, answer_rows = _answers(draws, asked, answer)
        photos, photo_rows = _photos(draws, answers, photo)
        question, answer, photo = asked.ids.stop, answers.stop, photos.stop
        rows = len(asked.ids) + len(answers) + len(photos)
        yield Block(asked.rows, answer_rows, photo_rows, rows)


def _questions(draws: Draws, products: range, first: int) -> _Questions:
    wheels = all_wheels()
    counts = draws.pick("questions of product", wheels.questions_of_product, len(products))
    product_ids = _repeated(products, counts)
    n = len(product_ids)
    ids, dates, texts = range(first, first + n), _dates(draws, n), draws.small("question", n)
    columns = zip(
        ids,
        product_ids,
        draws.pick("lead", wheels.leads, n),
        map(wheels.questions.__getitem__, texts),
        draws.pick("tail", wheels.tails, n),
        dates,
        draws.pick("asker", wheels.askers, n),
        draws.pick("question marks", wheels.marks, n),
        strict=True,
    )
    rows = [
        f'{id_},{product},"{lead}{text}{tail}",{date},{asker},{marks}\n'
        for id_, product, lead, text, tail, date, asker, marks in columns
    ]
    topics = [text % len(wheels.answers) for text in texts]
    return _Questions(ids, dates, topics, "".join(rows))


def _answers(draws: Draws, questions: _Questions, first: int) -> tuple[range, str]:
    wheels = all_wheels()
    ids, dates, topics = questions.ids, questions.dates, questions.topics
    counts = draws.pick("answers of question", wheels.answers_of_question, len(ids))
    places = _scattered(draws, _repeated(range(len(ids)), counts))
    n = len(places)
    columns = zip(
        range(first, first + n),
        places,
        draws.pick("opener", wheels.openers, n),
        draws.small("answer", n),
        draws.pick("aside", wheels.asides, n),
        draws.pick("closing", wheels.closings, n),
        draws.pick("delay", wheels.delays, n),
        draws.pick("answerer", wheels.answerers, n),
        draws.pick("answer marks", wheels.marks, n),
        strict=True,
    )
    rows = [
        f'{id_},{ids[place]},"{opener}{wheels.answers[topics[place]][text]}{aside}{closing}",'
        f"{dates[place] + delay},{answerer},{marks}\n"
        for id_, place, opener, text, aside, closing, delay, answerer, marks in columns
    ]
    return range(first, first + n), "".join(rows)


def _photos(draws: Draws, answers: range, first: int) -> tuple[range, str]:
    wheels = all_wheels()
    counts = draws.pick("photos of answer", wheels.photos_of_answer, len(answers))
    answer_ids = _repeated(answers, counts)
    ids = range(first, first + len(answer_ids))
    columns = zip(ids, answer_ids, draws.pick("view", wheels.views, len(ids)), strict=True)
    rows = [
        f'{id_},{answer},"{PHOTO_URL}/{answer}/{id_}-{view}.jpg"\n' for id_, answer, view in columns
    ]
    return ids, "".join(rows)


def _dates(draws: Draws, n: int) -> list[int]:
    """Return dates that leave time for answers before LAST_DATE."""
    span = LAST_DATE - LONGEST_DELAY - FIRST_DATE
    return [FIRST_DATE + (number * span >> 32) for number in draws.large("date", n)]


def _scattered(draws: Draws, items: Sequence[T]) -> list[T]:
    keys = draws.large("order", len(items))
    return [items[place] for place in sorted(range(len(items)), key=keys.__getitem__)]


def _repeated(items: Iterable[T], counts: Iterable[int]) -> list[T]:
    return list(chain.from_iterable(map(repeat, items, counts)))

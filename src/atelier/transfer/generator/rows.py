"""The rows of a generated export, one block of products at a time.

A block is drawn column by column and rendered by one f-string a row: faster than `%`, `format`,
joined columns and csv.writer, and memory does not grow with the export.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeVar

from atelier.transfer.generator.distributions import LONGEST_DELAY, all_distributions
from atelier.transfer.generator.random_stream import RandomStream

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
        random = RandomStream(seed, number)
        asked = _questions(random, range(first, min(first + PRODUCTS, products + 1)), question)
        answers, answer_rows = _answers(random, asked, answer)
        photos, photo_rows = _photos(random, answers, photo)
        question, answer, photo = asked.ids.stop, answers.stop, photos.stop
        rows = len(asked.ids) + len(answers) + len(photos)
        yield Block(asked.rows, answer_rows, photo_rows, rows)


def _questions(random: RandomStream, products: range, first: int) -> _Questions:
    distributions = all_distributions()
    counts = random.pick("questions of product", distributions.questions_of_product, len(products))
    product_ids = _repeated(products, counts)
    n = len(product_ids)
    ids, dates, texts = range(first, first + n), _dates(random, n), random.small("question", n)
    columns = zip(
        ids,
        product_ids,
        random.pick("lead", distributions.leads, n),
        map(distributions.questions.__getitem__, texts),
        random.pick("tail", distributions.tails, n),
        dates,
        random.pick("asker", distributions.askers, n),
        random.pick("question marks", distributions.marks, n),
        strict=True,
    )
    rows = [
        f'{id_},{product},"{lead}{text}{tail}",{date},{asker},{marks}\n'
        for id_, product, lead, text, tail, date, asker, marks in columns
    ]
    topics = [text % len(distributions.answers) for text in texts]
    return _Questions(ids, dates, topics, "".join(rows))


def _answers(random: RandomStream, questions: _Questions, first: int) -> tuple[range, str]:
    distributions = all_distributions()
    ids, dates, topics = questions.ids, questions.dates, questions.topics
    counts = random.pick("answers of question", distributions.answers_of_question, len(ids))
    places = _scattered(random, _repeated(range(len(ids)), counts))
    n = len(places)
    columns = zip(
        range(first, first + n),
        places,
        random.pick("opener", distributions.openers, n),
        random.small("answer", n),
        random.pick("aside", distributions.asides, n),
        random.pick("closing", distributions.closings, n),
        random.pick("delay", distributions.delays, n),
        random.pick("answerer", distributions.answerers, n),
        random.pick("answer marks", distributions.marks, n),
        strict=True,
    )
    rows = [
        f'{id_},{ids[place]},"{opener}{distributions.answers[topics[place]][text]}{aside}{closing}",'
        f"{dates[place] + delay},{answerer},{marks}\n"
        for id_, place, opener, text, aside, closing, delay, answerer, marks in columns
    ]
    return range(first, first + n), "".join(rows)


def _photos(random: RandomStream, answers: range, first: int) -> tuple[range, str]:
    distributions = all_distributions()
    counts = random.pick("photos of answer", distributions.photos_of_answer, len(answers))
    answer_ids = _repeated(answers, counts)
    ids = range(first, first + len(answer_ids))
    columns = zip(ids, answer_ids, random.pick("view", distributions.views, len(ids)), strict=True)
    rows = [
        f'{id_},{answer},"{PHOTO_URL}/{answer}/{id_}-{view}.jpg"\n' for id_, answer, view in columns
    ]
    return ids, "".join(rows)


def _dates(random: RandomStream, n: int) -> list[int]:
    """Return dates that leave time for answers before LAST_DATE."""
    span = LAST_DATE - LONGEST_DELAY - FIRST_DATE
    return [FIRST_DATE + (number * span >> 32) for number in random.large("date", n)]


def _scattered(random: RandomStream, items: Sequence[T]) -> list[T]:
    keys = random.large("order", len(items))
    return [items[place] for place in sorted(range(len(items)), key=keys.__getitem__)]


def _repeated(items: Iterable[T], counts: Iterable[int]) -> list[T]:
    return list(chain.from_iterable(map(repeat, items, counts)))

"""The rows of a generated export, one block of products at a time.

A block is sampled column by column and rendered by one f-string per row: faster than `%`,
`format`, joined columns and csv.writer, and memory does not grow with the export.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeVar

from atelier.transfer.generator.distributions import MAX_DELAY, all_distributions
from atelier.transfer.generator.random_stream import RandomStream

T = TypeVar("T")

BLOCK_SIZE = 4096
"""Products per block; answers are shuffled across the questions of their block."""

FIRST_DATE = 1_514_764_800_000
"""2018-01-01, in milliseconds since the epoch."""
LAST_DATE = 1_767_225_600_000
"""2026-01-01: fixed, so that an export does not depend on the date of its generation."""

PHOTO_URL = "https://images.example.com/answers"


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of one block, as CSV text."""

    questions: str
    answers: str
    photos: str
    rows: int
    """Number of rows in the three files together."""


@dataclass(frozen=True, slots=True)
class _Questions:
    ids: range
    dates: Sequence[int]
    topics: Sequence[int]
    rows: str


def blocks(products: int, seed: int) -> Iterator[Block]:
    """Yield the export of the products from 1 to `products`; ids continue across blocks."""
    question = answer = photo = 1
    for number, first in enumerate(range(1, products + 1, BLOCK_SIZE)):
        random = RandomStream(seed, number)
        questions = _questions(
            random, range(first, min(first + BLOCK_SIZE, products + 1)), question
        )
        answers, answer_rows = _answers(random, questions, answer)
        photos, photo_rows = _photos(random, answers, photo)
        question, answer, photo = questions.ids.stop, answers.stop, photos.stop
        rows = len(questions.ids) + len(answers) + len(photos)
        yield Block(questions.rows, answer_rows, photo_rows, rows)


def _questions(random: RandomStream, products: range, first: int) -> _Questions:
    distributions = all_distributions()
    counts = random.pick("questions of product", distributions.questions_of_product, len(products))
    product_ids = _repeated(products, counts)
    n = len(product_ids)
    ids, dates, texts = range(first, first + n), _dates(random, n), random.uint16("question", n)
    columns = zip(
        ids,
        product_ids,
        random.pick("lead", distributions.leads, n),
        map(distributions.questions.__getitem__, texts),
        random.pick("tail", distributions.tails, n),
        dates,
        random.pick("asker", distributions.askers, n),
        random.pick("question marks", distributions.flags, n),
        strict=True,
    )
    rows = [
        f'{id_},{product},"{lead}{text}{tail}",{date},{asker},{flags}\n'
        for id_, product, lead, text, tail, date, asker, flags in columns
    ]
    topics = [text % len(distributions.answers) for text in texts]
    return _Questions(ids, dates, topics, "".join(rows))


def _answers(random: RandomStream, questions: _Questions, first: int) -> tuple[range, str]:
    distributions = all_distributions()
    ids, dates, topics = questions.ids, questions.dates, questions.topics
    counts = random.pick("answers of question", distributions.answers_of_question, len(ids))
    questions_of_answers = _shuffled(random, _repeated(range(len(ids)), counts))
    n = len(questions_of_answers)
    columns = zip(
        range(first, first + n),
        questions_of_answers,
        random.pick("opener", distributions.openers, n),
        random.uint16("answer", n),
        random.pick("aside", distributions.asides, n),
        random.pick("closing", distributions.closings, n),
        random.pick("delay", distributions.delays, n),
        random.pick("answerer", distributions.answerers, n),
        random.pick("answer marks", distributions.flags, n),
        strict=True,
    )
    rows = [
        f'{id_},{ids[index]},"{opener}{distributions.answers[topics[index]][text]}{aside}{closing}",'
        f"{dates[index] + delay},{answerer},{flags}\n"
        for id_, index, opener, text, aside, closing, delay, answerer, flags in columns
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
    """Return question dates early enough for the answers to precede LAST_DATE."""
    span = LAST_DATE - MAX_DELAY - FIRST_DATE
    return [FIRST_DATE + (number * span >> 32) for number in random.uint32("date", n)]


def _shuffled(random: RandomStream, items: Sequence[T]) -> list[T]:
    keys = random.uint32("order", len(items))
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]


def _repeated(items: Iterable[T], counts: Iterable[int]) -> list[T]:
    return list(chain.from_iterable(map(repeat, items, counts)))

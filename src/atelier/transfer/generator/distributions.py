"""The distributions that generated rows are sampled from: texts, people, delays and counts.

A distribution is a table of TABLE_SIZE equally likely entries. All arithmetic is on integers:
the last bit of a logarithm differs between machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import isqrt
from string import Formatter
from typing import TypeVar

from atelier.transfer.generator import vocabulary
from atelier.transfer.generator.random_stream import TABLE_SIZE

T = TypeVar("T")

MINUTE = 60_000
MAX_DELAY = 90 * 24 * 60 * MINUTE
"""The maximum time from a question to its answer, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Distributions:
    """All distributions; texts are escaped for CSV, without their outer quotes."""

    questions_of_product: Sequence[int]
    answers_of_question: Sequence[int]
    photos_of_answer: Sequence[int]
    leads: Sequence[str]
    questions: Sequence[str]
    """Entry i belongs to topic i % the number of topics."""
    tails: Sequence[str]
    openers: Sequence[str]
    answers: Sequence[Sequence[str]]
    """One table per topic."""
    asides: Sequence[str]
    closings: Sequence[str]
    askers: Sequence[str]
    """Name and e-mail address, quoted."""
    answerers: Sequence[str]
    delays: Sequence[int]
    """Milliseconds from a question to its answer: half of them within eleven days."""
    flags: Sequence[str]
    """The columns reported and helpful: one row in twenty is reported."""
    views: Sequence[str]


@cache
def all_distributions() -> Distributions:
    """Return the distributions, which are built once per process."""
    people = _people()
    signatures = _texts(vocabulary.SIGNATURES)
    seller = _even([[f'"{vocabulary.SELLER}","{vocabulary.SELLER_EMAIL}"']])
    return Distributions(
        # Means of 3.519, 1.955 and 0.300, maxima of 403, 71 and 5: those of the real export.
        questions_of_product=_skewed(scale=826_067, shift=5, subtract=3),
        answers_of_question=_skewed(scale=207_436, shift=40, subtract=1),
        photos_of_answer=_even([[0]] * 84 + [[1]] * 9 + [[2]] * 3 + [[3]] * 2 + [[4], [5]]),
        leads=_sometimes(45, vocabulary.LEADS),
        questions=_even([_texts(questions) for questions, _ in vocabulary.TOPICS]),
        tails=_mixed(1, signatures, _sometimes(40, vocabulary.TAILS)),
        openers=_sometimes(50, vocabulary.OPENERS),
        answers=[_texts(answers) for _, answers in vocabulary.TOPICS],
        asides=_sometimes(70, vocabulary.ASIDES),
        closings=_mixed(1, signatures, _sometimes(35, vocabulary.CLOSINGS)),
        askers=people,
        answerers=_mixed(7, seller, people),
        delays=[MINUTE + (n**3 * (MAX_DELAY - MINUTE) >> 48) for n in range(TABLE_SIZE)],
        flags=[f"{n % 20 == 0:d},{votes}" for n, votes in enumerate(_votes())],
        views=_even([vocabulary.PHOTO_VIEWS]),
    )


def _skewed(*, scale: int, shift: int, subtract: int) -> list[int]:
    """Return a distribution of counts: `count` or more has a probability of about 1 / count**2."""
    return [isqrt(scale // (n + shift)) - subtract for n in range(TABLE_SIZE)]


def _votes() -> list[int]:
    return _skewed(scale=479_736, shift=200, subtract=2)


def _even(groups: Sequence[Sequence[T]]) -> list[T]:
    """Return a distribution that gives each group equal weight, whatever its size."""
    positions = (divmod(n, len(groups)) for n in range(TABLE_SIZE))
    return [groups[group][turn % len(groups[group])] for turn, group in positions]


def _mixed(percent: int, some: list[T], others: list[T]) -> list[T]:
    """Return a distribution with `percent` of `some`, the rest of `others`."""
    cut = TABLE_SIZE * percent // 100
    return some[:cut] + others[cut:]


def _texts(templates: Sequence[str]) -> list[str]:
    return _even([_expand(template) for template in templates])


def _sometimes(percent: int, templates: Sequence[str]) -> list[str]:
    return _mixed(percent, _texts(templates), [""] * TABLE_SIZE)


def _expand(template: str) -> list[str]:
    """Return the template with every combination of words in its placeholders, quotes doubled."""
    parts: list[list[str]] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts += [[literal], vocabulary.WORDS[name] if name else [""]]
    return ["".join(words).replace('"', '""') for words in product(*parts)]


def _people() -> list[str]:
    """Return names with e-mail addresses; the number makes each address unique."""
    names, addresses = _texts(vocabulary.NAMES), _texts(vocabulary.EMAILS)
    domains = _even([vocabulary.EMAIL_DOMAINS])
    people = zip(names, addresses, range(TABLE_SIZE), domains, strict=True)
    return [f'"{name}","{address}{n}@{domain}"' for name, address, n, domain in people]

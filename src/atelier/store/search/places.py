"""Sets of places in a product's index, as the bits of integers: fast, however many there are.

The question with number n has two places: bit 2n stands for the question itself, bit 2n + 1 for its
answers. Where a set is one of questions, it has only the first of both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

Bits = int
"""A set of places."""

Tiers = dict[int, Bits]
"""The questions with each number of points."""


class Collected:
    """Collects the places of several words."""

    def __init__(self, size: int) -> None:
        """Take the number of questions in the index."""
        self._few = bytearray(size // 4 + 1)
        self._many: Bits = 0
        self._end = 2 * size

    def add(self, few: Iterable[int] | None, many: bytes | None) -> None:
        """Add the places of a word as the database keeps them.

        Those of questions that were indexed after the search began are left out.
        """
        for place in few or ():
            if place < self._end:
                self._few[place >> 3] |= 1 << (place & 7)
        if many:
            self._many |= int.from_bytes(many, "little")

    def bits(self) -> Bits:
        """Return all of them."""
        return (int.from_bytes(self._few, "little") | self._many) & ((1 << self._end) - 1)


def all_questions(size: int, outdated: Iterable[int]) -> Bits:
    """Return the questions with numbers below `size`, without the outdated ones."""
    without = Collected(size)
    without.add([2 * number for number in outdated], None)
    return _every_second(size) & ~without.bits()


def combine(words: Iterable[Mapping[int, Bits]]) -> Tiers:
    """Return the questions that have points for every word, by the sum of their points."""
    [*tiers] = words
    combined: Tiers = dict(tiers.pop(0))
    for points in tiers:
        sums = defaultdict[int, Bits](int)
        for before, questions in combined.items():
            for each, others in points.items():
                if both := questions & others:
                    sums[before + each] |= both
        combined = sums
    return {points: questions for points, questions in combined.items() if questions}


def numbers(questions: Bits) -> Iterator[int]:
    """Yield the numbers of questions, the lowest first."""
    digits = bin(questions)[:1:-1]
    place = digits.find("1")
    while place >= 0:
        yield place >> 1
        place = digits.find("1", place + 1)


def from_numbers(given: Sequence[int], size: int) -> Bits:
    """Return the set of questions with these numbers."""
    collected = Collected(size)
    collected.add([2 * number for number in given], None)
    return collected.bits()


def to_bytes(questions: Bits, size: int) -> bytes:
    """Return the bits as the database tests them."""
    return questions.to_bytes(size // 4 + 1, "little")


def _every_second(size: int) -> Bits:
    return int.from_bytes(b"\x55" * (size // 4 + 1), "little") & ((1 << 2 * size) - 1)

"""Looks words up in a product's index."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.queries import queries
from atelier.store.search import places
from atelier.store.search.folding import Halves, Near, is_short
from atelier.store.search.places import Bits, Collected, Tiers
from atelier.store.search.stems import beginning

_QUERIES = queries("atelier.store.search")
_LIKE = str.maketrans({character: f"\\{character}" for character in "%_\\"})
_MAX_PHRASES = 5000
"""How many of the best questions are looked through for the words in their order."""
_MAX_DIVIDED = 5000
"""How many of the newest questions are looked through for the halves of a word in their order."""


class Word(NamedTuple):
    """The questions that contain a word; each is in one set, that with the most points."""

    points: Tiers
    in_questions: Bits
    in_answers: Bits

    @property
    def questions(self) -> Bits:
        """All of them."""
        return self.in_questions | self.in_answers


class WordIndex:
    """The index of a product, as it was when a search began."""

    def __init__(
        self, database: Database, product_id: int, size: int, outdated: Sequence[int]
    ) -> None:
        """Take the number of questions in the index, and those to leave out."""
        self._database = database
        self._product_id = product_id
        self._size = size
        self.questions = places.all_questions(size, outdated)

    async def exact(self, words: Sequence[str]) -> list[Word]:
        """Return the questions that contain each word, with 6 to 9 points."""
        patterns = [f"^{word}" if is_short(word) else None for word in words]
        beginnings, others = self._collectors(words), self._collectors(words)
        for row in await self._read("words", words, patterns, _like_any(words)):
            collectors = beginnings if row["is_beginning"] else others
            collectors[row["position"]].add(row["few"], row["many"])
        pairs = zip(beginnings, others, strict=True)
        return [self._word(begin.bits(), other.bits()) for begin, other in pairs]

    async def near(self, typos: Sequence[Near]) -> list[Tiers]:
        """Return the questions that contain a word near to each of these, with 4 or 2 points."""
        if not typos:
            return []
        hints = [*map(list, zip(*(typo.hints for typo in typos), strict=True))]
        rows = await self._read(
            "words_near",
            [typo.word for typo in typos],
            [typo.pattern for typo in typos],
            *hints,
            [typo.ends for typo in typos],
            [typo.begins for typo in typos],
            _like_any([part for parts in hints for part in parts]),
        )
        collected = self._collectors(typos)
        halves = defaultdict[int, list[str]](list)
        for row in rows:
            collected[row["position"]].add(row["few"], row["many"])
            halves[row["position"]].append(row["word"])
        return [
            await self._near(collected[i].bits(), typo.halves(halves[i]))
            for i, typo in enumerate(typos)
        ]

    async def stems(self, stems: Sequence[str]) -> list[Bits]:
        """Return the questions with words, after any punctuation, that have each stem."""
        collected = self._collectors(stems)
        patterns = list(map(beginning, stems))
        for row in await self._read("words", stems, patterns, _like_any(stems)):
            collected[row["position"]].add(row["few"], row["many"])
        return [each.bits() & self.questions for each in collected]

    async def phrase(self, phrase: str, words: Sequence[Word], tiers: Tiers) -> tuple[Bits, Bits]:
        """Return the best questions that contain the words in their order, themselves or not."""
        if len(words) == 1:
            return words[0].in_questions, words[0].in_answers & ~words[0].in_questions
        candidates = self.questions
        for word in words:
            candidates &= word.questions
        best: Bits = 0
        for _, questions in sorted(tiers.items(), reverse=True):
            more = best | questions & candidates
            if more.bit_count() > _MAX_PHRASES:
                break
            best = more
        return await self._phrases(best, phrase, None)

    async def _near(self, found: Bits, divided: Sequence[Halves]) -> Tiers:
        in_questions, in_answers = found & self.questions, found >> 1 & self.questions
        for halves, candidates in zip(divided, await self._both(divided), strict=True):
            phrase = f"{halves.head} {halves.tail}"
            questions, answers = await self._phrases(candidates, phrase, halves.pattern)
            in_questions |= questions
            in_answers |= answers
        return {4: in_questions, 2: in_answers & ~in_questions}

    async def _both(self, divided: Sequence[Halves]) -> list[Bits]:
        """Return the questions in which both halves of a word stand, newest first and not all."""
        if not divided:
            return []
        rows = await self._read(
            "halves",
            [each.head for each in divided],
            [each.tail for each in divided],
            [each.ends for each in divided],
            [each.begins for each in divided],
        )
        heads, tails = self._collectors(divided), self._collectors(divided)
        for row in rows:
            collectors = heads if row["is_head"] else tails
            collectors[row["position"]].add(row["few"], row["many"])
        both = (head.bits() & tail.bits() for head, tail in zip(heads, tails, strict=True))
        return [(each | each >> 1) & self.questions for each in both]

    async def _phrases(
        self, candidates: Bits, phrase: str, pattern: str | None
    ) -> tuple[Bits, Bits]:
        """Return those that contain a phrase: in the question, and only in an answer."""
        numbers = [*places.numbers(candidates)][-_MAX_DIVIDED:]
        if not numbers:
            return 0, 0
        rows = await self._read("phrases", numbers, phrase, pattern)
        return (
            places.from_numbers([row["number"] for row in rows if row["is_question"]], self._size),
            places.from_numbers(
                [row["number"] for row in rows if not row["is_question"]], self._size
            ),
        )

    def _word(self, beginnings: Bits, others: Bits) -> Word:
        among = self.questions
        everywhere = beginnings | others
        in_questions, in_answers = everywhere & among, everywhere >> 1 & among
        best: Bits = 0
        points: Tiers = {}
        levels = (beginnings & among, in_questions, beginnings >> 1 & among, in_answers)
        for level, questions in zip((9, 8, 7, 6), levels, strict=True):
            points[level] = questions & ~best
            best |= questions
        return Word(points, in_questions, in_answers)

    def _collectors(self, words: Sequence[object]) -> list[Collected]:
        return [Collected(self._size) for _ in words]

    async def _read(self, query: str, *args: object) -> list[asyncpg.Record]:
        if not self._size:
            return []
        return await self._database.read(_QUERIES[query], self._product_id, *args)


def _like_any(parts: Sequence[str]) -> list[str]:
    """Return the patterns of LIKE for what contains one of these."""
    return [f"%{part.translate(_LIKE)}%" for part in parts]

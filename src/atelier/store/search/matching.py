"""Which questions of a product a search finds, and how well each of them matches."""

from collections.abc import Mapping, Sequence
from math import log
from typing import NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.queries import queries
from atelier.store.search import places
from atelier.store.search.folding import Near, near, needle
from atelier.store.search.indexing import NEWEST, State
from atelier.store.search.places import Tiers
from atelier.store.search.stems import is_inner
from atelier.store.search.word_index import Word, WordIndex

ENOUGH_QUESTIONS = 5
"""If as many questions contain a word as typed, it is no typo."""

_QUERIES = queries("atelier.store.search")
_WEIGHT = 1000
"""The points of similar questions are thousandths of their weight."""


class Matches(NamedTuple):
    """What a search finds."""

    tiers: Tiers
    """The questions in the index, by their points."""
    others: dict[int, int]
    """The points of all other questions by their ids."""
    words: Sequence[tuple[str, Near | None]] = ()
    """The words, and what was also searched for instead of those that hardly any question has."""


class Matcher:
    """Finds the questions of one product, in its index and by reading what is not in it."""

    def __init__(self, database: Database, product_id: int, state: State) -> None:
        """Take the pool for searches, the product and its state when the search began."""
        self._database = database
        self._product_id = product_id
        self._state = state
        self._index = WordIndex(database, product_id, state.size, state.outdated)

    async def search(self, words: Sequence[str]) -> Matches:
        """Return the questions that contain all words. Raises DatabaseUnavailableError."""
        exact = await self._index.exact(words)
        elsewhere = await self._frequencies(words)
        questions = [
            word.questions.bit_count() + others
            for word, others in zip(exact, elsewhere, strict=True)
        ]
        typos = [
            near(word) if number < ENOUGH_QUESTIONS else None
            for word, number in zip(words, questions, strict=True)
        ]
        rarest_first = [
            (word, typo)
            for _, word, typo in sorted(
                zip(questions, words, typos, strict=True), key=lambda each: (each[0], -len(each[1]))
            )
        ]
        phrase = " ".join(words) if words[1:] else needle(words[0])
        tiers = await self._tiers(exact, typos, phrase)
        return Matches(tiers, await self._others(rarest_first, phrase), rarest_first)

    async def similar(self, stems: Sequence[str]) -> Matches:
        """Return the questions with at least half of the weight of all stems.

        The fewer questions have a word with a stem, the more it weighs; one that none has, half as
        much as the others on average: nothing can be more like the text than what has the others.
        """
        indexed = await self._index.stems(stems)
        needles = [stem if is_inner(stem) else f" {stem}" for stem in stems]
        rows = await self._unindexed("similar", needles)
        found = {row["question_id"]: row["found"] for row in rows}
        total = self._index.questions.bit_count() + len(found)
        counts = [
            each.bit_count() + sum(bits >> i & 1 for bits in found.values())
            for i, each in enumerate(indexed)
        ]
        weights = [_weight(total, count) if count else 0 for count in counts]
        known = len(stems) - counts.count(0)
        least = sum(weights) * (1 + counts.count(0) / (2 * max(1, known))) / 2
        tiers = places.combine(
            {weight: each, 0: self._index.questions & ~each}
            for weight, each in zip(weights, indexed, strict=True)
        )
        others = {
            question: sum(weight for i, weight in enumerate(weights) if bits >> i & 1)
            for question, bits in found.items()
        }
        return Matches(
            {points: each for points, each in tiers.items() if points >= max(1, least)},
            {question: points for question, points in others.items() if points >= max(1, least)},
        )

    async def _tiers(
        self, exact: Sequence[Word], typos: Sequence[Near | None], phrase: str
    ) -> Tiers:
        guessed = iter(await self._index.near([typo for typo in typos if typo]))
        points = [
            word.points | (_without(next(guessed), word.questions) if typo else {})
            for word, typo in zip(exact, typos, strict=True)
        ]
        tiers = places.combine(points)
        in_question, in_answer = await self._index.phrase(phrase, exact, tiers)
        more = {2: in_question, 1: in_answer, 0: self._index.questions & ~(in_question | in_answer)}
        return places.combine([tiers, more])

    async def _frequencies(self, words: Sequence[str]) -> list[int]:
        needles = [needle(word) for word in words]
        rows = await self._unindexed("search_frequencies", needles, ENOUGH_QUESTIONS)
        return [row["questions"] for row in rows] or [0] * len(words)

    async def _others(
        self, words: Sequence[tuple[str, Near | None]], phrase: str
    ) -> dict[int, int]:
        patterns = [(typo.pattern, *typo.hints) if typo else (None,) * 4 for _, typo in words]
        columns = map(list, zip(*patterns, strict=True))
        needles = [needle(word) for word, _ in words]
        rows = await self._unindexed("search", needles, *columns, phrase)
        return {row["question_id"]: row["points"] for row in rows}

    async def _unindexed(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Read the texts that are not in the index: of an indexed product, what has changed."""
        changed = self._state.changed
        if self._state.is_indexed and not changed:
            return []
        texts = _QUERIES["changed_texts" if self._state.is_indexed else "computed_texts"]
        sql = _QUERIES[query].format(texts=texts.replace("{newest}", str(NEWEST)))
        return await self._database.read(sql, self._product_id, changed, *args)


def _weight(questions: int, with_word: int) -> int:
    return round(log(1 + questions / (1 + with_word)) * _WEIGHT)


def _without(tiers: Mapping[int, int], questions: int) -> Tiers:
    return {points: each & ~questions for points, each in tiers.items()}

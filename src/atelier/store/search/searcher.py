"""Finds questions of one product: those that contain words, and those similar to a text."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries
from atelier.store.search.folding import Near, beginnings, near, words
from atelier.store.search.kept_texts import KeptTexts
from atelier.store.search.marks import Marker, Snippet, beginning_patterns, search_patterns

MAX_RESULTS = 1000
"""How many of a search's results can be reached."""

_QUERIES = queries("atelier.store.search")
_ENOUGH_QUESTIONS = 5
"""If as many questions contain a word as typed, it is no typo."""
_MARKED_ANSWERS = 100
"""How many answers of a question are searched for what to mark."""
_MAX_MATCHES = 4


class Match(NamedTuple):
    """What matches in a question or, if there is an answer's id, in one of its answers."""

    answer_id: int | None
    snippet: Snippet


class Found(NamedTuple):
    """A question, and where it matches."""

    question_id: int
    matches: list[Match]


class Searcher:
    """Searches on connections of its own, so that nothing else waits for it."""

    def __init__(self, database: Database) -> None:
        """Take the pool for searches."""
        self._database = database
        self.kept = KeptTexts(database)
        """Where the texts of large products are."""

    async def open(self) -> None:
        """Prepare for searches."""
        await self._database.open()

    async def close(self) -> None:
        """Stop keeping texts, and close the connections."""
        await self.kept.close()
        await self._database.close()

    async def search(self, product_id: int, query: str, limit: int, offset: int) -> list[Found]:
        """Return the questions that contain all words of a query, best first.

        Case and accents do not count. A word that hardly any question contains as typed also finds
        the words that are one edit away. Raises DatabaseUnavailableError.
        """
        found = words(query)
        source = await self.kept.source(product_id)
        sql = _QUERIES["search_frequencies"].format(texts=source)
        rows = await self._database.read(sql, product_id, found, _ENOUGH_QUESTIONS)
        frequencies = dict(zip(found, (row["questions"] for row in rows), strict=True))
        rarest_first = sorted(found, key=lambda word: (frequencies[word], -len(word)))
        typos = [
            near(word) if frequencies[word] < _ENOUGH_QUESTIONS else None for word in rarest_first
        ]
        rows = await self._database.read(
            _QUERIES["search"].format(texts=source),
            product_id,
            rarest_first,
            *_columns(typos),
            " ".join(found),
            limit,
            offset,
        )
        marker = Marker(search_patterns(zip(rarest_first, typos, strict=True)))
        return await self._marked([row["question_id"] for row in rows], marker, _MARKED_ANSWERS)

    async def similar(self, product_id: int, text: str, limit: int) -> list[Found]:
        """Return the questions that are most like a text, best first.

        Raises DatabaseUnavailableError.
        """
        starts = beginnings(text)
        if not starts:
            return []
        sql = _QUERIES["similar"].format(texts=await self.kept.source(product_id))
        rows = await self._database.read(sql, product_id, [f" {start}" for start in starts], limit)
        marker = Marker(beginning_patterns(starts))
        return await self._marked([row["question_id"] for row in rows], marker, 0)

    async def _marked(self, ids: Sequence[int], marker: Marker, answers: int) -> list[Found]:
        rows = await self._database.read(_QUERIES["search_bodies"], ids, answers)
        matches = defaultdict[int, list[Match]](list)
        for row in rows:
            of_question = matches[row["question_id"]]
            if len(of_question) < _MAX_MATCHES and (snippet := marker.snippet(row["body"])):
                of_question.append(Match(row["answer_id"], snippet))
        return [Found(number, matches[number]) for number in ids if number in matches]


def _columns(typos: Iterable[Near | None]) -> Iterable[list[str | None]]:
    """Return the patterns, and each of the three hints, of all words."""
    rows = [(typo.pattern, *typo.hints) if typo else (None,) * 4 for typo in typos]
    return map(list, zip(*rows, strict=True))

"""Finds questions of one product: those that contain words, and those similar to a text."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries
from atelier.store.search.folding import words
from atelier.store.search.indexing import Indexer
from atelier.store.search.marks import Marker, Snippet, search_patterns, stem_patterns
from atelier.store.search.matching import Matcher
from atelier.store.search.ranking import Listing, Position, Ranked, Ranking
from atelier.store.search.stems import stems

_QUERIES = queries("atelier.store.search")
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


class Results(NamedTuple):
    """A page of what a search finds, and the position of its last question if there are more."""

    found: list[Found]
    next: Position | None
    is_partial: bool = False
    """Whether only the newest questions were searched, because the index is being built."""


class Searcher:
    """Searches on connections of its own, so that nothing else waits for it."""

    def __init__(self, database: Database) -> None:
        """Take the pool for searches."""
        self._database = database
        self.indexer = Indexer(database)
        """What keeps the words of large products."""

    async def open(self) -> None:
        """Prepare for searches."""
        await self._database.open()
        self.indexer.open()

    async def close(self) -> None:
        """Stop indexing, and close the connections."""
        await self.indexer.close()
        await self._database.close()

    async def search(self, product_id: int, query: str, listing: Listing) -> Results:
        """Return a page of the questions that contain all words of a query.

        Case and accents do not count. A word that hardly any question contains as typed also finds
        the words that are one edit away. Raises DatabaseUnavailableError.
        """
        state = await self.indexer.state(product_id)
        matches = await Matcher(self._database, product_id, state).search(words(query))
        one_more = listing._replace(limit=listing.limit + 1)
        ranked = await Ranking(self._database, product_id, state.size, one_more).page(matches)
        page = ranked[: listing.limit]
        marker = Marker(search_patterns(matches.words))
        found = await self._marked(page, marker, _MARKED_ANSWERS)
        after = page[-1].position if len(ranked) > listing.limit else None
        return Results(found, after, state.is_partial)

    async def similar(self, product_id: int, text: str, limit: int) -> list[Found]:
        """Return the questions that are most like a text, best first.

        Raises DatabaseUnavailableError.
        """
        telling = stems(text)
        if not telling:
            return []
        state = await self.indexer.state(product_id)
        matches = await Matcher(self._database, product_id, state).similar(telling)
        ranking = Ranking(self._database, product_id, state.size, Listing(limit))
        return await self._marked(
            await ranking.page(matches), Marker(stem_patterns(telling)), answers=0
        )

    async def _marked(self, page: Sequence[Ranked], marker: Marker, answers: int) -> list[Found]:
        ids = [ranked.question_id for ranked in page]
        rows = await self._database.read(_QUERIES["search_bodies"], ids, answers)
        matches = defaultdict[int, list[Match]](list)
        for row in rows:
            of_question = matches[row["question_id"]]
            if len(of_question) < _MAX_MATCHES and (snippet := marker.snippet(row["body"])):
                of_question.append(Match(row["answer_id"], snippet))
        return [
            Found(ranked.question_id, matches[ranked.question_id])
            for ranked in page
            if ranked.question_id in matches
        ]

"""The order of what a search has found, a page at a time."""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.lists.reader import Filter, Sort, first_position, ordered
from atelier.store.queries import queries
from atelier.store.search import places
from atelier.store.search.matching import Matches
from atelier.store.search.places import Bits

_QUERIES = queries("atelier.store.search")
_FEW = 2000
"""So many questions are sorted; more are read in their order until the page is full."""
_MAX_POINTS = 2**31 - 1


class Position(NamedTuple):
    """Where a question stands in the results: its points, and its place among equal ones."""

    points: int
    key: int
    question_id: int


class Listing(NamedTuple):
    """A page of results; without a sort, the best come first, and of these the most helpful."""

    limit: int
    sort: Sort | None = None
    filter: Filter = Filter.ALL
    after: Position | None = None


class Ranked(NamedTuple):
    """A question, and its position."""

    question_id: int
    position: Position


class Ranking:
    """Puts the results of one search in order."""

    def __init__(self, database: Database, product_id: int, size: int, listing: Listing) -> None:
        """Take the pool for searches, the product, the size of its index, and the page."""
        self._database = database
        self._product_id = product_id
        self._size = size
        self._listing = listing
        self._sort = listing.sort or Sort.HELPFUL
        self._after = listing.after or Position(_MAX_POINTS, *first_position(self._sort))

    async def page(self, matches: Matches) -> list[Ranked]:
        """Return the page's questions. Raises DatabaseUnavailableError."""
        if self._listing.sort:
            matches = _equal(matches)
        if self._listing.filter is not Filter.ALL and _in_index(matches) > _FEW:
            matches = await self._filtered(matches)
        found: list[Ranked] = []
        for group in _groups(matches, self._after.points, self._listing.limit):
            found += await self._first(group)
            if len(found) >= self._listing.limit:
                break
        return found[: self._listing.limit]

    async def _first(self, group: Matches) -> list[Ranked]:
        if _in_index(group) <= _FEW:
            numbers = [
                (number, points)
                for points, questions in group.tiers.items()
                for number in places.numbers(questions)
            ]
            columns = [number for number, _ in numbers], [points for _, points in numbers]
            return await self._sorted(group, *columns)
        [(points, questions)] = group.tiers.items()
        return await self._in_order(group.others, questions, points)

    async def _sorted(self, group: Matches, *columns: list[int]) -> list[Ranked]:
        """Read all of them, and sort them; those in the index by their numbers and points."""
        rows = await self._database.read(
            _QUERIES["ranked"],
            self._product_id,
            list(group.others),
            list(group.others.values()),
            *columns,
            self._listing.filter,
            self._sort,
            *self._after,
            self._listing.limit,
        )
        return [Ranked(row[0], Position(row["points"], row["key"], row[0])) for row in rows]

    async def _in_order(self, others: Iterable[int], questions: Bits, points: int) -> list[Ranked]:
        """Read the product's questions in their order, until there are enough of these."""
        is_begun = points == self._after.points
        after = self._after[1:] if is_begun else first_position(self._sort)
        rows = await self._database.read(
            _QUERIES["ranked_many"].format(keys=ordered(self._sort, _QUERIES["is_matching"])),
            self._product_id,
            self._listing.limit - 1,
            self._listing.filter,
            *after,
            places.to_bytes(questions, self._size),
            list(others),
        )
        return [Ranked(row[0], Position(points, row["key"], row[0])) for row in rows]

    async def _filtered(self, matches: Matches) -> Matches:
        """Leave out what the filter does; there may be few left, in any part of the order."""
        [row] = await self._database.read(
            _QUERIES["filtered"], self._product_id, self._listing.filter
        )
        numbers = places.from_numbers(row["numbers"], self._size)
        return matches._replace(
            tiers={points: each & numbers for points, each in matches.tiers.items()}
        )


def _equal(matches: Matches) -> Matches:
    """Return the same questions without a difference in points."""
    tiers = {0: reduce(or_, matches.tiers.values(), 0)}
    return Matches(tiers, dict.fromkeys(matches.others, 0))


def _groups(matches: Matches, highest: int, enough: int) -> Iterator[Matches]:
    """Yield the results by falling points: many with the same points, or a few altogether.

    No group that is large enough for a page is made larger.
    """
    group = Matches({}, {})
    for points in sorted({*matches.tiers, *matches.others.values()}, reverse=True):
        if points > highest:
            continue
        tier = Matches(
            {points: matches.tiers.get(points, 0)},
            {each: of_each for each, of_each in matches.others.items() if of_each == points},
        )
        size = _size(group)
        if size >= enough or (size and size + _size(tier) > _FEW):
            yield group
            group = tier
        else:
            group = Matches(group.tiers | tier.tiers, group.others | tier.others)
    if _size(group):
        yield group


def _size(matches: Matches) -> int:
    return _in_index(matches) + len(matches.others)


def _in_index(matches: Matches) -> int:
    return sum(each.bit_count() for each in matches.tiers.values())

"""Search, in an index and without one, finds and orders what a simple reference does."""

import itertools
import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from atelier.store.connections.database import Database, connect
from atelier.store.lists.reader import Filter, ListReader, QuestionsKey, Sort, first_position
from atelier.store.search import ranking
from atelier.store.search.folding import fold, near, needle, words
from atelier.store.search.ranking import Listing
from atelier.store.search.searcher import Searcher
from tests.support.data import WRITTEN, Data

PRODUCT = 7
_TEXT = """
    does this shirt really shrink, (shrinks?) water proof water-proof waterproof Waterproof! Größe
    grosse it's a an i is in size sizes 防水 これは防水ですか café CAFE zipper zippers/metal no
    l'eau bathing-suit 42 xl x-l colour color colours 100% re-use reuse the then other
"""
_WORDS = _TEXT.split()
_TYPOS = [
    "watreproof",
    "zippr",
    "sizess",
    "colr",
    "shrnk",
    "thisshirt",
    "waterprof",
    "cafee",
    "groe",
]

random.seed(17)


class Reference:
    """The texts of a product, searched one by one."""

    def __init__(self) -> None:
        self.texts: dict[int, tuple[str, list[str]]] = {}
        self.helpful: dict[int, int] = {}

    def search(self, query: str) -> dict[int, int]:
        """Return the points of what is found."""
        patterns = {}
        for word in words(query):
            known = [self._points(texts, word, None) for texts in self.texts.values()]
            typo = near(word) if sum(map(bool, known)) < 5 else None
            patterns[word] = typo.pattern if typo else None
        return {
            question: sum(points) + self._phrase(texts, [*patterns])
            for question, texts in self.texts.items()
            if all(points := [self._points(texts, *pair) for pair in patterns.items()])
        }

    def ordered(self, query: str) -> list[int]:
        """Return what is found, best first."""
        found = self.search(query)
        return sorted(found, key=lambda q: (found[q], self.helpful[q], q), reverse=True)

    @staticmethod
    def _points(texts: tuple[str, list[str]], word: str, near_pattern: str | None) -> int:
        question, answers = texts
        is_short = len(word) <= 2 and word.isascii() and word.isalnum()
        for text, points in [(question, 8), ("\n".join(answers), 6)]:
            if f" {word}" in text:
                return points + 1
            if word in text and not is_short:
                return points
        for text, points in [(question, 4), ("\n".join(answers), 2)]:
            if near_pattern and re.search(near_pattern, text):
                return points
        return 0

    @staticmethod
    def _phrase(texts: tuple[str, list[str]], of: list[str]) -> int:
        question, answers = texts
        phrase = " ".join(of) if of[1:] else needle(of[0])
        return 2 if phrase in question else 1 if any(phrase in each for each in answers) else 0


class Product:
    """A product, in the database and in the reference."""

    def __init__(self, data: Data, database: Database) -> None:
        self.data = data
        self.searcher = Searcher(database)
        self.reader = ListReader(database)
        self.reference = Reference()

    async def add(self, number: int) -> None:
        for _ in range(number):
            question = await self.data.question(
                PRODUCT,
                body=(body := _text()),
                date=WRITTEN + timedelta(days=random.randrange(9)),
                helpful=(helpful := random.randrange(4)),
            )
            self.reference.texts[question] = (f" {fold(body)} ", [])
            self.reference.helpful[question] = helpful
            for _ in range(random.randrange(3)):
                await self.answer(question)

    async def index(self) -> None:
        """Index the product, although it is small."""
        await self.data.connection.execute(
            "INSERT INTO search_products (product_id) VALUES ($1) ON CONFLICT DO NOTHING", PRODUCT
        )
        await self.searcher.indexer.index_all()
        assert (await self.searcher.indexer.state(PRODUCT)).is_indexed

    async def answer(self, question: int) -> None:
        name = random.choice(["x", "x", "Seller"])
        answer = await self.data.answer(question, body=(body := _text()), name=name)
        if random.random() < 0.2:
            await self.data.photo(answer, "https://example.com/1.jpg")
        self.reference.texts[question][1].append(f" {fold(body)} ")

    async def change(self, number: int) -> None:
        """Hide, edit, delete and answer some questions, and add others."""
        execute = self.data.connection.execute
        chosen = random.sample(sorted(self.reference.texts), number)
        for question in chosen[::4]:
            await execute("UPDATE questions SET reported = true WHERE id = $1", question)
            del self.reference.texts[question]
        for question in chosen[1::4]:
            await execute("UPDATE questions SET body = $2 WHERE id = $1", question, body := _text())
            self.reference.texts[question] = (f" {fold(body)} ", self.reference.texts[question][1])
        for question in chosen[2::4]:
            await execute("DELETE FROM questions WHERE id = $1", question)
            del self.reference.texts[question]
        for question in chosen[3::4]:
            await self.answer(question)
        await self.add(number // 4)

    async def check(self, queries: Iterator[str]) -> None:
        for query in queries:
            found = await self.pages(query, Listing(100))
            assert found == self.reference.ordered(query), query

    async def pages(self, query: str, listing: Listing) -> list[int]:
        """Return the questions of all pages."""
        found: list[int] = []
        is_over = False
        while not is_over:
            results = await self.searcher.search(PRODUCT, query, listing)
            found += [each.question_id for each in results.found]
            listing = listing._replace(after=results.next)
            is_over = results.next is None
        return found

    async def check_listings(self, query: str, limit: int) -> None:
        """Check each order with each filter against the lists without a search."""
        found = self.reference.search(query)
        for sort, filter_ in itertools.product(Sort, Filter):
            listed = [each for each in await self.listed(sort, filter_) if each in found]
            listing = Listing(limit, sort, filter_)
            assert await self.pages(query, listing) == listed, listing
            by_points = sorted(
                (each for each in self.reference.ordered(query) if each in {*listed}),
                key=lambda each: -found[each],
            )
            assert await self.pages(query, Listing(limit, None, filter_)) == by_points

    async def listed(self, sort: Sort, filter_: Filter) -> list[int]:
        """Return all of the product's questions as /v1 lists them."""
        key = QuestionsKey(PRODUCT, 10_000, 0, filter_, *first_position(sort))
        page = await self.reader.questions(sort, key)
        return [question["id"] for question in json.loads(b"[%b]" % page.documents)]


def _text() -> str:
    return " ".join(random.choices(_WORDS, k=random.randint(1, 6)))


def _queries() -> Iterator[str]:
    yield from (*_WORDS, *_TYPOS, "zzz", "a i is", "in a size")
    for number in (2, 2, 2, 3, 3, 4):
        for _ in range(6):
            yield " ".join(random.choices([*_WORDS, *_TYPOS], k=number))


@pytest.fixture
async def product(database: str) -> AsyncIterator[Product]:
    connection = await connect(database)
    product = Product(Data(connection), Database(database, size=2, timeout=60))
    yield product
    await product.searcher.close()
    await connection.close()


async def test_search_in_a_small_product_equals_the_reference(product: Product) -> None:
    await product.add(60)
    await product.check(_queries())


async def test_search_in_an_index_equals_the_reference_after_every_change(product: Product) -> None:
    await product.add(120)
    await product.index()
    await product.check(_queries())
    await product.change(20)
    await product.check(_queries())
    await product.change(80)
    await product.check(_queries())
    await product.searcher.indexer.follow(PRODUCT)
    assert (await product.searcher.indexer.state(PRODUCT)).changed == []
    await product.check(_queries())
    await product.data.connection.execute("TRUNCATE search_words")
    assert await product.pages("size", Listing(100)) == []


@pytest.mark.parametrize("few", [10_000, 9])
async def test_results_can_be_sorted_filtered_and_paged(
    product: Product, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(ranking, "_FEW", few)
    await product.add(40)
    await product.check_listings("size", 3)
    await product.add(60)
    await product.index()
    await product.change(20)
    await product.check_listings("is", 17)
    await product.check_listings("this water", 5)

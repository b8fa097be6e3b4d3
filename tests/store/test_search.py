"""Search within a product: what is found, in which order, and what is marked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from atelier.store import privacy
from atelier.store.connections.database import Database, DatabaseUnavailableError, connect
from atelier.store.search import indexing, matching
from atelier.store.search.folding import fold, words
from atelier.store.search.indexing import INDEXED_ABOVE
from atelier.store.search.ranking import Listing
from atelier.store.search.searcher import Found, Searcher
from tests.support.data import Data, new_product_id
from tests.support.postgres import every_postgres
from tests.support.waiting import until

PRODUCT = 7


@dataclass(frozen=True)
class Product:
    """A product whose questions are searched."""

    data: Data
    searcher: Searcher

    async def ask(self, body: str, *answers: str, helpful: int = 0) -> int:
        question = await self.data.question(PRODUCT, body=body, helpful=helpful)
        for answer in answers:
            await self.data.answer(question, body=answer)
        return question

    async def search(self, query: str) -> list[Found]:
        return (await self.searcher.search(PRODUCT, query, Listing(100))).found

    async def ids(self, query: str) -> list[int]:
        return [found.question_id for found in await self.search(query)]

    async def marked(self, query: str) -> list[list[str]]:
        """Return the marked parts of each text that matches."""
        return [
            [match.snippet.text[start:end] for start, end in match.snippet.ranges]
            for found in await self.search(query)
            for match in found.matches
        ]

    async def fill(self) -> None:
        """Add so many questions that the product is indexed, and index it."""
        await self.add_fillers()
        await self.searcher.indexer.index_all()
        assert await self.data.row("SELECT is_filled FROM search_products") == {"is_filled": True}

    async def add_fillers(self) -> None:
        await self.data.connection.execute(
            """
            INSERT INTO questions (product_id, body, asker_name, asker_email)
            SELECT $1, 'Filler ' || n, 'x', 'x' FROM generate_series(1, $2) AS n
            """,
            PRODUCT,
            INDEXED_ABOVE + 1,
        )


@asynccontextmanager
async def open_product(dsn: str, seconds: float = 30) -> AsyncIterator[Product]:
    connection = await connect(dsn)
    database = Database(dsn, size=2, timeout=seconds)
    searcher = Searcher(database)
    try:
        yield Product(Data(connection), searcher)
    finally:
        await searcher.close()
        await connection.close()


@pytest.fixture
async def product(database: str) -> AsyncIterator[Product]:
    async with open_product(database) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Is the FABRIC thin?", "fabric"),
        ("Passt das für Füße?", "fuße"),
        ("Passt das für Füße?", "FUSSE"),
        ("A café crème", "cafe creme"),
        ("A cafe creme", "CAFÉ CRÈME"),
        ("Smørrebrød og Łódź", "smorrebrod lodz"),
        ("НОВЫЙ Ёж", "новыи еж"),
        ("ΟΔΟΣ", "οδός"),
        ("It\u2019s 5\u20136 cm", "it's 5-6"),
        ("ﬁne ①", "fine 1"),
        ("soft\u00adhyphen", "softhyphen"),
        ("zero\u200bwidth", "zerowidth"),
        ("\u2067\u05d7\u05d5\u05dc\u05e6\u05d4\u2069 blue", "\u05d7\u05d5\u05dc\u05e6\u05d4"),
        ("Love it ❤️ so much", "❤ much"),
        ("Great 👍🏽", "👍🏽 great"),
        ("防水ですか", "防水"),
        ("waterproof", "proof"),
        ("Is it waterproof?", "waterproof?"),
    ],
)
async def test_case_accents_and_invisible_characters_do_not_count(
    product: Product, text: str, query: str
) -> None:
    question = await product.ask(text)
    assert await product.ids(query) == [question]
    await product.fill()
    assert await product.ids(query) == [question]


@pytest.mark.parametrize(
    "typo", ["waterprof", "watreproof", "wateprroof", "waterprooff", "aterproof", "water proof"]
)
async def test_one_typo_in_a_word_is_tolerated(product: Product, typo: str) -> None:
    question = await product.ask("Is it really waterproof?")
    split = await product.ask("Is it water-proof?")
    expected = [split, question] if typo == "water proof" else [question]
    assert await product.ids(typo) == expected
    assert await product.ids("waterproof") == [question, split]


@pytest.mark.parametrize("query", ["wtrproof", "watxrproox", "1235", "xxm"])
async def test_two_typos_short_words_and_numbers_are_not_guessed(
    product: Product, query: str
) -> None:
    await product.ask("Is it waterproof in sizes 1234 to xxl?")
    assert await product.ids(query) == []


@pytest.mark.parametrize("word", ["Maschine", "Waschmaschinen"])
async def test_a_compound_finds_what_it_is_a_kind_of(product: Product, word: str) -> None:
    question = await product.ask(f"Darf es in die {word}?")
    await product.ask("Wie heiß ist Wasser?")
    assert await product.ids("Waschmaschine") == [question]
    await product.fill()
    await product.searcher.indexer.index_all()
    assert await product.ids("Waschmaschine") == [question]
    assert await product.marked("Waschmaschine") == [[word.removesuffix("n")]]


async def test_a_large_product_without_an_index_is_searched_in_its_newest_questions(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "NEWEST", 2)
    monkeypatch.setattr(indexing, "NEWEST", 2)
    monkeypatch.setattr(indexing, "INDEXED_ABOVE", 9)
    newest = [await product.ask("Is it purple?") for _ in range(3)][1:]
    results = await product.searcher.search(PRODUCT, "purple", Listing(10))
    assert {each.question_id for each in results.found} == {*newest}
    assert results.is_partial
    await product.data.connection.execute(
        "INSERT INTO search_products (product_id) VALUES ($1)", PRODUCT
    )
    await product.searcher.indexer.index_all()
    results = await product.searcher.search(PRODUCT, "purple", Listing(10))
    assert (len(results.found), results.is_partial) == (3, False)


async def test_a_typo_is_not_guessed_where_many_questions_contain_the_word(
    product: Product,
) -> None:
    dresses = [await product.ask("Is this dress long?") for _ in range(5)]
    await product.ask("Does it need a press?")
    assert sorted(await product.ids("dress")) == dresses


async def test_every_word_must_be_found_in_the_question_or_its_answers(product: Product) -> None:
    question = await product.ask("Does it shrink?", "Not in cold water.", "Mine did, at 60 degrees")
    await product.ask("Does it shrink?", "No.")
    await product.ask("Cold water only?")
    assert await product.ids("shrink cold degrees") == [question]
    assert await product.ids("shrink hot") == []


async def test_the_best_are_first(product: Product) -> None:
    near_in_answer = await product.ask("Anything to know?", "It has a zipper", helpful=50)
    near_in_question = await product.ask("Does the zipper stick?", helpful=40)
    in_answer = await product.ask("What else?", "The zippers jam.", helpful=9)
    in_question = await product.ask("Are the zippers metal?")
    helpful = await product.ask("Which zippers are these?", helpful=1)
    phrase = await product.ask("Metal zippers?")

    assert await product.ids("zippers") == [
        helpful,
        phrase,
        in_question,
        in_answer,
        near_in_question,
        near_in_answer,
    ]
    assert (await product.ids("metal zippers")) == [phrase, in_question]


async def test_the_beginning_of_a_word_is_better_than_its_middle(product: Product) -> None:
    begins = await product.ask("What art is on the artwork?")
    inside = await product.ask("Which part is that?", helpful=9)
    assert await product.ids("art") == [begins, inside]


async def test_equal_results_are_in_the_order_of_a_page_and_can_be_paged(product: Product) -> None:
    ids = [await product.ask("Which size?", helpful=n % 3) for n in range(12)]
    expected = sorted(ids, key=lambda i: (ids.index(i) % 3, i), reverse=True)
    found: list[int] = []
    listing = Listing(5)
    for _ in range(3):
        results = await product.searcher.search(PRODUCT, "size", listing)
        found += [each.question_id for each in results.found]
        listing = listing._replace(after=results.next)
    assert (found, listing.after) == (expected, None)


@pytest.mark.parametrize("query", ["%%%", "___", "100%", "a_b", r"c:\d", "(.*)", "[a-z]+", "'; --"])
async def test_special_characters_stand_for_themselves(product: Product, query: str) -> None:
    await product.ask("one hundred percent, axb, abc, c:d")
    question = await product.ask(f"so {query} it is")
    assert await product.ids(query) == [question]


async def test_nothing_is_found_in_other_products_and_without_a_match(product: Product) -> None:
    await product.data.question(new_product_id(), body="waterproof")
    assert await product.search("waterproof") == []


@pytest.mark.parametrize("is_kept", [False, True])
async def test_hidden_texts_are_never_found(product: Product, is_kept: bool) -> None:  # noqa: FBT001
    if is_kept:
        await product.fill()
    question = await product.ask("Is this secretquestion visible?", "No, says secretanswer")
    other = await product.ask("Another one", "secretanswer here, too")
    assert await product.ids("secretquestion") == [question]
    assert await product.ids("secretanswer") == [other, question]

    execute = product.data.connection.execute
    await execute("UPDATE questions SET reported = true WHERE id = $1", question)
    await execute("UPDATE answers SET reported = true WHERE question_id = $1", other)
    assert await product.ids("secretquestion") == []
    assert await product.ids("secretanswer") == []
    assert await product.searcher.similar(PRODUCT, "secretquestion", 5) == []

    await execute("UPDATE questions SET reported = false WHERE id = $1", question)
    assert await product.ids("secretquestion secretanswer") == [question]


async def test_matches_are_marked_in_the_texts_as_they_were_written(product: Product) -> None:
    await product.ask(
        "Ist die Größe 42 gross? CAFE\u0301 👍🏽!", "Groß, ja", "Nichts davon", "Café"
    )
    assert await product.marked("gross 👍🏽 cafe") == [
        ["Größ", "gross", "CAFE\u0301", "👍🏽"],
        ["Café"],
        ["Groß"],
    ]


async def test_a_typo_is_marked_as_the_word_that_was_meant(product: Product) -> None:
    await product.ask("Waterproof, waterproofing or water?")
    assert await product.marked("waterprof") == [["Waterproof"]]


async def test_a_long_text_is_shortened_around_its_first_match(product: Product) -> None:
    await product.ask("word " * 80 + "néedle " + "word " * 80)
    [[match]] = [found.matches for found in await product.search("needle")]
    assert len(match.snippet.text) <= 202
    assert match.snippet.text.startswith("…word ")
    assert match.snippet.text.endswith("…")
    [(start, end)] = match.snippet.ranges
    assert match.snippet.text[start:end] == "néedle"


async def test_similar_questions_share_the_telling_words(product: Product) -> None:
    shrinks = await product.ask("Does this shirt shrink in the wash?")
    washing = await product.ask("Washing at 60 degrees?", helpful=3)
    await product.ask("Does this run small in the shoulders?", "It will not shrink in the wash")
    await product.ask("Where is it made?")

    similar = await product.searcher.similar(PRODUCT, "will it SHRINK when I wash it?", 5)

    assert [found.question_id for found in similar] == [shrinks]
    washed = await product.searcher.similar(PRODUCT, "How do I wash this?", 5)
    assert [found.question_id for found in washed] == [washing, shrinks]
    [match] = similar[0].matches
    marked = [match.snippet.text[start:end] for start, end in match.snippet.ranges]
    assert marked == ["shrink", "wash"]
    assert len(await product.searcher.similar(PRODUCT, "shrink wash", 1)) == 1
    assert await product.searcher.similar(PRODUCT, "🙂🙂🙂", 5) == []


@pytest.mark.parametrize("is_indexed", [False, True])
@pytest.mark.parametrize(
    ("asked", "typed"),
    [
        ("Can it be washed in the machine?", "Does it shrink in the machine?"),
        ("Can it be washed in the machine?", "washing at 60 degrees"),
        ("Is it machine washable?", "How do I wash it?"),
        ("What sizes are there?", "Which size fits a child?"),
        ("How long does delivery take?", "when will it be delivered"),
        ("Do the cars come with batteries?", "battery included?"),
        ("Does it run small?", "Is it running large?"),
        ("Can I return it?", "Were you able to get a refund for a returned one"),
        ("Kann man das in der Maschine waschen?", "Läuft es in der Maschine ein?"),
        ("Kann man das in der Maschine waschen?", "ist es waschbar"),
        ("Darf es in die Waschmaschine?", "Wie wird es gewaschen?"),
        ("Wie fallen die Größen aus?", "welche GROESSE oder Größe nehmen"),
        ("Ist der Stoff wasserdicht?", "sind das wasserdichte Schuhe?"),
        ("Wurde der Stoff vorher gewaschen?", "wie wäscht man den Stoff"),
        ("100% cotton_blend?", "cotton_blend"),
    ],
)
async def test_a_similar_question_is_found_in_other_words(
    product: Product,
    asked: str,
    typed: str,
    is_indexed: bool,  # noqa: FBT001 - pytest's
) -> None:
    expected = await product.ask(asked)
    for other in ("Where is it from?", "Is the colour as shown?", "Woraus besteht das Futter?"):
        await product.ask(other, helpful=9)
    if is_indexed:
        await product.fill()
    found = await product.searcher.similar(PRODUCT, typed, 5)
    assert [each.question_id for each in found] == [expected]
    assert found[0].matches


async def test_common_words_are_nothing_in_common(product: Product) -> None:
    await product.ask("How long will it take for this to be there?")
    await product.ask("Wie lange dauert es, bis das hier ist?")
    for typed in ("Will this be there for the boy?", "Ist das hier für einen Jungen?"):
        assert await product.searcher.similar(PRODUCT, typed, 5) == []


async def test_the_index_follows_every_change(product: Product) -> None:
    await product.fill()
    execute = product.data.connection.execute
    question = await product.ask("Is it purple?", "Rather mauve")
    moved = await product.data.question(new_product_id(), body="From elsewhere, in lilac")
    await execute("UPDATE questions SET product_id = $1 WHERE id = $2", PRODUCT, moved)
    assert await product.ids("lilac") == [moved]
    await execute("UPDATE questions SET body = 'Is it green?' WHERE id = $1", question)
    assert await product.ids("purple") == []
    assert await product.ids("green mauve") == [question]
    await execute("UPDATE questions SET product_id = 1 WHERE id = $1", moved)
    assert await product.ids("lilac") == []
    await execute("DELETE FROM answers WHERE question_id = $1", question)
    assert await product.ids("mauve") == []
    await execute("DELETE FROM questions WHERE id = $1", question)
    assert await product.ids("green") == []
    differing = await product.data.row(
        """
        SELECT count(*)
        FROM search_texts t
        FULL JOIN (SELECT * FROM search_text_view WHERE product_id = $1) v USING (question_id)
        WHERE t.everything IS DISTINCT FROM v.everything OR v.product_id <> t.product_id
        """,
        PRODUCT,
    )
    assert differing == {"count": 0}
    await execute("TRUNCATE questions CASCADE")
    assert await product.data.row("SELECT count(*) FROM search_texts") == {"count": 0}


async def test_nothing_of_an_erased_text_is_left_in_the_index(product: Product) -> None:
    await product.fill()
    connection = product.data.connection
    question = await product.ask("My name is Rumpelstiltskin", "Indeed")
    await product.searcher.indexer.follow(PRODUCT)
    assert await product.ids("rumpelstiltskin") == [question]
    await connection.execute("UPDATE questions SET asker_email = 'r@x.org' WHERE id = $1", question)
    found = await privacy.find(connection, "r@x.org")
    await privacy.erase(connection, "r@x.org", found, privacy.Mode.ANONYMIZE, done_by="test")
    left = await product.data.row(
        """
        SELECT count(*)
        FROM (SELECT t::text AS kept FROM search_texts t UNION SELECT w.word FROM search_words w) k
        WHERE kept LIKE '%rumpel%'
        """
    )
    assert left == {"count": 0}
    assert await product.ids("removed") == [question]


async def test_an_instance_indexes_what_waits_without_a_search(product: Product) -> None:
    await product.add_fillers()
    assert not (await product.searcher.indexer.state(PRODUCT)).is_indexed
    await product.searcher.indexer.wait()
    await product.searcher.indexer.index_all()
    assert (await product.searcher.indexer.state(PRODUCT)).is_indexed
    await product.data.connection.execute(
        """
        INSERT INTO questions (product_id, body, asker_name, asker_email)
        SELECT $1, 'Later ' || n, 'x', 'x' FROM generate_series(1, 150) AS n
        """,
        PRODUCT,
    )
    assert len(await product.ids("later")) == 100
    await product.searcher.indexer.wait()
    assert (await product.searcher.indexer.state(PRODUCT)).changed == []
    assert len(await product.ids("later")) == 100


async def test_two_instances_index_a_product_together(product: Product, database: str) -> None:
    await product.add_fillers()
    async with open_product(database) as other:
        await asyncio.gather(
            product.searcher.indexer.index_all(), other.searcher.indexer.index_all()
        )
        await product.searcher.indexer.index_all()
        state = await other.searcher.indexer.state(PRODUCT)
        assert (state.is_indexed, state.changed) == (True, [])
        assert await other.ids("501") == await product.ids("501") != []
        question = await product.ask("Found by all?")
        assert await other.ids("found") == await product.ids("found") == [question]


async def test_a_vote_does_not_touch_the_index(product: Product) -> None:
    await product.fill()
    question = await product.ask("Is it purple?", "Rather mauve")
    version = "SELECT xmin::text FROM search_texts WHERE question_id = $1"
    before = await product.data.row(version, question)
    execute = product.data.connection.execute
    await execute("UPDATE questions SET helpful = helpful + 1 WHERE id = $1", question)
    await execute("UPDATE answers SET helpful = helpful + 1 WHERE question_id = $1", question)
    assert await product.data.row(version, question) == before


async def test_a_product_is_indexed_only_once_no_writer_can_have_missed_it(
    product: Product, database: str
) -> None:
    writer = await connect(database)
    transaction = writer.transaction()
    await transaction.start()
    late = await Data(writer).question(PRODUCT, body="A latecomer")
    await product.add_fillers()
    await product.search("anything")
    registered = "SELECT count(horizon) FROM search_products"

    async def is_registered() -> bool:
        return await product.data.row(registered) == {"count": 1}

    await until(is_registered)
    is_filled = "SELECT bool_or(is_filled) AS is_filled FROM search_products"
    assert await product.data.row(is_filled) == {"is_filled": False}
    await transaction.commit()
    await writer.close()
    await product.searcher.indexer.wait()
    assert await product.data.row(is_filled) == {"is_filled": True}
    assert await product.ids("latecomer") == [late]


async def test_small_products_are_not_indexed(product: Product) -> None:
    question = await product.ask("Is it purple?")
    assert await product.ids("purple") == [question]
    await product.searcher.indexer.wait()
    assert await product.data.row("SELECT count(*) FROM search_products") == {"count": 0}


async def test_a_search_that_takes_too_long_fails(product: Product, database: str) -> None:
    await product.ask("Is it purple?")
    await product.data.connection.execute(
        """
        CREATE OR REPLACE FUNCTION search_fold(body text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
        AS $$ SELECT body || pg_sleep(5) $$
        """
    )
    async with open_product(database, seconds=0.5) as hurried:
        with pytest.raises(DatabaseUnavailableError):
            await hurried.search("purple")


_WORDS = [
    "size",
    "sise",
    "Sizes",
    "machine",
    "washmachine",
    "water",
    "WATRE",
    "proof",
    "water-proof",
    "waterproof",
    "café",
]
_TEXTS = st.lists(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3), max_size=7)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=_TEXTS, query=st.lists(st.sampled_from([*_WORDS, "cafe", "prof"]), min_size=1))
@example(texts=[["water", "proof"]] * 5 + [["WATRE"]], query=["water"])
async def test_search_finds_what_a_simple_reference_finds(
    product: Product, texts: list[list[str]], query: list[str]
) -> None:
    product_id = new_product_id()
    bodies = {
        await product.data.question(product_id, body=" ".join(text)): fold(" ".join(text))
        for text in texts
    }
    expected = set(bodies)
    for word in words(" ".join(query)):
        exact = {question for question, body in bodies.items() if word in body}
        expected &= exact if len(exact) >= 5 else exact | _near(word, bodies)
    results = await product.searcher.search(product_id, " ".join(query), Listing(100))
    assert {each.question_id for each in results.found} == expected
    assert all(match.snippet.ranges for each in results.found for match in each.matches)


def _near(word: str, bodies: dict[int, str]) -> set[int]:
    """Return the questions with a word that is one edit away, or the longer part of a compound."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    edited = {left + right[1:] for left, right in cuts}
    edited |= {left + each + right for left, right in cuts for each in letters}
    edited |= {left + each + right[1:] for left, right in cuts if right for each in letters}
    edited |= {left + right[1] + right[0] + right[2:] for left, right in cuts if right[1:]}
    split = {f"{left} {right}" for left, right in cuts if left and right}
    half = len(word) // 2
    if len(word) > 10:
        edited |= {word[start:] for start in range(2, half + 1)}
    plain = {question: f" {body.replace('-', ' ')} " for question, body in bodies.items()}
    return {
        question
        for question, body in plain.items()
        if word.isalpha() and any(f" {each} " in body for each in edited | split)
    }


@every_postgres
async def test_the_database_and_python_fold_alike(database: str) -> None:
    connection = await asyncpg.connect(database, server_settings={"search_path": "atelier"})
    texts = [chr(i) for i in range(1, 0x3000) if chr(i).isprintable() or chr(i).isspace()]
    texts += [
        "ΟΔΟΣ ὀδός",
        "İstanbul I\u0131i",
        "Straße ẞ",
        "q\u0323\u0307 q\u0307\u0323",
        "한국어 が",
    ]
    rows = await connection.fetch(
        "SELECT text, search_fold(text) AS folded FROM unnest($1::text[]) AS text", texts
    )
    await connection.close()
    assert {row["text"]: row["folded"] for row in rows} == {text: fold(text) for text in texts}

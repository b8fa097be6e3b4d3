"""Search in all posts, for moderators."""

import random
from collections.abc import AsyncIterator

import pytest

from atelier.store.connections.database import Database, connect
from atelier.store.moderation import search
from atelier.store.moderation.queue import NewestPosition
from atelier.store.moderation.search import FoundPosts, PostSearch, Status
from tests.support.data import Data

_FIRST = NewestPosition()


@pytest.fixture
async def data(database: str) -> AsyncIterator[Data]:
    connection = await connect(database)
    yield Data(connection)
    await connection.close()


@pytest.fixture
async def posts(database: str) -> AsyncIterator[PostSearch]:
    pool = Database(database, size=1, timeout=30)
    yield PostSearch(pool)
    await pool.close()


async def build(data: Data) -> list[str]:
    return [name async for name in search.build_index(data.connection)]


def targets(page: FoundPosts) -> list[tuple[str, int]]:
    return [(item["target"], item["id"]) for item in page.items]


async def everything(
    posts: PostSearch, query: str, status: Status = Status.ANY, limit: int = 3
) -> list[tuple[str, int]]:
    """Return what is on all pages."""
    found: list[tuple[str, int]] = []
    after: NewestPosition | None = _FIRST
    while after:
        page = await posts.page(query, status, after, limit)
        found += targets(page)
        after = page.next
    return found


@pytest.mark.parametrize("is_indexed", [False, True])
async def test_posts_of_all_products_are_found_by_the_beginnings_of_words(
    posts: PostSearch,
    data: Data,
    is_indexed: bool,  # noqa: FBT001
) -> None:
    if is_indexed:
        assert await build(data) == ["questions_search", "answers_search"]
    question = await data.question(1, body="Ist das ein CAFÉ-Stuhl?")
    answer = await data.answer(question, body="Cafés haben stühle")
    other = await data.question(2, body="cafeteria stuhlgang")
    await data.question(3, body="stuhl")
    page = await posts.page("cafe STUHL", Status.ANY, _FIRST, 10)
    assert sorted(targets(page)) == [
        ("answer", answer),
        ("question", question),
        ("question", other),
    ]
    assert page.is_indexed is is_indexed
    assert await posts.page("!!!", Status.ANY, _FIRST, 10) == ([], page.next, is_indexed)


@pytest.mark.parametrize("is_indexed", [False, True])
async def test_each_post_is_on_one_page(
    posts: PostSearch,
    data: Data,
    monkeypatch: pytest.MonkeyPatch,
    is_indexed: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(search, "_SPAN", 7)
    monkeypatch.setattr(search, "_SPAN_BEFORE_INDEX", 5)
    expected = set()
    for _ in range(40):
        body = random.choice(["wanted words", "others"])
        question = await data.question(1, body=body)
        answer = await data.answer(question, body="wanted" if random.random() < 0.2 else "no")
        rows = [("question", question, body), ("answer", answer, "")]
        expected |= {row[:2] for row in rows if "wanted" in row[2]}
        if "wanted" in (await data.row("SELECT body FROM answers WHERE id = $1", answer))["body"]:
            expected.add(("answer", answer))
    if is_indexed:
        await build(data)
    found = await everything(posts, "wanted")
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.parametrize("is_indexed", [False, True])
async def test_posts_are_found_by_their_state(
    posts: PostSearch,
    data: Data,
    is_indexed: bool,  # noqa: FBT001
) -> None:
    if is_indexed:
        await build(data)
    visible = await data.question(1, body="find me")
    reported = await data.question(1, body="find me", reported=True)
    removed = await data.answer(visible, body="find me", reported=True)
    await data.connection.execute(
        "UPDATE moderation_states SET state = 'removed' WHERE target = 'answer'"
    )
    assert await everything(posts, "find", Status.VISIBLE) == [("question", visible)]
    assert await everything(posts, "find", Status.REPORTED) == [("question", reported)]
    assert await everything(posts, "find", Status.REMOVED) == [("answer", removed)]
    assert await everything(posts, "find", Status.HELD) == []
    assert len(await everything(posts, "find")) == 3


async def test_the_index_is_used_and_can_be_dropped(data: Data) -> None:
    await data.question(1, body="find me")
    await build(data)
    assert await build(data) == []
    await data.connection.execute("SET enable_seqscan = off")
    plan = await data.connection.fetch(
        "EXPLAIN SELECT FROM questions WHERE search_vector(body) @@ search_query('find me')"
    )
    assert "questions_search" in str(plan)
    assert [row["is_valid"] for row in await search.index_state(data.connection)] == [True, True]
    await search.drop_index(data.connection)
    assert await search.index_state(data.connection) == []

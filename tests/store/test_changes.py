"""The change feed has every change of content once, in commit order and without gaps."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from atelier.store import privacy
from atelier.store.changes import START, ChangeFeed, Cursor, ExpiredCursorError
from atelier.store.connections.database import Database, DatabaseUnavailableError, connect
from atelier.store.privacy import Mode
from atelier.store.writes import Vote, Writer
from tests.support.data import EMAIL, Data
from tests.transfer.exports import load, write_export

KEEP = timedelta(days=30)
DAY = timedelta(days=1)
Event = dict[str, Any]

_VISIBLE_QUESTIONS = """
    SELECT id, product_id, body, iso_date(date_written) AS created_at, asker_name AS author
    FROM questions WHERE NOT reported"""
_VISIBLE_ANSWERS = """
    SELECT
        a.id, a.question_id, a.body, iso_date(a.date_written) AS created_at,
        a.answerer_name AS author,
        array(SELECT p.url FROM photos p WHERE p.answer_id = a.id ORDER BY p.id) AS photos
    FROM answers a JOIN questions q ON q.id = a.question_id
    WHERE NOT a.reported AND NOT q.reported"""


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Database]:
    pool = Database(database, size=4, timeout=10)
    yield pool
    await pool.close()


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def feed(pool: Database) -> ChangeFeed:
    return ChangeFeed(pool, KEEP)


@pytest.fixture
def data(connection: asyncpg.Connection) -> Data:
    return Data(connection)


_ATTEMPTS = 20


class Copy:
    """A shop's own copy of what shoppers see, rebuilt from events alone."""

    def __init__(self, after: Cursor = START) -> None:
        self.cursor = after
        self.positions: list[int] = []
        self.questions: dict[int, Event] = {}
        self.answers: dict[int, Event] = {}

    async def follow(self, feed: ChangeFeed, *, limit: int, wait: float = 0) -> int:
        """Read one page and apply it; return the number of events."""
        page = await feed.read(self.cursor, limit, wait=wait)
        for text in page.events:
            self._apply(json.loads(text))
        self.cursor = page.next
        return len(page.events)

    async def catch_up(self, feed: ChangeFeed) -> None:
        """Read to the end; an earlier kill may have left broken connections in the pool."""
        for _ in range(_ATTEMPTS):
            with suppress(DatabaseUnavailableError):
                while await self.follow(feed, limit=100):
                    pass
                return
        raise AssertionError("the feed cannot be read")

    def _apply(self, event: Event) -> None:
        self.positions.append(event["position"])
        content = event["content"]
        if event["target"] == "answer":
            self.answers.pop(event["id"], None)
            self._add_answers([content] if content else [])
            return
        self.questions.pop(event["id"], None)
        for answer in [a for a in self.answers.values() if a["question_id"] == event["id"]]:
            del self.answers[answer["id"]]
        if content:
            self._add_answers(content["answers"])
            columns = ("id", "product_id", "body", "created_at", "author")
            self.questions[event["id"]] = {name: content[name] for name in columns}

    def _add_answers(self, answers: list[Event]) -> None:
        columns = ("id", "question_id", "body", "created_at", "author")
        for answer in answers:
            photos = [photo["url"] for photo in answer["photos"]]
            row = {name: answer[name] for name in columns} | {"photos": photos}
            self.answers[answer["id"]] = row

    async def assert_equal_to_tables(self, connection: asyncpg.Connection) -> None:
        assert self.questions == await by_id(connection, _VISIBLE_QUESTIONS)
        assert self.answers == await by_id(connection, _VISIBLE_ANSWERS)


async def by_id(connection: asyncpg.Connection, query: str) -> dict[int, Event]:
    return {row["id"]: dict(row) for row in await connection.fetch(query)}


async def events(feed: ChangeFeed, after: Cursor | None = START) -> list[Event]:
    return [json.loads(text) for text in (await feed.read(after, 1000)).events]


async def kinds(feed: ChangeFeed, after: Cursor = START) -> list[tuple[str, str, int]]:
    return [(e["kind"], e["target"], e["id"]) for e in await events(feed, after)]


_UPDATES = (
    "UPDATE questions SET reported = NOT reported WHERE id = $1",
    "UPDATE answers SET reported = NOT reported WHERE question_id = $1",
    "UPDATE questions SET body = body || '!', helpful = helpful + 1 WHERE id = $1",
    "UPDATE answers SET body = body || '?' WHERE question_id = $1",
    "DELETE FROM photos WHERE answer_id IN (SELECT id FROM answers WHERE question_id = $1)",
    "DELETE FROM answers WHERE id = (SELECT max(id) FROM answers WHERE question_id = $1)",
    "DELETE FROM questions WHERE id = $1 AND id % 5 = 0",
    "UPDATE questions SET reported = NOT reported, helpful = -1 WHERE id = $1",
)


async def _write(database: str, seed: int) -> None:
    """Post, report, vote, hide, restore, edit and delete; go on after a lost connection."""
    pool, draw = Database(database, size=1, timeout=10), random.Random(seed)
    writer = Writer(pool, DAY)
    for number in range(60):
        question, name = draw.randrange(1, 40), f"writer {seed}"
        operations = (
            lambda: writer.add_question(7, f"question {seed}.{number}", name, EMAIL),  # noqa: B023
            lambda: writer.add_answer(question, f"answer {number}", name, EMAIL, ["https://a.b/c"]),  # noqa: B023
            lambda: writer.vote(Vote("answer", draw.randrange(1, 100), "report")),
            lambda: writer.vote(Vote("question", question, "report")),  # noqa: B023
            lambda: writer.vote(Vote("question", question, "helpful")),  # noqa: B023
            lambda: pool.write(draw.choice(_UPDATES), question),  # noqa: B023
        )
        with suppress(DatabaseUnavailableError, asyncpg.CheckViolationError):
            await draw.choices(operations, weights=[4, 6, 2, 1, 2, 6])[0]()
    await pool.close()


async def _kill(connection: asyncpg.Connection) -> None:
    """End the connections of writers and consumers again and again, in whatever they do."""
    while True:
        await asyncio.sleep(0.05)
        await connection.execute("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            ORDER BY random() LIMIT 1""")


async def test_a_copy_built_from_events_equals_the_tables_after_concurrent_writers_and_kills(
    database: str, pool: Database, connection: asyncpg.Connection
) -> None:
    follower, late, feed = Copy(), Copy(), ChangeFeed(pool, KEEP, poll_seconds=0.01)

    async def follow() -> None:
        while True:
            with suppress(DatabaseUnavailableError):
                await follower.follow(feed, limit=7, wait=0.05)

    background = [asyncio.create_task(follow()), asyncio.create_task(_kill(connection))]
    await asyncio.gather(*(_write(database, seed) for seed in range(8)))
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)

    for copy in (follower, late):
        await copy.catch_up(feed)
        assert copy.positions == list(range(1, len(copy.positions) + 1))
        await copy.assert_equal_to_tables(connection)
    assert follower.positions == late.positions
    assert len(late.questions) > 20
    assert len(late.answers) > 20


async def test_each_kind_of_change_is_one_event(
    feed: ChangeFeed, data: Data, pool: Database, connection: asyncpg.Connection
) -> None:
    writer = Writer(pool, DAY)
    await writer.add_question(7, "Why?", "jane", EMAIL)
    await writer.add_answer(1, "So.", "Seller", EMAIL, ["https://a.b/1", "https://a.b/2"])
    await writer.vote(Vote("answer", 1, "report"))
    for statement in (
        "UPDATE answers SET reported = false, helpful = 3",
        "UPDATE questions SET body = 'What?'",
        "INSERT INTO photos (answer_id, url) VALUES (1, 'https://a.b/3')",
        "SET LOCAL atelier.change = 'removed'; UPDATE questions SET reported = true",
        "UPDATE questions SET reported = false",
    ):
        await connection.execute(statement)
    held = await data.question(8, reported=True)
    await connection.execute("DELETE FROM answers")
    assert await kinds(feed) == [
        ("asked", "question", 1),
        ("answered", "answer", 1),
        ("reported", "answer", 1),
        ("restored", "answer", 1),
        ("edited", "question", 1),
        ("edited", "answer", 1),
        ("removed", "question", 1),
        ("restored", "question", 1),
        ("held", "question", held),
        ("erased", "answer", 1),
    ]


async def test_votes_are_no_events(
    feed: ChangeFeed, pool: Database, data: Data, connection: asyncpg.Connection
) -> None:
    question = await data.question(7)
    answers = [await data.answer(question) for _ in range(3)]
    after, writer = await feed.end(), Writer(pool, DAY)
    votes = [
        Vote("question", question, "helpful"),
        *(Vote("answer", a, "helpful") for a in answers),
    ]
    await asyncio.gather(*map(writer.vote, votes * 5))
    await connection.execute("UPDATE answers SET helpful = helpful + 1")
    assert await events(feed, after) == []


async def test_an_event_shows_what_shoppers_see_now(feed: ChangeFeed, data: Data) -> None:
    question = await data.question(7, body="Why?", name="jane", helpful=4)
    await data.answer(question, body="Hidden.", reported=True)
    await data.answer(question, body="Because.", name="joe", helpful=9)
    answer = await data.answer(question, body="So.", name="Seller", photos=["https://a.b/1"])
    found = await events(feed)
    date = "2018-10-18T00:00:00.000Z"
    seller = {
        "id": answer,
        "question_id": question,
        "body": "So.",
        "created_at": date,
        "author": "Seller",
        "is_seller": True,
        "helpful": 0,
        "photos": [{"id": 1, "url": "https://a.b/1"}],
    }
    content = found[0]["content"]
    assert [each["body"] for each in content["answers"]] == ["So.", "Because."]
    assert content["answers"][0] == seller == found[3]["content"]
    assert content | {"answers": []} == {
        "id": question,
        "product_id": 7,
        "body": "Why?",
        "created_at": date,
        "author": "jane",
        "helpful": 4,
        "answer_count": 2,
        "answers": [],
    }
    assert [event["content"] is None for event in found] == [False, True, False, False, False]
    assert EMAIL not in json.dumps(found)
    await data.connection.execute("UPDATE questions SET reported = true")
    assert [event["content"] for event in await events(feed)] == [None] * 6


async def test_a_write_that_is_rolled_back_leaves_no_gap(
    feed: ChangeFeed, database: str, data: Data
) -> None:
    other = await connect(database)
    transaction = other.transaction()
    await transaction.start()
    await Data(other).question(7, body="never")
    first = await data.question(7)
    assert [(e["position"], e["id"]) for e in await events(feed)] == [(1, first)]
    await transaction.rollback()
    second = await data.question(7)
    assert [(e["position"], e["id"]) for e in await events(feed)] == [(1, first), (2, second)]
    await other.close()


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (
            (
                "UPDATE answers SET body = 'new' WHERE id = 1",
                "UPDATE answers SET reported = true WHERE id = 2",
            ),
            [("edited", "answer", 1), ("reported", "answer", 2)],
        ),
        (
            ("DELETE FROM answers WHERE id = 2", "UPDATE questions SET reported = true"),
            [("erased", "answer", 2), ("reported", "question", 1)],
        ),
        (
            (
                "UPDATE questions SET body = 'new'",
                "INSERT INTO photos (answer_id, url) VALUES (1, 'https://a.b/1')",
            ),
            [("edited", "question", 1), ("edited", "answer", 1)],
        ),
    ],
)
async def test_the_events_of_a_question_are_in_commit_order(
    feed: ChangeFeed,
    database: str,
    data: Data,
    statements: tuple[str, str],
    told: list[tuple[str, str, int]],
) -> None:
    first, second = statements
    await data.question(7)
    for _ in range(2):
        await data.answer(1)
    after, other = await feed.end(), await connect(database)
    async with data.connection.transaction():
        await data.connection.execute("SELECT FROM questions FOR NO KEY UPDATE")
        waiting = asyncio.create_task(other.execute(second))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await data.connection.execute(first)
    await waiting
    assert await kinds(feed, after) == told
    await other.close()


async def test_a_slow_writer_is_not_missed_by_those_who_read_meanwhile(
    feed: ChangeFeed, database: str, data: Data
) -> None:
    other = await connect(database)
    async with other.transaction():
        slow = await Data(other).question(7)
        await data.question(7)
        page = await feed.read(START, 10)
        assert len(page.events) == 1
    [event] = await events(feed, page.next)
    assert (event["position"], event["id"]) == (2, slow)
    await other.close()


async def test_who_waits_gets_a_change_when_it_is_committed(pool: Database, data: Data) -> None:
    await data.question(7)
    feeds = [ChangeFeed(pool, KEEP, poll_seconds=0.01) for _ in range(2)]
    after = await feeds[0].end()
    waiting = [asyncio.create_task(feed.read(after, 10, wait=30)) for feed in feeds * 10]
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in waiting)
    question = await data.question(8)
    pages = await asyncio.gather(*waiting)
    assert {json.loads(event)["id"] for page in pages for event in page.events} == {question}
    assert {len(page.events) for page in pages} == {1}


async def test_a_stop_ends_all_waits_with_an_empty_page(feed: ChangeFeed) -> None:
    waiting = [asyncio.create_task(feed.read(START, 10, wait=3600)) for _ in range(3)]
    await asyncio.sleep(0.05)
    feed.stop()
    assert {(*page.events, page.next) for page in await asyncio.gather(*waiting)} == {(START,)}
    assert (await feed.read(START, 10, wait=3600)).events == []


async def test_expired_events_are_deleted_and_a_cursor_before_them_is_rejected(
    feed: ChangeFeed, data: Data, connection: asyncpg.Connection
) -> None:
    for _ in range(5):
        await data.question(7)
    cursors = [START]
    while (page := await feed.read(cursors[-1], 1)).events:
        cursors.append(page.next)
    await connection.execute(
        "UPDATE changes SET created_at = now() - interval '31 days' WHERE position <= 3"
    )
    await feed.delete_expired()
    assert [event["position"] for event in await events(feed, None)] == [4, 5]
    for cursor in cursors[:3]:
        with pytest.raises(ExpiredCursorError):
            await feed.read(cursor, 10)
    assert [e["position"] for e in await events(feed, cursors[3])] == [4, 5]
    assert await events(feed, cursors[5]) == []


async def test_positions_go_on_after_everything_expired(
    feed: ChangeFeed, data: Data, connection: asyncpg.Connection
) -> None:
    for _ in range(3):
        await data.question(7)
    end = await feed.end()
    await connection.execute("UPDATE changes SET created_at = now() - interval '31 days'")
    await feed.delete_expired()
    await data.question(7)
    assert [event["position"] for event in await events(feed, end)] == [4]


async def test_a_cursor_of_another_history_is_rejected(feed: ChangeFeed, data: Data) -> None:
    await data.question(7)
    end = await feed.end()
    for cursor in (Cursor(end.position, end.id + 1), Cursor(end.position + 5, end.id)):
        with pytest.raises(ExpiredCursorError):
            await feed.read(cursor, 10)


@pytest.mark.parametrize("mode", Mode)
async def test_an_erasure_is_told_and_old_events_no_longer_show_the_text(
    feed: ChangeFeed, data: Data, connection: asyncpg.Connection, mode: Mode
) -> None:
    hers = await data.question(7, body="Jane asks", name="Jane", email="jane@example.com")
    await data.answer(hers, body="Thanks")
    other = await data.question(7)
    answer = await data.answer(
        other, body="Jane says", name="Jane", email="jane@example.com", photos=["https://a.b/j"]
    )
    copy = Copy()
    await copy.catch_up(feed)
    after = copy.cursor
    found = await privacy.find(connection, "jane@example.com")
    await privacy.erase(connection, "jane@example.com", found, mode, done_by="tester")
    await copy.catch_up(feed)
    await copy.assert_equal_to_tables(connection)
    told = await kinds(feed, after)
    assert {("erased", "question", hers), ("erased", "answer", answer)} <= set(told)
    assert {kind for kind, _, _ in told} == {"erased"}
    shown = json.dumps(await events(feed))
    assert '"Jane"' not in shown
    assert mode is Mode.KEEP_TEXTS or "Jane says" not in shown


@pytest.mark.parametrize("replace", [True, False])
async def test_an_import_is_one_event_and_keeps_the_cursors(
    feed: ChangeFeed, data: Data, database: str, tmp_path: Path, *, replace: bool
) -> None:
    await data.question(7)
    after = await feed.end()
    await load(database, write_export(tmp_path / "export"), replace=replace)
    reconnected = await connect(database)
    question = await Data(reconnected).question(7)
    assert await kinds(feed, after) == [
        ("imported", "all", None),
        ("asked", "question", question),
    ]
    assert [event["position"] for event in await events(feed)] == [1, 2, 3]
    await reconnected.close()


async def test_a_truncation_is_told(feed: ChangeFeed, data: Data) -> None:
    await data.question(7)
    after = await feed.end()
    await data.connection.execute("TRUNCATE answers CASCADE")
    assert {kind for kind, _, _ in await kinds(feed, after)} == {"imported"}

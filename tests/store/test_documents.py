"""Documents and summaries equal the views that define them, also under concurrent writes."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import asyncpg
import httpx
import pytest

import atelier.store
from atelier.store.connections.database import connect
from tests.store.voting import vote
from tests.support.cluster import Cluster
from tests.support.data import DIFFERENT_DOCUMENTS, Data, new_product_id
from tests.support.waiting import until

_DIFFERENT_SUMMARIES = """
    (TABLE question_summaries EXCEPT ALL TABLE question_summary_view)
    UNION ALL
    (TABLE question_summary_view EXCEPT ALL TABLE question_summaries)
"""

ANSWER = {"body": "Yes.", "name": "jane", "email": "jane@example.com", "photos": ["https://a.b/c"]}


async def test_concurrent_writers_lose_no_vote_and_keep_documents_equal_to_the_view(
    service: Cluster,
) -> None:
    connection = await connect(service.database)
    data, product_id, draw = Data(connection), new_product_id(), random.Random(7)
    questions = [await data.question(product_id) for _ in range(4)]
    answers = [await data.answer(question) for question in questions for _ in range(3)]
    hidden = await data.question(product_id)
    writes: list[tuple[str, str]] = []
    for _ in range(600):
        question, answer = draw.choice(questions), draw.choice(answers)
        writes += draw.choices(
            [
                ("PUT", f"/qa/questions/{question}/helpful"),
                ("PUT", f"/qa/answers/{answer}/helpful"),
                ("POST", f"/qa/questions/{question}/answers"),
                ("PUT", f"/qa/answers/{answers[-1]}/report"),
                ("PUT", f"/qa/questions/{hidden}/report"),
            ],
            weights=[40, 40, 15, 2, 3],
        )
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        turns = asyncio.Semaphore(30)
        statuses = await asyncio.gather(*(_write(client, turns, *write) for write in writes))

    assert Counter(statuses) == Counter(201 if m == "POST" else 204 for m, _ in writes)
    counted = Counter(path for method, path in writes if method == "PUT")
    for target, ids in (("questions", questions), ("answers", answers)):
        rows = await connection.fetch(
            f"SELECT id, helpful FROM {target} WHERE id = ANY ($1)",  # noqa: S608 - fixed names
            ids,
        )
        for row in rows:
            assert row["helpful"] == counted[f"/qa/{target}/{row['id']}/helpful"]
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    assert await connection.fetch(_DIFFERENT_SUMMARIES) == []
    await connection.close()


async def _write(
    client: httpx.AsyncClient, turns: asyncio.Semaphore, method: str, path: str
) -> int:
    async with turns:
        response = await client.request(method, path, json=ANSWER if method == "POST" else None)
    return response.status_code


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answers SET body = 'changed' WHERE id = {answer}",
        "UPDATE answers SET helpful = helpful + 99999 WHERE id = {answer}",
        "UPDATE answers SET helpful = helpful + 1",
        "UPDATE answers SET helpful = 7, body = 'changed' WHERE id = {answer}",
        "UPDATE answers SET helpful = 7, reported = true WHERE id = {answer}",
        "UPDATE answers SET helpful = 7, question_id = {other} WHERE id = {answer}",
        "UPDATE answers SET helpful = 7, id = 900000001 WHERE id = {photoless}",
        "UPDATE questions SET helpful = helpful + 99999",
        "UPDATE questions SET helpful = 7, body = 'changed' WHERE id = {question}",
        "UPDATE questions SET helpful = 7, reported = false WHERE id = {reported}",
        "UPDATE answers SET question_id = {other} WHERE id = {answer}",
        "UPDATE answers SET id = 900000001 WHERE id = {photoless}",
        "UPDATE photos SET url = 'https://changed' WHERE answer_id = {answer}",
        "UPDATE photos SET answer_id = {photoless} WHERE answer_id = {answer}",
        "UPDATE questions SET product_id = product_id + 500000 WHERE id = {question}",
        "UPDATE questions SET reported = true WHERE id = {question}",
        "UPDATE questions SET reported = false WHERE id = {reported}",
        "UPDATE answers SET answerer_name = 'Seller' WHERE id = {answer}",
        "UPDATE answers SET date_written = now() WHERE id = {answer}",
        "UPDATE questions SET date_written = now()",
        "DELETE FROM photos WHERE answer_id = {answer}",
        "DELETE FROM answers WHERE id = {answer}",
        "DELETE FROM questions WHERE id = {question}",
        "TRUNCATE photos",
        "TRUNCATE answers CASCADE",
        "TRUNCATE questions CASCADE",
    ],
)
async def test_any_statement_in_psql_keeps_documents_equal_to_the_view(
    database: str, statement: str
) -> None:
    connection = await connect(database)
    data = Data(connection)
    question, other = await data.question(1), await data.question(1)
    reported = await data.question(1, reported=True)
    answer = await data.answer(question, photos=["https://a.b/1", "https://a.b/2"])
    photoless = await data.answer(other)
    await data.answer(other, photos=["https://a.b/3"])
    assert len(await connection.fetch("SELECT FROM question_documents")) == 2
    await connection.execute(
        statement.format(
            question=question, other=other, reported=reported, answer=answer, photoless=photoless
        )
    )
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    assert await connection.fetch(_DIFFERENT_SUMMARIES) == []
    await connection.close()


async def test_migrations_fill_what_documents_and_summaries_lack(
    database: str,
) -> None:
    connection = await connect(database)
    data = Data(connection)
    questions = [await data.question(1) for _ in range(3)]
    await data.answer(questions[0], name="Seller", photos=["https://a.b/1"])
    await connection.execute("DELETE FROM question_summaries WHERE question_id <> $1", questions[2])
    await connection.execute(
        "UPDATE question_summaries SET opening = NULL, answer_ids = NULL,"
        " answer_openings = NULL, answer_closings = NULL"
    )
    await connection.execute("UPDATE question_documents SET answer_ids = NULL, answer_ranks = NULL")
    migrations = ("fill_summaries", "check_summaries", "fill_summary_texts", "fill_answer_ranks")
    for name in migrations:
        await connection.execute(_migration(name))
    assert len(await connection.fetch("SELECT FROM question_summaries")) == 3
    assert await connection.fetch(_DIFFERENT_SUMMARIES) == []
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    await connection.close()


def _migration(name: str) -> str:
    [file] = (Path(atelier.store.__file__).parent / "migrations").glob(f"*_{name}.sql")
    return file.read_text("utf-8").partition("-- migrate: rollback")[0]


async def test_readers_and_writers_go_on_while_a_migration_fills_texts(database: str) -> None:
    """The migration waits in its third step here, for a row that is locked."""
    migration, holder, other = [await connect(database) for _ in range(3)]
    await other.execute(
        "INSERT INTO questions (product_id, body, asker_name, asker_email)"
        " SELECT n % 100, 'Why?', 'x', 'x' FROM generate_series(1, 2500) AS n"
    )
    await other.execute("UPDATE question_summaries SET opening = NULL")
    await other.execute("SET statement_timeout = '10s'")
    first, last = await other.fetchrow("SELECT min(id), max(id) FROM questions") or (0, 0)
    async with holder.transaction():
        await holder.execute(
            "SELECT FROM question_summaries WHERE question_id = $1 FOR UPDATE", last
        )
        filling = asyncio.create_task(migration.execute(_migration("fill_summary_texts")))
        filled = "SELECT count(*) >= 2000 FROM question_summaries WHERE opening IS NOT NULL"
        await until(lambda: other.fetchval(filled))
        await other.execute("UPDATE questions SET body = 'Really?' WHERE id = $1", first)
        text = "SELECT opening FROM question_summaries WHERE question_id = $1"
        assert "Really?" in await other.fetchval(text, first)
        assert not filling.done()
    await filling
    assert await other.fetch(_DIFFERENT_SUMMARIES) == []
    for connection in (migration, holder, other):
        await connection.close()


async def test_votes_before_a_migration_has_reached_their_documents_are_in_them_afterwards(
    database: str,
) -> None:
    connection = await connect(database)
    data = Data(connection)
    question = await data.question(1)
    answers = [await data.answer(question) for _ in range(2)]
    await connection.execute("UPDATE question_documents SET answer_ids = NULL, answer_ranks = NULL")
    assert await vote(connection, ("answer", answers[1])) == {1}
    await connection.execute(_migration("fill_answer_ranks"))
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    await connection.close()


async def test_votes_of_one_batch_are_in_their_documents_whatever_is_hidden(database: str) -> None:
    connection = await connect(database)
    data = Data(connection)
    visible, hidden = await data.question(1), await data.question(1, reported=True)
    answers = [await data.answer(visible) for _ in range(2)]
    of_hidden = await data.answer(hidden)
    await connection.execute("UPDATE answers SET reported = true WHERE id = $1", answers[1])
    votes = [("answer", each) for each in (answers[0], of_hidden, *answers)]
    others = [("question", visible), ("answer", 10**15), ("question", hidden)]
    counted = await vote(connection, *others, *votes, times=2)
    assert counted == {1, 3, 4, 5, 6, 7}
    rows = await connection.fetch("SELECT helpful FROM answers ORDER BY id")
    assert [row["helpful"] for row in rows] == [4, 2, 2]
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    await connection.execute("UPDATE answers SET reported = false")
    await connection.execute("UPDATE questions SET reported = false")
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    await connection.close()


async def test_a_vote_leaves_the_rest_of_its_transaction_to_the_triggers(database: str) -> None:
    connection = await connect(database)
    data = Data(connection)
    question = await data.question(1)
    answer = await data.answer(question)
    async with connection.transaction():
        await vote(connection, ("answer", answer), ("question", question))
        await connection.execute("UPDATE answers SET helpful = 70, body = 'changed'")
        await connection.execute("UPDATE questions SET helpful = 80")
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answers SET body = 'changed' WHERE id = {other}",
        "UPDATE answers SET helpful = 7 WHERE id = {other}",
        "DELETE FROM answers WHERE id = {other}",
        "UPDATE questions SET body = 'changed'",
        "UPDATE questions SET helpful = 7",
        "UPDATE questions SET reported = NOT reported",
    ],
)
@pytest.mark.parametrize("is_hidden", [False, True])
async def test_a_writer_does_not_undo_an_uncommitted_vote_on_an_answer(
    database: str, statement: str, *, is_hidden: bool
) -> None:
    voter, writer, observer = [await connect(database) for _ in range(3)]
    data = Data(writer)
    question = await data.question(1, reported=is_hidden)
    answer, other = await data.answer(question), await data.answer(question)
    async with voter.transaction():
        assert await vote(voter, ("answer", answer)) == {1}
        writing = asyncio.create_task(writer.execute(statement.format(other=other)))
        waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
        await until(lambda: observer.fetchval(waiting, writer.get_server_pid()))
    await writing
    assert await observer.fetch(DIFFERENT_DOCUMENTS) == []
    for connection in (voter, writer, observer):
        await connection.close()


_MARKS = (
    *(
        '"question_helpfulness":7,',
        '"helpfulness":7,"photos":[',
        '"1":{"id":1,',
        '\\","helpfulness":',
    ),
    *('"', "\\", ",", ":", "{", "}", "é", "😀", "\n", "\\u0022"),
)


async def test_no_text_can_corrupt_the_vote_count(database: str) -> None:
    connection, draw = await connect(database), random.Random(5)
    data = Data(connection)

    def text() -> str:
        return "".join(draw.choices(_MARKS, k=draw.randrange(1, 8)))

    questions = [await data.question(1, body=text(), name=text()) for _ in range(40)]
    answers = [
        await data.answer(draw.choice(questions), body=text(), name=text(), photos=[text()])
        for _ in range(80)
    ]
    for _ in range(120):
        table, ids = draw.choice([("questions", questions), ("answers", answers)])
        await connection.execute(
            f"UPDATE {table} SET helpful = $1 WHERE id = ANY ($2)",  # noqa: S608 - fixed names
            draw.choice([0, 9, 10, 12345, 2147483647]),
            draw.sample(ids, draw.randrange(1, 4)),
        )
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    assert await connection.fetch(_DIFFERENT_SUMMARIES) == []
    await connection.close()


async def test_a_vote_on_an_answer_writes_to_none_of_the_answers_indexes(database: str) -> None:
    connection = await connect(database)
    data = Data(connection)
    answer = await data.answer(await data.question(1))
    async with connection.transaction():
        await connection.execute(
            "SELECT count_votes("
            "'{answer}', array[$1::bigint], '{helpful}', '{1}', '{NULL}', '{NULL}', '1 day')",
            answer,
        )
        updates = await connection.fetch(
            "SELECT pg_stat_get_xact_tuples_updated(a), pg_stat_get_xact_tuples_hot_updated(a)"
            " FROM CAST('answers' AS regclass) AS a"
        )
    assert [tuple(row) for row in updates] == [(1, 1)]
    await connection.close()


@pytest.mark.parametrize("questions", [1, 5])
async def test_posts_and_votes_read_the_answers_of_their_questions_alone(
    database: str, questions: int
) -> None:
    connection = await connect(database)
    await connection.execute(
        "INSERT INTO questions (product_id, body, asker_name, asker_email)"
        " SELECT n, 'Why?', 'x', 'x' FROM generate_series(1, 3000) AS n"
    )
    add = (
        "INSERT INTO answers (question_id, body, answerer_name, answerer_email)"
        " SELECT id, 'So.', 'x', 'x' FROM questions ORDER BY id DESC LIMIT $1"
    )
    count = (
        "UPDATE answers SET helpful = helpful + 1 WHERE question_id IN"
        " (SELECT id FROM questions ORDER BY id DESC LIMIT $1)"
    )
    await connection.execute(add, 3000)
    await connection.execute("ANALYZE")
    for change in (add, count):
        assert await _answers_read_by(change, questions, database) < 100
    assert await connection.fetch(DIFFERENT_DOCUMENTS) == []
    await connection.close()


async def _answers_read_by(statement: str, argument: int, database: str) -> int:
    """Return how many rows of answers a statement reads, in a connection of its own."""
    connection = await connect(database)
    async with connection.transaction():
        await connection.execute(statement, argument)
        read = await connection.fetchval(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relid = CAST('answers' AS regclass)"
        )
    await connection.close()
    return int(read)


async def test_deadlock_with_another_session_is_hidden_from_clients(service: Cluster) -> None:
    session = await connect(service.database)
    data = Data(session)
    product_id = new_product_id()
    first, second = await data.question(product_id), await data.question(product_id)
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        transaction = session.transaction()
        await transaction.start()
        await session.execute("UPDATE questions SET helpful = 5 WHERE id = $1", second)
        votes = [
            asyncio.create_task(client.put(f"/qa/questions/{question}/helpful"))
            for question in (first, second, first, second)
        ]
        await asyncio.sleep(0.2)
        try:
            await session.execute("UPDATE questions SET helpful = 5 WHERE id = $1", first)
            await transaction.commit()
        except asyncpg.DeadlockDetectedError:
            await transaction.rollback()
        assert {(await vote).status_code for vote in votes} == {204}
    assert await session.fetch(DIFFERENT_DOCUMENTS) == []
    await session.close()

"""Writers of the same questions wait for each other, never in a circle, and undo nothing."""

import asyncio
import random

import asyncpg
import pytest

from atelier.store.connections.database import connect
from tests.store.moderators import Moderator, moderator
from tests.store.voting import vote
from tests.support.data import Data
from tests.support.waiting import until
from tests.transfer.exports import assert_documents_are_current

_VOTE_OF = (
    "SELECT count(*) FROM count_votes_once(ARRAY[$1], ARRAY[$2::bigint], '{helpful}', '{NULL}',"
    " '{NULL}', '{NULL}', ARRAY[$3::bytea], ARRAY[$3::bytea], 3, false, '1 day')"
)
_TAKE_BACK = (
    "SELECT take_back_vote($1, $2, ARRAY[$3::bytea], ARRAY[$3::bytea], NULL, NULL, '1 day')"
)


async def _set_votes(connection: asyncpg.Connection, answer: int) -> None:
    await connection.execute("UPDATE answers SET helpful = 1 WHERE id = $1", answer)


async def test_a_vote_on_an_answer_writes_nothing_to_its_question(database: str) -> None:
    connection = await connect(database)
    data = Data(connection)
    answer = await data.answer(await data.question(1))
    before = await connection.fetchrow("SELECT xmin, xmax, ctid FROM questions")
    await vote(connection, ("answer", answer))
    assert await connection.fetchrow("SELECT xmin, xmax, ctid FROM questions") == before
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        """INSERT INTO answers (question_id, body, answerer_name, answerer_email)
           SELECT id, 'No.', 'x', 'x' FROM questions""",
        "UPDATE answers SET helpful = 7 WHERE id <> {answer}",
        "UPDATE answers SET reported = NOT reported WHERE id <> {answer}",
        "DELETE FROM answers WHERE id <> {answer}",
        "UPDATE questions SET body = 'changed'",
        "UPDATE questions SET reported = NOT reported WHERE id = {question}",
        "DELETE FROM questions WHERE id = {question}",
    ],
)
@pytest.mark.parametrize("is_hidden", [False, True])
@pytest.mark.parametrize("is_plain", [False, True])
async def test_a_vote_on_an_answer_waits_for_a_writer_and_both_are_in_the_document(
    database: str, statement: str, *, is_hidden: bool, is_plain: bool
) -> None:
    voter, writer, observer = [await connect(database) for _ in range(3)]
    data = Data(writer)
    question = await data.question(1, reported=is_hidden)
    answer, _ = await data.answer(question), await data.answer(question)
    await data.question(2)
    async with writer.transaction():
        await writer.execute(statement.format(question=question, answer=answer))
        voting = asyncio.create_task(
            _set_votes(voter, answer) if is_plain else vote(voter, ("answer", answer))
        )
        waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
        await until(lambda: observer.fetchval(waiting, voter.get_server_pid()))
    await voting
    votes = await observer.fetchval("SELECT helpful FROM answers WHERE id = $1", answer)
    assert votes == (None if "DELETE FROM questions" in statement else 1)
    await assert_documents_are_current(database)
    for connection in (voter, writer, observer):
        await connection.close()


async def test_writers_of_the_same_posts_in_any_order_never_wait_in_a_circle(
    database: str,
) -> None:
    async with moderator(database) as anna:
        questions = [await anna.data.question(1) for _ in range(3)]
        questions.append(await anna.data.question(1, reported=True))
        answers = [await anna.data.answer(each) for each in questions for _ in range(3)]
        posts = [("question", each) for each in questions] + [("answer", each) for each in answers]
        changing, *voters = [await connect(database) for _ in range(5)]
        await asyncio.gather(
            *(_vote_often(voter, posts, seed) for seed, voter in enumerate(voters)),
            _change_mind_often(changing, posts),
            _hide_often(anna, answers),
        )
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        for voter in (changing, *voters):
            await voter.execute("SELECT pg_stat_force_next_flush()")
            await voter.close()
        assert await anna.connection.fetchval(deadlocks) == 0
    await assert_documents_are_current(database)


async def _vote_often(
    connection: asyncpg.Connection, posts: list[tuple[str, int]], seed: int
) -> None:
    draw = random.Random(seed)
    for _ in range(150):
        await vote(connection, *draw.sample(posts, 6))


async def _change_mind_often(connection: asyncpg.Connection, posts: list[tuple[str, int]]) -> None:
    draw, person = random.Random(7), b"0123456789abcdef"
    for _ in range(150):
        post = draw.choice(posts)
        await connection.fetchval(_VOTE_OF, *post, person)
        await connection.fetchval(_TAKE_BACK, *post, person)


async def _hide_often(anna: Moderator, answers: list[int]) -> None:
    draw = random.Random(9)
    for _ in range(150):
        answer = draw.choice(answers)
        await vote(anna.connection, ("answer", answer), action="report")
        await anna.decide("restore", "answer", answer)

"""The cost of the change feed on a post: `python -m bench.change_feed DATABASE_URL`.

Posts questions and answers to a migrated database in alternating rounds, with and without the
triggers that record events, and prints the time of a statement and the ratio. Adds rows.
"""

import asyncio
import sys
from statistics import quantiles
from time import perf_counter

import asyncpg

from atelier.store.connections.database import connect
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_ROUNDS = 30
_POSTS = 40
_NO_CLAIM = (None, None, None, None, None, None, None, None, None)
_TRIGGERS = (
    ("questions", "record_inserted_questions"),
    ("answers", "record_inserted_answers"),
    ("photos", "record_inserted_photos"),
)


async def measure(database_url: str) -> None:
    """Measure all kinds of posts and print a line for each."""
    connection = await connect(database_url)
    question = await connection.fetchval(
        "INSERT INTO questions (product_id, body, asker_name, asker_email)"
        " VALUES (1, 'Why?', 'jane', 'jane@example.com') RETURNING id"
    )
    text = ("Because it is.", "joe", "joe@example.com")
    posts = {
        "question": ("add_question", (2, *text, *_NO_CLAIM)),
        "answer": ("add_answer", (question, *text, [], *_NO_CLAIM)),
        "answer with two photos": (
            "add_answer",
            (question, *text, ["https://a.b/1", "https://a.b/2"], *_NO_CLAIM),
        ),
    }
    for name, (query, values) in posts.items():
        without, recorded = [], []
        for _ in range(_ROUNDS):
            await _set_triggers(connection, "DISABLE")
            without.append(await _time(connection, query, values))
            await _set_triggers(connection, "ENABLE")
            recorded.append(await _time(connection, query, values))
        print(_line(name, without, recorded))  # noqa: T201 - the result
    await connection.close()


async def _set_triggers(connection: asyncpg.Connection, action: str) -> None:
    for table, trigger in _TRIGGERS:
        await connection.execute(f"ALTER TABLE {table} {action} TRIGGER {trigger}")
    await connection.execute("DELETE FROM answers")  # or its question's document would grow


async def _time(connection: asyncpg.Connection, query: str, values: tuple[object, ...]) -> float:
    """Return the microseconds of a statement."""
    statement = await connection.prepare(_QUERIES[query])
    started = perf_counter()
    for _ in range(_POSTS):
        await statement.fetch(*values)
    return (perf_counter() - started) / _POSTS * 1e6


def _line(name: str, without: list[float], recorded: list[float]) -> str:
    ratios = [b / a for a, b in zip(without, recorded, strict=True)]
    low, median, high = quantiles(ratios, n=4)
    times = (quantiles(each, n=4)[1] for each in (without, recorded))
    before, after = (f"{time:.0f} µs" for time in times)
    return f"| {name} | {before} | {after} | {median:.2f} ({low:.2f}-{high:.2f}) |"


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1]))

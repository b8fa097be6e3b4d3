"""One person's posts are found and erased in all tables, documents included."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from atelier.store import privacy
from atelier.store.connections.database import connect
from atelier.store.privacy import Mode
from tests.support.cluster import Cluster
from tests.support.data import Data, new_product_id
from tests.transfer.exports import (
    assert_documents_are_current,
    load,
    write_export,
)

JANE = "jane.doe@example.com"
OTHER = "other@example.com"


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def erase(connection: asyncpg.Connection, mode: Mode, email: str = JANE) -> privacy.Erased:
    found = await privacy.find(connection, email)
    return await privacy.erase(connection, email, found, mode, done_by="tester@host")


async def everything(connection: asyncpg.Connection) -> str:
    """Return all rows of all tables as text."""
    tables = (
        *("questions", "answers", "photos", "question_documents", "idempotency_keys", "erasures"),
        "edited_texts",
    )
    rows = [await connection.fetch(f"SELECT * FROM {table}") for table in tables]  # noqa: S608
    return repr(rows)


@pytest.mark.parametrize(
    ("stored", "given", "is_match"),
    [
        ("Jane.Doe@Example.COM", "jane.doe@example.com", True),
        (" jane@example.com\t", "jane@example.com", True),
        ("jane@example.com", "  JANE@EXAMPLE.COM\n", True),
        ("Zoe\u0308@example.com", "zo\u00eb@example.com", True),
        ("ZO\u00cb@example.com", "zoe\u0308@example.com", True),
        ("\u00c4\u00d6@\u00dc.com", "\u00e4\u00f6@\u00fc.com", True),
        ("janexdoe@example.com", "jane.doe@example.com", False),
        ("janexdoe@example.com", "jane_doe@example.com", False),
        ("mary.jane@example.com", "jane@example.com", False),
        ("jane@example.com.au", "jane@example.com", False),
        ("zoe@example.com", "zo\u00eb@example.com", False),
    ],
)
async def test_address_search_ignores_case_whitespace_and_normal_form(
    connection: asyncpg.Connection,
    stored: str,
    given: str,
    is_match: bool,  # noqa: FBT001 - a test parameter
) -> None:
    data = Data(connection)
    question = await data.question(1, email=stored)
    answer = await data.answer(question, email=stored)
    found = await privacy.find(connection, given)
    expected = ([question], [answer]) if is_match else ([], [])
    assert (found.questions, list(found.answers)) == expected


async def _insert_posts(connection: asyncpg.Connection) -> dict[str, int]:
    data = Data(connection)
    hers = await data.question(1, body="Jane asks", name="Jane Doe", email=JANE)
    lonely = await data.question(1, body="Jane alone", name="Jane Doe", email=JANE.upper())
    theirs = await data.question(2, body="Another asks", name="Other", email=OTHER)
    return {
        "hers": hers,
        "lonely": lonely,
        "theirs": theirs,
        "by_her": await data.answer(
            theirs, body="Jane answers", name="Jane Doe", email=JANE, photos=["https://j.doe/1"]
        ),
        "by_other": await data.answer(hers, body="Another answers", name="Other", email=OTHER),
        "by_third": await data.answer(theirs, body="A third", name="Third", email=OTHER),
    }


@pytest.mark.parametrize(
    ("mode", "erased", "kept"),
    [
        (Mode.ANONYMIZE, ["Jane", JANE, "j.doe"], {"hers", "lonely", "by_her", "by_other"}),
        (Mode.KEEP_TEXTS, ["Jane Doe", JANE], {"hers", "lonely", "by_her", "by_other"}),
        (Mode.DELETE, ["Jane", JANE, "j.doe"], {"hers", "by_other"}),
        (Mode.DELETE_ALL, ["Jane", JANE, "j.doe", "Another answers"], set()),
    ],
)
async def test_erased_person_is_in_no_table_and_others_are_unchanged(
    database: str,
    connection: asyncpg.Connection,
    mode: Mode,
    erased: list[str],
    kept: set[str],
) -> None:
    ids = await _insert_posts(connection)
    for decision, (target, name) in enumerate(
        [("question", "hers"), ("answer", "by_her"), ("answer", "by_third")], 1
    ):
        await connection.execute(
            "INSERT INTO edited_texts VALUES ($1, $2, $3, $4, 'new')",
            decision,
            target,
            ids[name],
            "I was Jane Doe" if name != "by_third" else "A third, before",
        )
    await erase(connection, mode)
    text = await everything(connection)
    assert [value for value in erased if value.lower() in text.lower()] == []
    assert ("Jane asks" in text) == (mode is Mode.KEEP_TEXTS)
    assert all(value in text for value in ("Another asks", "A third, before", OTHER))
    questions = set(await connection.fetchval("SELECT array_agg(id) FROM questions"))
    answers = set(await connection.fetchval("SELECT array_agg(id) FROM answers"))
    assert questions == {
        ids[name] for name in {*kept, "theirs"} if name in ("hers", "lonely", "theirs")
    }
    assert answers == {ids[name] for name in {*kept, "by_third"} if name.startswith("by_")}
    await assert_documents_are_current(database)


async def test_erasure_is_recorded_with_counts_but_without_identity(
    connection: asyncpg.Connection,
) -> None:
    await _insert_posts(connection)
    assert await erase(connection, Mode.ANONYMIZE) == privacy.Erased(2, 1, 1, 0)
    row = await Data(connection).row("SELECT * FROM erasures")
    assert row.pop("erased_at") is not None
    assert row == {
        "id": 1,
        "done_by": "tester@host",
        "mode": "anonymized",
        "questions": 2,
        "answers": 1,
        "photos": 1,
        "keys": 0,
    }
    assert not (await privacy.find(connection, JANE)).affected


async def test_export_contains_all_of_a_person_and_nothing_of_others(
    connection: asyncpg.Connection,
) -> None:
    ids = await _insert_posts(connection)
    await connection.execute(
        "INSERT INTO edited_texts VALUES"
        " (1, 'answer', $1, 'Jane answered', 'Jane answers'), (2, 'answer', $2, 'Other', 'Others')",
        ids["by_her"],
        ids["by_other"],
    )
    posts = await privacy.posts(connection, await privacy.find(connection, JANE))
    assert [post["question_id"] for post in posts["questions"]] == [ids["hers"], ids["lonely"]]
    assert posts["answers"] == [
        {
            "answer_id": ids["by_her"],
            "question_id": ids["theirs"],
            "product_id": 2,
            "body": "Jane answers",
            "date": "2018-10-18T00:00:00.000Z",
            "name": "Jane Doe",
            "email": JANE,
            "helpfulness": 0,
            "reported": False,
            "photos": ["https://j.doe/1"],
            "old_texts": ["Jane answered"],
        }
    ]
    assert not any(value in json.dumps(posts) for value in ("Other", OTHER, "Another", "A third"))


async def test_retried_post_of_an_erased_person_is_not_repeated_and_reveals_nothing(
    service: Cluster,
) -> None:
    email, product = f"jane{new_product_id()}@example.com", new_product_id()
    question = {"body": "Does it fit?", "name": "Jane", "email": email, "product_id": product}
    keys = [{"Idempotency-Key": f"order-{product}"}, {"Idempotency-Key": f"{email}-1"}]
    connection = await connect(service.database)
    async with httpx.AsyncClient(base_url=service.base_url) as client:
        await client.post("/qa/questions", json=question, headers=keys[0])
        assert (await erase(connection, Mode.DELETE, email)).questions == 1
        for sent in (question, question | {"body": "Another?"}):
            again = await client.post("/qa/questions", json=sent, headers=keys[0])
            assert (again.status_code, again.text) == (201, "Created")
            assert again.headers["idempotency-replayed"] == "true"
        page = await client.get("/qa/questions", params={"product_id": product})
        assert page.json()["results"] == []
        await client.post("/qa/questions", json=question, headers=keys[1])
        await erase(connection, Mode.DELETE, email)
    stored = await connection.fetch("SELECT key, fingerprint FROM idempotency_keys")
    assert (f"order-{product}", b"") in [tuple(row) for row in stored]
    assert not [row for row in stored if email in row["key"]]
    await connection.close()


async def test_digests_of_erased_texts_are_deleted(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await Data(connection).question(1, email=JANE)
        await connection.execute("UPDATE questions SET date_written = DEFAULT")
        await connection.execute("INSERT INTO recent_texts VALUES (1, 'jane')")
    await connection.execute("INSERT INTO recent_texts VALUES (1, 'other', now() - '1h'::interval)")
    await erase(connection, Mode.ANONYMIZE)
    rows = await connection.fetch("SELECT digest FROM recent_texts")
    assert [row["digest"] for row in rows] == [b"other"]


async def test_pages_and_votes_are_served_during_a_large_erasure(service: Cluster) -> None:
    connection = await connect(service.database)
    product, email = new_product_id(), f"large{new_product_id()}@example.com"
    ids = await connection.fetch(
        "INSERT INTO questions (product_id, body, asker_name, asker_email)"
        " SELECT $1, 'Large?', 'Large', $2 FROM generate_series(1, 1500) RETURNING id",
        product,
        email,
    )
    await connection.execute(
        "INSERT INTO answers (question_id, body, answerer_name, answerer_email)"
        " SELECT id, 'Large!', 'Large', $2 FROM questions WHERE product_id = $1",
        product,
        email,
    )
    statuses: list[int] = []
    done = asyncio.Event()

    async def vote_and_read(client: httpx.AsyncClient, number: int) -> None:
        """Vote in a different order from the erasure's, and read pages."""
        while not done.is_set():
            question = ids[-1 - number % len(ids)]["id"]
            answers: list[Any] = [
                await client.put(f"/qa/questions/{question}/helpful"),
                await client.get("/qa/questions", params={"product_id": product}),
            ]
            statuses.extend(answer.status_code for answer in answers)
            number += 7

    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        clients = [asyncio.create_task(vote_and_read(client, number)) for number in range(8)]
        erased = await erase(connection, Mode.ANONYMIZE, email)
        done.set()
        await asyncio.gather(*clients)
    assert (erased.questions, erased.answers) == (1500, 1500)
    assert set(statuses) == {200, 204}
    votes = await connection.fetchval(
        "SELECT sum(helpful) FROM questions WHERE product_id = $1", product
    )
    assert votes == statuses.count(204)
    await assert_documents_are_current(service.database)
    await connection.close()


async def test_erasure_is_retried_after_a_deadlock(
    database: str, connection: asyncpg.Connection
) -> None:
    data, other = Data(connection), await connect(database)
    first, last = [await data.question(1, email=JANE) for _ in range(2)]
    await other.execute("SET deadlock_timeout = '1min'")  # so that the erasure is aborted
    lock = "SELECT FROM questions WHERE id = $1 FOR UPDATE"
    transaction = other.transaction()
    await transaction.start()
    await other.execute(lock, last)
    erasing = asyncio.create_task(erase(connection, Mode.ANONYMIZE))
    await asyncio.sleep(0.2)
    await other.execute(lock, first)
    await transaction.rollback()
    assert (await erasing).questions == 2
    await other.close()


async def test_record_of_erasures_survives_import_replace(
    database: str,
    connection: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    await erase(connection, Mode.DELETE, "a@example.com")
    before = await connection.fetch("SELECT * FROM erasures")
    await load(database, folder, replace=True)
    assert await connection.fetch("SELECT * FROM erasures") == before != []
    assert (await privacy.find(connection, "a@example.com")).affected, "the export has them"
    await erase(connection, Mode.DELETE, "a@example.com")
    assert await connection.fetchval("SELECT count(*) FROM erasures") == 2

"""One person's posts are found and erased: everywhere, together with their documents."""

import asyncio
import json
from collections.abc import AsyncIterator
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
    tables = ("questions", "answers", "photos", "question_documents", "idempotency_keys")
    rows = [await connection.fetch(f"SELECT * FROM {table}") for table in (*tables, "erasures")]  # noqa: S608
    return repr(rows)


@pytest.mark.parametrize(
    ("stored", "sought", "same"),
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
async def test_an_address_is_found_whatever_its_case_form_and_spaces_and_no_other_one(
    connection: asyncpg.Connection,
    stored: str,
    sought: str,
    same: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    data = Data(connection)
    question = await data.question(1, email=stored)
    answer = await data.answer(question, email=stored)
    found = await privacy.find(connection, sought)
    assert (found.questions, list(found.answers)) == (([question], [answer]) if same else ([], []))


async def _jane_and_others(connection: asyncpg.Connection) -> dict[str, int]:
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
    ("mode", "gone", "left"),
    [
        (Mode.ANONYMIZE, ["Jane", JANE, "j.doe"], {"hers", "lonely", "by_her", "by_other"}),
        (Mode.KEEP_TEXTS, ["Jane Doe", JANE], {"hers", "lonely", "by_her", "by_other"}),
        (Mode.DELETE, ["Jane", JANE, "j.doe"], {"hers", "by_other"}),
        (Mode.DELETE_ALL, ["Jane", JANE, "j.doe", "Another answers"], set()),
    ],
)
async def test_an_erased_person_is_in_no_table_and_others_are_as_they_were(
    database: str,
    connection: asyncpg.Connection,
    mode: Mode,
    gone: list[str],
    left: set[str],
) -> None:
    ids = await _jane_and_others(connection)
    await erase(connection, mode)
    text = await everything(connection)
    assert [each for each in gone if each.lower() in text.lower()] == []
    assert ("Jane asks" in text) == (mode is Mode.KEEP_TEXTS)
    assert all(each in text for each in ("Another asks", "A third", OTHER))
    questions = set(await connection.fetchval("SELECT array_agg(id) FROM questions"))
    answers = set(await connection.fetchval("SELECT array_agg(id) FROM answers"))
    assert questions == {
        ids[each] for each in {*left, "theirs"} if each in ("hers", "lonely", "theirs")
    }
    assert answers == {ids[each] for each in {*left, "by_third"} if each.startswith("by_")}
    await assert_documents_are_current(database)


async def test_what_was_erased_is_counted_and_noted_without_saying_whose_it_was(
    connection: asyncpg.Connection,
) -> None:
    await _jane_and_others(connection)
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
    assert not (await privacy.find(connection, JANE)).touched


async def test_all_of_a_person_is_shown_and_nothing_of_others(
    connection: asyncpg.Connection,
) -> None:
    ids = await _jane_and_others(connection)
    posts = await privacy.posts(connection, await privacy.find(connection, JANE))
    assert [each["question_id"] for each in posts["questions"]] == [ids["hers"], ids["lonely"]]
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
        }
    ]
    assert not any(each in json.dumps(posts) for each in ("Other", OTHER, "Another", "A third"))


async def test_a_repeated_post_of_an_erased_person_is_neither_done_again_nor_tells_anything(
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
    held = await connection.fetch("SELECT key, fingerprint FROM idempotency_keys")
    assert (f"order-{product}", b"") in [tuple(row) for row in held]
    assert not [row for row in held if email in row["key"]]
    await connection.close()


async def test_pages_and_votes_go_on_while_a_large_person_is_erased(service: Cluster) -> None:
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

    async def shop(client: httpx.AsyncClient, number: int) -> None:
        """Vote on her questions in another order than the erasure's, and read."""
        while not done.is_set():
            question = ids[-1 - number % len(ids)]["id"]
            answers: list[Any] = [
                await client.put(f"/qa/questions/{question}/helpful"),
                await client.get("/qa/questions", params={"product_id": product}),
            ]
            statuses.extend(answer.status_code for answer in answers)
            number += 7

    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        shoppers = [asyncio.create_task(shop(client, number)) for number in range(8)]
        erased = await erase(connection, Mode.ANONYMIZE, email)
        done.set()
        await asyncio.gather(*shoppers)
    assert (erased.questions, erased.answers) == (1500, 1500)
    assert set(statuses) == {200, 204}
    votes = await connection.fetchval(
        "SELECT sum(helpful) FROM questions WHERE product_id = $1", product
    )
    assert votes == statuses.count(204)
    await assert_documents_are_current(service.database)
    await connection.close()


async def test_an_erasure_after_a_deadlock_with_a_stranger_goes_on(
    database: str, connection: asyncpg.Connection
) -> None:
    data, stranger = Data(connection), await connect(database)
    first, last = [await data.question(1, email=JANE) for _ in range(2)]
    await stranger.execute("SET deadlock_timeout = '1min'")  # so that it is not the one who ends
    lock = "SELECT FROM questions WHERE id = $1 FOR UPDATE"
    transaction = stranger.transaction()
    await transaction.start()
    await stranger.execute(lock, last)
    erasing = asyncio.create_task(erase(connection, Mode.ANONYMIZE))
    await asyncio.sleep(0.2)
    await stranger.execute(lock, first)
    await transaction.rollback()
    assert (await erasing).questions == 2
    await stranger.close()


async def test_the_record_survives_an_import_that_swaps_the_schemas(
    database: str,
    connection: asyncpg.Connection,
    tmp_path: Any,  # noqa: ANN401
) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    await erase(connection, Mode.DELETE, "a@example.com")
    before = await connection.fetch("SELECT * FROM erasures")
    await load(database, folder, replace=True)
    assert await connection.fetch("SELECT * FROM erasures") == before != []
    assert (await privacy.find(connection, "a@example.com")).touched, "the export has them"
    await erase(connection, Mode.DELETE, "a@example.com")
    assert await connection.fetchval("SELECT count(*) FROM erasures") == 2

"""Guards against unwanted posts: two instances that have all of them, behind nginx."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from atelier.http.qa.spam import BlockedWords, SpamGuards, folded
from atelier.store.connections.database import Database, connect
from atelier.store.writes import Key, Outcome, Writer
from tests.contract.api import (
    ADD_ANSWER,
    ADD_QUESTION,
    NEW_ANSWER,
    NEW_QUESTION,
    answers,
    questions,
    refusal,
)
from tests.contract.conftest import Shop
from tests.contract.posts import post
from tests.contract.test_idempotency import with_key
from tests.support.cluster import Cluster, cluster
from tests.support.data import Data, new_product_id

WORDS = """\
# No word of this line is blocked.
casino
cheap  watches  # a phrase

пример
"""
REPEATED = "body: was posted on this product shortly before"


@pytest.fixture(scope="module")
def guarded(service: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    words = tmp_path_factory.mktemp("spam") / "words.txt"
    words.write_text(WORDS, encoding="utf-8")
    settings = {
        "ATELIER_SPAM_REPEAT_MINUTES": "5",
        "ATELIER_SPAM_MAX_LINKS": "2",
        "ATELIER_SPAM_WORDS_FILE": str(words),
        "ATELIER_SPAM_HONEYPOT": "website",
    }
    with cluster(service.database, instances=2, **settings) as running:
        yield running


@pytest.fixture(scope="module")
async def shopper(guarded: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=guarded.base_url, timeout=30) as client:
        yield client


@pytest.fixture
async def instances(guarded: Cluster) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Return a client of each instance, past nginx."""
    clients = [
        httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(path)),
            base_url="http://instance",
            timeout=30,
        )
        for path in guarded.sockets
    ]
    yield clients
    for each in clients:
        await each.aclose()


def wide(text: str) -> str:
    """Return an ASCII text in the characters that Japanese has for it."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def refused(what: str, reason: str) -> tuple[int, str]:
    return 422, f"Error: {what} body contains invalid entries: {reason}"


async def test_of_one_text_posted_at_once_through_all_instances_one_is_taken(
    instances: list[httpx.AsyncClient], shop: Shop, what: str
) -> None:
    posts = [post(each, shop, what, name=f"n{n}") for n in range(10) for each in instances]
    responses = await asyncio.gather(*posts)
    assert Counter(response.status_code for response in responses) == {201: 1, 422: 19}
    said = {response.text for response in responses if response.status_code == 422}
    assert said == {refused(what, REPEATED)[1]}
    found = await questions(instances[0], shop.product_id, count=100)
    assert len(found) + sum(len(each["answers"]) for each in found) == 3  # two are the shop's


async def test_a_text_differs_by_more_than_its_look_and_is_taken_on_another_product(
    shopper: httpx.AsyncClient, data: Data, shop: Shop, what: str
) -> None:
    other = Shop(product := new_product_id(), await data.question(product), 0)
    assert (await post(shopper, shop, what, body="Straße  № 5, please!")).status_code == 201
    for body in ("straße № 5, please!", f" STRASSE\n\u00a0NO\u200b 5, {wide('please')}!"):
        response = await post(shopper, shop, what, body=body)
        assert refusal(response) == refused(what, REPEATED)
    assert (await post(shopper, shop, what, body="Straße № 6, please!")).status_code == 201
    assert (await post(shopper, other, what, body="Straße № 5, please!")).status_code == 201


async def test_an_answer_repeats_an_answer_to_another_question_of_the_product(
    shopper: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    sibling = await data.question(shop.product_id)
    assert (await ADD_ANSWER.call(shopper, shop.question_id, json=NEW_ANSWER)).status_code == 201
    response = await ADD_ANSWER.call(shopper, sibling, json=NEW_ANSWER)
    assert refusal(response) == refused("Answer", REPEATED)
    assert await answers(shopper, sibling) == []


async def test_a_retry_is_replayed_and_a_refused_repeat_does_not_use_its_key_up(
    shopper: httpx.AsyncClient, shop: Shop, what: str
) -> None:
    first, second = with_key(), with_key()
    fields = {**NEW_QUESTION, **NEW_ANSWER, "product_id": shop.product_id}
    route = ADD_QUESTION if what == "Question" else ADD_ANSWER

    async def send(headers: dict[str, str], **more: object) -> httpx.Response:
        json = {**fields, **more}
        return await route.call(shopper, shop.question_id, json=json, headers=headers)

    sent = await asyncio.gather(*(send(first) for _ in range(8)))
    assert {response.status_code for response in sent} == {201}
    assert sum("idempotency-replayed" in response.headers for response in sent) == 7
    assert refusal(await send(second)) == refused(what, REPEATED)
    assert refusal(await send(first, body="Else")) == (
        422,
        "Error: this Idempotency-Key was used for another request",
    )
    taken = await send(second, body="Something else")
    assert (taken.status_code, taken.headers.get("idempotency-replayed")) == (201, None)
    again = await send(second, body="Something else")
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_text_that_was_not_stored_is_not_taken_for_one_that_was(
    shopper: httpx.AsyncClient, shop: Shop
) -> None:
    """Two texts at once under one key: one is refused, and may be posted afterwards."""
    texts = [f"Text {n}" for n in range(6)]
    headers = with_key()

    async def send(body: str, headers: dict[str, str]) -> int:
        json = {**NEW_ANSWER, "body": body}
        response = await ADD_ANSWER.call(shopper, shop.question_id, json=json, headers=headers)
        return response.status_code

    statuses = await asyncio.gather(*(send(text, headers) for text in texts))
    assert Counter(statuses) == {201: 1, 422: 5}
    assert [await send(text, {}) for text in texts] == [422 if s == 201 else 201 for s in statuses]


async def test_a_text_may_be_posted_again_after_its_time_and_is_forgotten(database: str) -> None:
    pool, connection = Database(database, size=2, timeout=5), await connect(database)
    await pool.open()
    writer = Writer(pool, timedelta(hours=1), timedelta(minutes=5))
    age = "UPDATE recent_texts SET posted_at = now() - interval '301 s'"

    async def add(name: str, **more: bytes) -> Outcome:
        return await writer.add_question(1, "b", name, "e", key=Key(name, b"1"), **more)

    assert [await add(name, digest=b"d") for name in "aba"] == [
        Outcome.DONE,
        Outcome.REPEATED,
        Outcome.REPLAYED,
    ]
    await writer.forget_texts()
    await connection.execute(age)
    assert [await add(name, digest=b"d") for name in "cd"] == [Outcome.DONE, Outcome.REPEATED]
    assert await add("e") is Outcome.DONE
    await connection.execute(age)
    await Writer(pool, timedelta(hours=1)).forget_texts()  # of an instance without the guard
    assert await connection.fetchval("SELECT count(*) FROM recent_texts") == 1
    await writer.forget_texts()
    assert await connection.fetchval("SELECT count(*) FROM recent_texts") == 0
    assert await connection.fetchval("SELECT count(*) FROM questions") == 3
    await pool.close()
    await connection.close()


async def test_without_the_settings_everything_is_taken(
    client: httpx.AsyncClient, data: Data, shop: Shop, what: str
) -> None:
    body = "casino http://a.b http://a.b http://a.b cheap watches"
    for _ in range(2):
        assert (await post(client, shop, what, body=body, website="x")).status_code == 201
    assert (
        await data.connection.fetchval(
            "SELECT count(*) FROM recent_texts WHERE product_id = $1", shop.product_id
        )
        == 0
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("http://a.b https://c.d/e?f=http://g.h FTP://i.j", 4),
        ("www.example.com, (WWW.example.org)", 2),
        ("bit.ly/abc and sub.example.co.uk/x", 2),
        (wide("http://example.com") + " h\u200bttp://b.c", 2),
        ("[a](https://a.b) <a href='http://c.d'>", 2),
        ("It fits.It is 5.5 cm, and/or 1.5/2 wide; see e.g. the size chart. www. a.b jane@a.b", 0),
        ("https:// http", 0),
    ],
)
def test_links_are_counted_however_they_are_put(text: str, number: int) -> None:
    posted = {"body": text}
    assert list(SpamGuards(max_links=number).objections({}, posted)) == []
    if number:
        assert list(SpamGuards(max_links=number - 1).objections({}, posted)) == [
            f"body: must not have more than {number - 1} links"
        ]


@pytest.mark.parametrize(
    "text",
    [
        *("casino", "The CASINO!", "online-casino.example", wide("casino"), "ca\u00adsi\u200bno"),
        *("c\u0430sin\u043e", "\u0441\u0430\u0455\u0456n\u03bf", "CA51N0", "casino_casino"),
        *("Cheap watches", "cheap... WATCHES", "cheap\nwatches", "Просто ПРИМЕР"),
    ],
    ids=ascii,
)
def test_a_blocked_word_is_found_however_it_is_put(text: str) -> None:
    assert BlockedWords(WORDS.splitlines()).are_in(folded(text))


@pytest.mark.parametrize(
    "text",
    ["", "casinos", "occasino", "cheap", "watches cheap", "cheap good watches", "word", "примеры"],
)
def test_words_are_compared_whole(text: str) -> None:
    assert not BlockedWords(WORDS.splitlines()).are_in(folded(text))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"body": "www.a.bc www.d.ef www.g.hi"}, "body: must not have more than 2 links"),
        ({"body": "My Casino"}, "body: must not have words that are blocked here"),
        ({"name": "c\u0430sino"}, "name: must not have words that are blocked here"),
        ({"website": "http://a.b"}, "website: must be left empty"),
        ({"website": 0}, "website: must be left empty"),
        ({"website": []}, "website: must be left empty"),
        (
            {"website": " ", "body": "casino"},
            "website: must be left empty; body: must not have words that are blocked here",
        ),
    ],
    ids=str,
)
async def test_an_unwanted_post_is_refused_with_the_reason_and_not_stored(
    shopper: httpx.AsyncClient, shop: Shop, what: str, fields: dict[str, object], reason: str
) -> None:
    response = await post(shopper, shop, what, **fields)
    assert refusal(response) == refused(what, reason)
    [question] = await questions(shopper, shop.product_id)
    assert len(question["answers"]) == 1


@pytest.mark.parametrize("fields", [{}, {"website": ""}, {"website": None}], ids=str)
async def test_a_post_of_a_person_passes_all_guards(
    shopper: httpx.AsyncClient, shop: Shop, what: str, fields: dict[str, object]
) -> None:
    body = "See https://a.b and www.c.de"
    assert (await post(shopper, shop, what, body=body, **fields)).status_code == 201


async def test_a_form_is_held_to_the_honeypot_too(shopper: httpx.AsyncClient, shop: Shop) -> None:
    for more, status in (
        ({"website": ["a", "b"]}, 422),
        ({"website": "a"}, 422),
        ({"website": ""}, 201),
    ):
        response = await ADD_ANSWER.call(shopper, shop.question_id, data={**NEW_ANSWER, **more})
        assert response.status_code == status


def test_a_file_of_words_may_begin_with_a_mark_and_have_any_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_bytes("\ufeffone\r\ntwo three\r\n\r\n#four\r\n$$$".encode())
    words = BlockedWords.of_file(file)
    assert [words.are_in(folded(text)) for text in ("one", "two, three", "four", "$$$")] == [
        True,
        True,
        False,
        False,
    ]

"""Spam guards, on two instances with all of them enabled, behind nginx."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from atelier.http.common.writing.spam import SpamGuards
from atelier.local.postgres import roles
from atelier.settings import Settings
from atelier.store.connections.database import Database, connect
from atelier.store.moderation.matching import BlockedWords, nfkc_casefold
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
REPEATED = "body: was recently posted on this product"


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
    with cluster(service.database, instances=2, role=roles.SERVICE_ROLE, **settings) as running:
        yield running


@pytest.fixture(scope="module")
async def shopper(guarded: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=guarded.base_url, timeout=30) as client:
        yield client


@pytest.fixture
async def instances(guarded: Cluster) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Return a client for each instance that bypasses nginx."""
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


def fullwidth(text: str) -> str:
    """Return an ASCII text in fullwidth characters."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def rejection(what: str, reason: str) -> tuple[int, str]:
    return 422, f"Error: {what} body contains invalid entries: {reason}"


async def test_text_posted_concurrently_through_all_instances_is_stored_once(
    instances: list[httpx.AsyncClient], shop: Shop, what: str
) -> None:
    posts = [post(each, shop, what, name=f"n{n}") for n in range(10) for each in instances]
    responses = await asyncio.gather(*posts)
    assert Counter(response.status_code for response in responses) == {201: 1, 422: 19}
    errors = {response.text for response in responses if response.status_code == 422}
    assert errors == {rejection(what, REPEATED)[1]}
    found = await questions(instances[0], shop.product_id, count=100)
    assert len(found) + sum(len(each["answers"]) for each in found) == 3  # two belong to the shop


async def test_repeats_are_compared_casefolded_and_per_product(
    shopper: httpx.AsyncClient, data: Data, shop: Shop, what: str
) -> None:
    other = Shop(product := new_product_id(), await data.question(product), 0)
    assert (await post(shopper, shop, what, body="Straße  № 5, please!")).status_code == 201
    for body in ("straße № 5, please!", f" STRASSE\n\u00a0NO\u200b 5, {fullwidth('please')}!"):
        response = await post(shopper, shop, what, body=body)
        assert refusal(response) == rejection(what, REPEATED)
    assert (await post(shopper, shop, what, body="Straße № 6, please!")).status_code == 201
    assert (await post(shopper, other, what, body="Straße № 5, please!")).status_code == 201


async def test_answer_repeated_on_another_question_of_the_product_is_rejected(
    shopper: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    sibling = await data.question(shop.product_id)
    assert (await ADD_ANSWER.call(shopper, shop.question_id, json=NEW_ANSWER)).status_code == 201
    response = await ADD_ANSWER.call(shopper, sibling, json=NEW_ANSWER)
    assert refusal(response) == rejection("Answer", REPEATED)
    assert await answers(shopper, sibling) == []


async def test_retry_is_replayed_and_rejected_repeat_releases_its_key(
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
    assert refusal(await send(second)) == rejection(what, REPEATED)
    assert refusal(await send(first, body="Else")) == (
        422,
        "Error: this Idempotency-Key was used for another request",
    )
    stored = await send(second, body="Something else")
    assert (stored.status_code, stored.headers.get("idempotency-replayed")) == (201, None)
    again = await send(second, body="Something else")
    assert again.headers["idempotency-replayed"] == "true"


async def test_text_of_a_rejected_post_can_be_posted_later(
    shopper: httpx.AsyncClient, shop: Shop
) -> None:
    """Of concurrent posts with one key, the rejected ones do not claim their texts."""
    texts = [f"Text {n}" for n in range(6)]
    headers = with_key()

    async def send(body: str, headers: dict[str, str]) -> int:
        json = {**NEW_ANSWER, "body": body}
        response = await ADD_ANSWER.call(shopper, shop.question_id, json=json, headers=headers)
        return response.status_code

    statuses = await asyncio.gather(*(send(text, headers) for text in texts))
    assert Counter(statuses) == {201: 1, 422: 5}
    assert [await send(text, {}) for text in texts] == [422 if s == 201 else 201 for s in statuses]


async def test_digest_expires_after_the_repeat_window_and_is_deleted(database: str) -> None:
    pool, connection = Database(database, size=2, timeout=5), await connect(database)
    await pool.open()
    writer = Writer(pool, timedelta(hours=1), timedelta(minutes=5))
    age = "UPDATE recent_texts SET posted_at = now() - interval '301 s'"

    async def add(name: str, digest: bytes | None = None) -> Outcome:
        key = Key(name, b"1")
        return (await writer.add_question(1, "b", name, "e", key=key, digest=digest)).outcome

    assert [await add(name, digest=b"d") for name in "aba"] == [
        Outcome.DONE,
        Outcome.REPEATED,
        Outcome.REPLAYED,
    ]
    await writer.delete_expired_digests()
    await connection.execute(age)
    assert [await add(name, digest=b"d") for name in "cd"] == [Outcome.DONE, Outcome.REPEATED]
    assert await add("e") is Outcome.DONE
    await connection.execute(age)
    await Writer(pool, timedelta(hours=1)).delete_expired_digests()  # an instance without the guard
    assert await connection.fetchval("SELECT count(*) FROM recent_texts") == 1
    await writer.delete_expired_digests()
    assert await connection.fetchval("SELECT count(*) FROM recent_texts") == 0
    assert await connection.fetchval("SELECT count(*) FROM questions") == 3
    await pool.close()
    await connection.close()


async def test_guards_are_off_by_default(
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
        (fullwidth("http://example.com") + " h\u200bttp://b.c", 2),
        ("[a](https://a.b) <a href='http://c.d'>", 2),
        ("It fits.It is 5.5 cm, and/or 1.5/2 wide; see e.g. the size chart. www. a.b jane@a.b", 0),
        ("https:// http", 0),
    ],
)
def test_links_are_counted_in_every_notation(text: str, number: int) -> None:
    posted = {"body": text}
    assert list(SpamGuards(max_links=number).violations({}, posted)) == []
    if number:
        assert list(SpamGuards(max_links=number - 1).violations({}, posted)) == [
            ("body", f"must not contain more than {number - 1} links")
        ]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "casino",
            "The CASINO!",
            "online-casino.example",
            fullwidth("casino"),
            "ca\u00adsi\u200bno",
        ),
        *("c\u0430sin\u043e", "\u0441\u0430\u0455\u0456n\u03bf", "CA51N0", "casino_casino"),
        *("Cheap watches", "cheap... WATCHES", "cheap\nwatches", "Просто ПРИМЕР"),
    ],
    ids=ascii,
)
def test_blocked_word_is_found_in_every_spelling(text: str) -> None:
    assert BlockedWords.from_lines(WORDS.splitlines()).occur_in(nfkc_casefold(text))


@pytest.mark.parametrize(
    "text",
    ["", "casinos", "occasino", "cheap", "watches cheap", "cheap good watches", "word", "примеры"],
)
def test_only_whole_words_are_blocked(text: str) -> None:
    assert not BlockedWords.from_lines(WORDS.splitlines()).occur_in(nfkc_casefold(text))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"body": "www.a.bc www.d.ef www.g.hi"}, "body: must not contain more than 2 links"),
        ({"body": "My Casino"}, "body: must not contain blocked words"),
        ({"name": "c\u0430sino"}, "name: must not contain blocked words"),
        ({"website": "http://a.b"}, "website: must be left empty"),
        ({"website": 0}, "website: must be left empty"),
        ({"website": []}, "website: must be left empty"),
        (
            {"website": " ", "body": "casino"},
            "website: must be left empty; body: must not contain blocked words",
        ),
    ],
    ids=str,
)
async def test_spam_is_rejected_with_the_reason_and_not_stored(
    shopper: httpx.AsyncClient, shop: Shop, what: str, fields: dict[str, object], reason: str
) -> None:
    response = await post(shopper, shop, what, **fields)
    assert refusal(response) == rejection(what, reason)
    [question] = await questions(shopper, shop.product_id)
    assert len(question["answers"]) == 1


@pytest.mark.parametrize("fields", [{}, {"website": ""}, {"website": None}], ids=str)
async def test_legitimate_post_passes_all_guards(
    shopper: httpx.AsyncClient, shop: Shop, what: str, fields: dict[str, object]
) -> None:
    body = "See https://a.b and www.c.de"
    assert (await post(shopper, shop, what, body=body, **fields)).status_code == 201


async def test_honeypot_applies_to_forms(shopper: httpx.AsyncClient, shop: Shop) -> None:
    for more, status in (
        ({"website": ["a", "b"]}, 422),
        ({"website": "a"}, 422),
        ({"website": ""}, 201),
    ):
        response = await ADD_ANSWER.call(shopper, shop.question_id, data={**NEW_ANSWER, **more})
        assert response.status_code == status


def test_words_file_can_have_a_byte_order_mark_and_any_line_endings(tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_bytes("\ufeffone\r\ntwo three\r\n\r\n#four\r\n$$$".encode())
    words = BlockedWords.from_file(file)
    assert [
        words.occur_in(nfkc_casefold(text)) for text in ("one", "two, three", "four", "$$$")
    ] == [
        True,
        True,
        False,
        False,
    ]


def test_lines_of_the_words_file_that_block_nothing_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "words"
    file.write_text("one\n\n$$$\n# ***\n\x00 # two\n")
    SpamGuards.from_settings(Settings(spam_words_file=file))
    assert [each.getMessage() for each in caplog.records] == [
        f"{file}: lines without a letter or digit block nothing: 3, 5"
    ]

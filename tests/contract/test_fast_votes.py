"""Votes take the fast path when they are simple, with the same responses as the ASGI path."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from atelier.settings import Limit, Settings
from atelier.store.connections.database import connect
from tests.contract.test_fast_path import Instance, counted, instance, shown
from tests.contract.test_without_database import NOWHERE
from tests.support.cluster import Cluster
from tests.support.data import Data, new_product_id
from tests.support.postgres import temporary_folder

CLOSING = {"Connection": "close"}
"""The header of requests that take the ASGI path."""
ROUTES = [
    f"/qa/{target}s/{{{target}}}/{action}"
    for target in ("question", "answer")
    for action in ("helpful", "report")
]
OTHERS = [
    ("/qa/questions/{question}/helpful/", {}),
    ("/qa/questions/{question}/helpful", {"headers": {"Idempotency-Key": "one"}}),
    ("/qa/questions/{question}/helpful", {"content": b"x" * 1000}),
    ("/qa/questions/{question}/report", {"json": {"reason": "spam"}}),
    ("/qa/questions/-1/helpful", {}),
    ("/qa/questions/99999999999999999999/helpful", {}),
    ("/qa/answers/x/report", {}),
]


@pytest.fixture
async def posts(service: Cluster) -> dict[str, int]:
    """Return the ids of a product, of its question and of the answer."""
    connection = await connect(service.database)
    data, product = Data(connection), new_product_id()
    question = await data.question(product)
    answer = await data.answer(question)
    await connection.close()
    return {"product": product, "question": question, "answer": answer}


@pytest.fixture
async def alone(service: Cluster) -> AsyncIterator[Instance]:
    with temporary_folder() as folder:
        async with instance(service.database, folder) as running:
            yield running


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://shop.example"}])
@pytest.mark.parametrize("route", ROUTES)
async def test_fast_path_and_asgi_path_give_the_same_response_to_a_vote(
    alone: Instance, posts: dict[str, int], route: str, origin: dict[str, str]
) -> None:
    url = route.format_map(posts)
    short = await alone.client.put(url, headers=origin)
    assert alone.general == []
    general = await alone.client.put(url, headers={**origin, **CLOSING})
    assert len(alone.general) == 1
    assert shown(short) == shown(general)
    assert short.status_code == 204


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"question_id": "5"}'])
async def test_votes_on_both_paths_count_whatever_their_body(
    alone: Instance, posts: dict[str, int], body: bytes
) -> None:
    for kind in ("question", "answer"):
        url = f"/qa/{kind}s/{posts[kind]}/helpful"
        for headers in ({}, {}, CLOSING):
            response = await alone.client.put(url, content=body, headers=headers)
            assert response.status_code == 204
    assert len(alone.general) == 2
    assert await helpfulness(alone, posts) == (3, 3)


async def test_votes_whose_bodies_arrive_late_are_answered_in_order(
    alone: Instance, posts: dict[str, int]
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(alone.socket))
    question, unknown = (f"/qa/questions/{n}/helpful" for n in (posts["question"], 10**17))
    statuses = []
    for path in (question, unknown, question):
        writer.write(f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n".encode())
        await asyncio.sleep(0.05)  # the vote may be answered before its body arrives
        writer.write(b"null")
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
        length = re.search(r"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        statuses.append(int(head.split()[1]))
    writer.close()
    assert statuses == [204, 404, 204]
    assert await helpfulness(alone, posts) == (2, 0)


@pytest.mark.parametrize("accept", ["*/*", "application/problem+json"])
@pytest.mark.parametrize("route", ROUTES)
async def test_votes_on_nothing_get_the_same_error_on_both_paths(
    alone: Instance, route: str, accept: str
) -> None:
    url = route.format(question=10**17, answer=10**17)
    short = await alone.client.put(url, headers={"Accept": accept})
    general = await alone.client.put(url, headers={"Accept": accept, **CLOSING})
    assert shown(short) == shown(general)
    assert short.status_code == 404


@pytest.mark.parametrize(("route", "options"), OTHERS)
async def test_votes_that_are_not_simple_take_the_asgi_path(
    alone: Instance, posts: dict[str, int], route: str, options: dict[str, Any]
) -> None:
    await alone.client.put(route.format_map(posts), **options)
    assert len(alone.general) == 1


async def test_votes_beyond_a_daily_limit_are_refused(
    service: Cluster, posts: dict[str, int]
) -> None:
    settings = Settings(reports_per_day=Limit(1))
    with temporary_folder() as folder:
        async with instance(service.database, folder, settings) as running:
            path = f"/qa/answers/{posts['answer']}/report"
            address = {"X-Forwarded-For": f"2001:db8:{posts['answer'] % 65536:x}::1"}
            first, second = [await running.client.put(path, headers=address) for _ in range(2)]
    assert (first.status_code, second.status_code) == (204, 429)


async def test_browser_votes_once_whichever_path_its_votes_take(
    service: Cluster, posts: dict[str, int]
) -> None:
    settings = Settings(vote_once="cookie", secret="a secret of more than 32 characters")
    path = f"/qa/questions/{posts['question']}/helpful"
    with temporary_folder() as folder:
        async with instance(service.database, folder, settings) as running:
            first = await voted(running, path, "192.0.2.1")
            again = await voted(running, path, "192.0.2.2", first.headers["set-cookie"])
            assert running.general == []
            other = await voted(running, path, "192.0.2.3", **CLOSING)
            general = await voted(
                running, path, "192.0.2.4", first.headers["set-cookie"], **CLOSING
            )
            quoted = await voted(
                running, path, "192.0.2.5", first.headers["set-cookie"].replace("=", '="', 1)
            )
            counts = await helpfulness(running, posts)
    assert without_value(first) == without_value(other)
    assert shown(again) == shown(general)
    assert again.headers["vote-counted"] == "false"
    assert len(running.general) == 3
    assert quoted.headers["set-cookie"] != first.headers["set-cookie"]
    assert counts == (3, 0)


async def test_failed_vote_is_reported_as_on_the_asgi_path_and_not_tried_again() -> None:
    path, labels = "/qa/questions/1/helpful", {"kind": "votes"}
    with temporary_folder() as folder:
        async with instance(NOWHERE, folder) as running:
            before = counted("atelier_batch_keys_count", **labels)
            response = await running.client.put(path)
            after = counted("atelier_batch_keys_count", **labels)
    assert response.status_code == 503
    assert response.text.startswith("Error: no database")
    assert after == before + 1


async def test_metrics_count_votes_of_both_paths_together(
    alone: Instance, posts: dict[str, int]
) -> None:
    route = "/qa/answers/{target_id}/helpful"
    labels = {"method": "PUT", "status": "204", "route": route}
    before = counted("atelier_request_seconds_count", **labels)
    for headers in ({}, CLOSING):
        await alone.client.put(f"/qa/answers/{posts['answer']}/helpful", headers=headers)
    assert counted("atelier_request_seconds_count", **labels) == before + 2


async def voted(
    running: Instance, path: str, address: str, set_cookie: str = "", **headers: str
) -> httpx.Response:
    """Vote from an address with the cookie that a response set; return the response."""
    running.client.cookies.clear()
    sent = {"X-Forwarded-For": address, "Cookie": set_cookie.partition(";")[0]}
    return await running.client.put(path, headers={**sent, **headers})


def without_value(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """Return a response without the value of the cookie that it sets."""
    status, headers, content = shown(response)
    cookie = re.sub(r"(?<==)[\w-]{48}(?=;)", "VALUE", headers["set-cookie"])
    return status, {**headers, "set-cookie": cookie}, content


async def helpfulness(running: Instance, posts: dict[str, int]) -> tuple[int, int]:
    """Return the votes of the question and of the answer, as a page shows them."""
    page = await running.client.get(f"/qa/questions?product_id={posts['product']}")
    [question] = page.json()["results"]
    answer = question["answers"][str(posts["answer"])]
    return question["question_helpfulness"], answer["helpfulness"]

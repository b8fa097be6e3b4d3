"""The peers give the same responses as the service, so that their speed is comparable."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from atelier.errors import AtelierError
from bench import systems
from bench.check import average_page_size, check_same_responses
from bench.data import Catalogue
from bench.systems import Running

UNKNOWN = 999_999_999
WRITTEN = {"body": "Does it shrink?", "name": "jane", "email": "jane@example.com"}
PHOTOS = ["https://example.com/1.jpg", "https://example.com/2.jpg"]


@pytest.fixture
def client(peer: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=peer.url, timeout=30) as client:
        yield client


def test_peer_answers_reads_like_the_service(
    ours: Running, peer: Running, catalogue: Catalogue
) -> None:
    assert check_same_responses([ours, peer], catalogue) > 100


def test_peer_with_different_responses_is_not_measured(
    ours: Running, peer: Running, catalogue: Catalogue
) -> None:
    change = "UPDATE peer.answers SET helpful = helpful {} 1 WHERE id > 800000000"
    asyncio.run(_execute(catalogue.dsn, change.format("+")))
    with pytest.raises(AtelierError, match=f"{peer.name} and ours give different responses"):
        check_same_responses([ours, peer], catalogue)
    asyncio.run(_execute(catalogue.dsn, change.format("-")))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/qa/questions?product_id=hello"),
        ("GET", "/qa/questions?product_id=1&page=-1"),
        ("GET", "/qa/questions?product_id=1&count=x"),
        ("GET", "/qa/questions/hello/answers"),
        ("PUT", f"/qa/questions/{UNKNOWN}/helpful"),
        ("PUT", f"/qa/answers/{UNKNOWN}/report"),
        ("PUT", "/qa/answers/hello/helpful"),
    ],
)
def test_peer_rejects_requests_like_the_service(
    ours: Running, client: httpx.Client, method: str, path: str
) -> None:
    expected = httpx.request(method, ours.url + path)
    got = client.request(method, path)
    assert (got.status_code, got.text) == (expected.status_code, expected.text)


def test_peer_reads_its_own_writes(client: httpx.Client) -> None:
    product = {"product_id": 500_000_000}
    assert client.post("/qa/questions", json={**WRITTEN, **product}).status_code == 201
    question = client.get("/qa/questions", params=product).json()["results"][0]["question_id"]
    answers = f"/qa/questions/{question}/answers"
    assert client.post(answers, json={**WRITTEN, "photos": PHOTOS}).status_code == 201
    answer = client.get(answers).json()["results"][0]["answer_id"]
    for voted in (f"/qa/questions/{question}", f"/qa/answers/{answer}"):
        assert client.put(f"{voted}/helpful").status_code == 204
    [shown] = client.get("/qa/questions", params=product).json()["results"]
    assert shown["question_helpfulness"] == shown["answers"][str(answer)]["helpfulness"] == 1
    assert shown["answers"][str(answer)]["photos"] == PHOTOS
    assert client.put(f"/qa/questions/{question}/report").status_code == 204
    assert client.get("/qa/questions", params=product).json()["results"] == []


def test_ceiling_responds_with_the_mean_page_size(
    ours: Running, catalogue: Catalogue, sockets: Path
) -> None:
    size = average_page_size(ours, catalogue.products)
    with systems.running(systems.ceiling(size), sockets, instances=1) as ceiling:
        response = httpx.get(f"{ceiling.url}/qa/questions?product_id=1")
    assert len(response.content) == size
    assert response.json()["product_id"] == "1"


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()

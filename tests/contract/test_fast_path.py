"""Simple requests for pages take the fast path, with the same responses as the ASGI path."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from atelier import metrics
from atelier.http.app import create_service
from atelier.http.server import configuration
from atelier.settings import Settings
from atelier.store.connections.database import connect
from tests.contract.test_without_database import NOWHERE
from tests.support.cluster import Cluster
from tests.support.data import Data, new_product_id
from tests.support.postgres import temporary_folder
from tests.support.waiting import until

PLAIN = [
    "",
    "&count=2",
    "&page=2&count=2",
    "&count=2&page=3",
    "&count=0",
    "&page=0",
    "&page=00002&count=01",
    "&count=100",
    "&page=9&count=100",
    "&_=1763852400000",
]
OTHERS = [
    "&count=101",
    "&page=1000&count=100",
    "&count=-1",
    "&count=x",
    "&count=",
    "&count=2&count=3",
    "&count=10000000000000000000",
    "&count=%32",
    "&count=2&",
    "&color=red",
]
TWO_KINDS = pytest.mark.parametrize("kind", ["questions", "answers"])


@dataclass(frozen=True)
class Instance:
    """One instance, and the paths of the requests that reached its ASGI application."""

    client: httpx.AsyncClient
    socket: Path
    general: list[str]
    stop: Callable[[], None]


@asynccontextmanager
async def instance(
    dsn: str, folder: Path, settings: Settings | None = None, *, idle_seconds: int = 75
) -> AsyncIterator[Instance]:
    service = create_service(settings or Settings(), dsn)
    socket = folder / "instance.sock"
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    client = httpx.AsyncClient(transport=transport, base_url="http://instance", timeout=30)
    general: list[str] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
        if scope["type"] == "http":
            general.append(scope["path"])
        await service.app(scope, receive, send)

    config = configuration(service._replace(app=app), socket=socket)  # type: ignore[arg-type] # uvicorn accepts any ASGI application
    config.timeout_keep_alive = idle_seconds
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    running = Instance(client, socket, general, stop)
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: asyncio.sleep(0, server.started))
        async with client:
            yield running
    finally:
        stop()
        await asyncio.wait_for(serving, 20)


@pytest.fixture(scope="module")
async def shared(service: Cluster) -> AsyncIterator[Instance]:
    with temporary_folder() as folder:
        async with instance(service.database, folder) as running:
            yield running


@pytest.fixture
def alone(shared: Instance) -> Instance:
    """Return an instance that no request of this test has reached yet."""
    shared.general.clear()
    return shared


@pytest.fixture(scope="module")
async def lists(service: Cluster) -> Mapping[str, str]:
    """Return the URLs of seven questions and of seven answers."""
    connection = await connect(service.database)
    data, product_id = Data(connection), new_product_id()
    for number in range(7):
        question_id = await data.question(product_id, helpful=number, body='"Straße" \\ 漢')
    for number in range(7):
        await data.answer(question_id, helpful=number, photos=["https://example.com/1.jpg"])
    await connection.close()
    return {
        "questions": f"/qa/questions?product_id={product_id}",
        "answers": f"/qa/questions/{question_id}/answers?",
    }


def shown(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """Return a response without its date, and whether the connection stays open."""
    headers = {**response.headers, "date": "", "connection": ""}
    return response.status_code, headers, response.content


def address(lists: Mapping[str, str], kind: str, query: str) -> str:
    return (lists[kind] + query).replace("?&", "?")


@TWO_KINDS
@pytest.mark.parametrize("origin", [{}, {"Origin": "https://shop.example"}])
@pytest.mark.parametrize("query", PLAIN)
async def test_fast_path_and_asgi_path_give_the_same_response(
    alone: Instance, lists: Mapping[str, str], kind: str, origin: dict[str, str], query: str
) -> None:
    url = address(lists, kind, query)
    short = await alone.client.get(url, headers=origin)
    assert alone.general == []
    general = await alone.client.get(url, headers={**origin, "Connection": "close"})
    assert len(alone.general) == 1
    assert shown(short) == shown(general)
    assert short.status_code == 200


V1_PLAIN = [
    "/v1/products/{product}/questions",
    "/v1/products/{product}/questions?limit=2&answers=0",
    "/v1/products/{product}/questions?sort=most_answers&filter=answered",
    "/v1/products/{product}/questions?limit=2&after={cursor}",
    "/v1/products/{product}/questions?color=red",
    "/v1/products/{product}/summary",
    "/v1/questions?product_ids={product},99,1&limit=3",
    "/v1/questions/{question}",
    "/v1/questions/{question}?answers=5",
    "/v1/questions/{question}/answers?limit=3",
    "/v1/answers/{answer}",
    "/v1/summaries?product_ids=99,{product}",
]
V1_OTHERS = [
    "/v1/products/{product}/questions?q=red",
    "/v1/products/{product}/questions?limit=0",
    "/v1/products/{product}/questions?limit=2&limit=2",
    "/v1/products/{product}/questions?sort=%68elpful",
    "/v1/products/{product}/questions?after=nonsense",
    "/v1/products/{product}/questions/",
    "/v1/products/{product}/similar?text=abc",
    "/v1/products/-1/questions",
    "/v1/questions?product_ids=x",
    "/v1/questions?product_ids={product}&after={cursor}",
    "/v1/questions/999999999999",
    "/v1/questions/999999999999/answers",
    "/v1/answers/999999999999",
    "/v1/answers/1/answers",
    "/v1/summaries",
]


@pytest.fixture(scope="module")
async def v1(service: Cluster, lists: Mapping[str, str]) -> Mapping[str, object]:
    """Return ids of posts, and the cursor of a product's second page."""
    product, question = (int("".join(filter(str.isdigit, url))) for url in lists.values())
    async with httpx.AsyncClient(base_url=service.base_url) as client:
        page = await client.get(f"/v1/products/{product}/questions?limit=2")
        answers = await client.get(f"/v1/questions/{question}/answers")
    return {
        "product": product,
        "question": question,
        "answer": answers.json()["results"][0]["id"],
        "cursor": page.json()["next"],
    }


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://shop.example"}])
@pytest.mark.parametrize("path", V1_PLAIN)
async def test_fast_path_and_asgi_path_give_the_same_response_under_v1(
    alone: Instance, v1: Mapping[str, object], path: str, origin: dict[str, str]
) -> None:
    url = path.format_map(v1)
    short = await alone.client.get(url, headers=origin)
    known = {**origin, "If-None-Match": short.headers["etag"]}
    unchanged = await alone.client.get(url, headers=known)
    assert alone.general == []
    general = await alone.client.get(url, headers={**origin, "Connection": "close"})
    generally_unchanged = await alone.client.get(url, headers={**known, "Connection": "close"})
    assert len(alone.general) == 2
    assert shown(short) == shown(general)
    assert shown(unchanged) == shown(generally_unchanged)
    assert (short.status_code, unchanged.status_code) == (200, 304)


@pytest.mark.parametrize("path", V1_OTHERS)
async def test_requests_under_v1_that_are_not_simple_take_the_asgi_path(
    alone: Instance, v1: Mapping[str, object], path: str
) -> None:
    url = path.format_map(v1)
    response = await alone.client.get(url)
    again = await alone.client.get(url, headers={"Connection": "close"})
    assert len(alone.general) == 2
    assert shown(response) == shown(again)


async def test_large_pages_under_v1_join_no_batch(
    alone: Instance, v1: Mapping[str, object]
) -> None:
    path, batches = f"/v1/products/{v1['product']}/questions", "atelier_batch_keys_count"
    small = await alone.client.get(f"{path}?limit=5&answers=99")
    before = counted(batches, kind="v1_helpful")
    large = await alone.client.get(f"{path}?limit=6&answers=99")
    assert counted(batches, kind="v1_helpful") == before
    assert large.json()["results"][:5] == small.json()["results"]
    assert len(large.json()["results"]) == 6
    assert alone.general == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("digits", [10**18 - 1, 10**18, 2**63 - 1, 2**63, 2**63 + 1, 10**19])
async def test_fast_path_and_asgi_path_have_the_same_limit_of_64_bits(
    alone: Instance, digits: int, sign: int
) -> None:
    number = sign * digits
    is_id = -(2**63) <= number < 2**63
    for url, refused in [
        (f"/qa/questions?product_id={number}", 422),
        (f"/qa/questions/{number}/answers", 404),
    ]:
        short = await alone.client.get(url)
        general = await alone.client.get(url, headers={"Connection": "close"})
        assert shown(short) == shown(general)
        assert short.status_code == (200 if is_id else refused)
        if is_id:
            assert f'":"{number}",' in short.text
    assert len(alone.general) == (2 if number == 10**18 - 1 else 4)


@TWO_KINDS
@pytest.mark.parametrize("query", OTHERS)
async def test_requests_that_are_not_simple_take_the_asgi_path(
    alone: Instance, lists: Mapping[str, str], kind: str, query: str
) -> None:
    await alone.client.get(address(lists, kind, query))
    assert len(alone.general) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/qa/questions?product_id=1"),
        ("POST", "/qa/questions?product_id=1"),
        ("GET", "/qa/questions/?product_id=1"),
        ("GET", "/qa/questions"),
        ("GET", "/qa/questions?page=1"),
        ("GET", "/qa/questions/-1/answers"),
        ("GET", "/qa/questions/99999999999999999999/answers"),
        ("GET", "/qa/questions/1/answers/"),
        ("GET", "/live"),
    ],
)
async def test_other_requests_take_the_asgi_path(alone: Instance, method: str, path: str) -> None:
    await alone.client.request(method, path)
    assert len(alone.general) == 1


@pytest.mark.parametrize("apart", [True, False])
async def test_pipelined_requests_are_answered_in_order(
    alone: Instance, lists: Mapping[str, str], *, apart: bool
) -> None:
    plain, other = lists["questions"].encode(), b"/qa/questions?product_id=x"
    paths = [plain, plain + b"&count=1", other, plain + b"&count=0", b"/live", plain]
    reader, writer = await asyncio.open_unix_connection(str(alone.socket))
    for path in paths:
        writer.write(b"GET %b HTTP/1.1\r\nHost: instance\r\n\r\n" % path)
        if apart:
            await asyncio.sleep(0.002)
    statuses, sizes = [], []
    for _ in paths:
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode().lower()
        statuses.append(int(head.split()[1]))
        sizes.append(int(head.partition("content-length: ")[2].split()[0]))
        await reader.readexactly(sizes[-1])
    writer.close()
    assert statuses == [200, 200, 422, 200, 200, 200]
    assert sizes[0] == sizes[5] > sizes[1] > sizes[3] > 0


async def test_request_in_pieces_takes_the_asgi_path(
    alone: Instance, lists: Mapping[str, str]
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(alone.socket))
    whole = b"GET %b HTTP/1.1\r\nHost: instance\r\n\r\n" % lists["questions"].encode()
    for pieces in ([whole[:30], whole[30:]], [whole], [whole[:-1], whole[-1:] + whole]):
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.05)
        for _ in range(b"".join(pieces).count(b"GET")):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            assert head.startswith(b"HTTP/1.1 200 ")
            size = int(head.lower().partition(b"content-length: ")[2].split()[0])
            await reader.readexactly(size)
    writer.close()
    assert len(alone.general) == 3


async def test_disconnected_client_does_not_affect_others(
    alone: Instance, lists: Mapping[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    url = lists["questions"]
    for _ in range(20):
        _, writer = await asyncio.open_unix_connection(str(alone.socket))
        writer.write(b"GET %b HTTP/1.1\r\nHost: instance\r\n\r\n" % url.encode())
        await writer.drain()
        writer.close()
    responses = await asyncio.gather(*(alone.client.get(url) for _ in range(20)))
    assert {response.status_code for response in responses} == {200}
    assert alone.general == []
    assert caplog.records == []


async def test_error_for_a_client_that_has_gone_is_nobodys_complaint(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batches, labels = "atelier_batch_keys_count", {"kind": "v1_question"}
    with temporary_folder() as folder:
        async with instance(NOWHERE, folder) as running:
            before = counted(batches, **labels)
            _, writer = await asyncio.open_unix_connection(str(running.socket))
            writer.write(b"GET /v1/questions/1 HTTP/1.1\r\nHost: instance\r\n\r\n")
            await writer.drain()
            writer.transport.abort()
            await until(lambda: asyncio.sleep(0.1, counted(batches, **labels) > before))
        gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_shutdown_waits_for_pages_in_progress(database: str) -> None:
    blocker = await connect(database)
    with temporary_folder() as folder:
        async with instance(database, folder) as running:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE question_documents IN ACCESS EXCLUSIVE MODE")
                asked = asyncio.create_task(running.client.get("/qa/questions?product_id=1"))
                await until(lambda: _waits(database))
                running.stop()
                await until(lambda: _refuses(running.socket))
                assert not asked.done()
            response = await asked
    await blocker.close()
    assert (response.status_code, response.headers["connection"]) == (200, "close")


async def test_idle_connection_is_closed_but_not_one_that_waits_for_a_page(database: str) -> None:
    blocker = await connect(database)
    request = b"GET /qa/questions?product_id=1 HTTP/1.1\r\nHost: instance\r\n\r\n"
    with temporary_folder() as folder:
        async with instance(database, folder, idle_seconds=1) as running:
            reader, writer = await asyncio.open_unix_connection(str(running.socket))
            writer.write(request)
            await asyncio.wait_for(reader.readuntil(b"]}"), 10)
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE question_documents IN ACCESS EXCLUSIVE MODE")
                writer.write(request)
                await asyncio.sleep(1.5)
            await asyncio.wait_for(reader.readuntil(b"]}"), 10)
            assert await asyncio.wait_for(reader.read(), 10) == b""
            assert running.general == []
            writer.close()
    await blocker.close()


async def test_failure_is_reported_as_on_the_asgi_path_and_not_retried() -> None:
    def tried() -> list[float]:
        route = {"method": "GET", "route": "/qa/questions", "status": "503"}
        return [
            counted("atelier_batch_keys_count", kind="questions"),
            counted("atelier_batch_keys_count", kind="answers"),
            counted("atelier_request_seconds_count", **route),
        ]

    with temporary_folder() as folder:
        async with instance(NOWHERE, folder) as running:
            before = tried()
            text = await running.client.get("/qa/questions?product_id=1")
            problem = await running.client.get(
                "/qa/questions/1/answers", headers={"Accept": "application/problem+json"}
            )
            after = tried()
    assert len(running.general) == 2
    assert (text.status_code, problem.status_code) == (503, 503)
    assert text.text.startswith("Error: no database")
    assert int(text.headers["retry-after"]) >= 1
    assert problem.json()["status"] == 503
    assert after == [number + 1 for number in before]


@TWO_KINDS
async def test_metrics_count_pages_of_both_paths_together(
    alone: Instance, lists: Mapping[str, str], kind: str
) -> None:
    route = {"questions": "/qa/questions", "answers": "/qa/questions/{target_id}/answers"}[kind]
    name, labels = "atelier_request_seconds_count", {"method": "GET", "status": "200"}
    before = counted(name, route=route, **labels)
    await alone.client.get(lists[kind])
    await alone.client.get(lists[kind], headers={"Connection": "close"})
    assert counted(name, route=route, **labels) == before + 2


def counted(name: str, **labels: str) -> float:
    """Return the value of a metric, 0 if it does not exist yet."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def _refuses(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return True
    writer.close()
    return False


async def _waits(dsn: str) -> bool:
    connection = await connect(dsn)
    try:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'"
        return bool(await connection.fetchval(waiting))
    finally:
        await connection.close()

"""Unknown methods and malformed HTTP."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from tests.contract.api import ALL_ROUTES
from tests.support.cluster import Cluster

_PROBLEM = "application/problem+json"
_UNKNOWN = ["FOO", "BREW", "PURGE", "LINK", "SOURCE", "DESCRIBE", "PRI", "X-SHOP", "A" * 40]
_CANNOT = "Error: the request cannot be understood"
_END = "Host: x\r\nConnection: close\r\n\r\n"
_PATHS = {
    **{route.path.partition("?")[0].format(5): set[str]() for route in ALL_ROUTES},
    "/live": {"GET"},
    "/docs": {"GET"},
}
for route in ALL_ROUTES:
    _PATHS[route.path.partition("?")[0].format(5)].add(route.method)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


async def ask(service: Cluster, way: str, request: str) -> list[Answer]:
    """Send bytes to nginx or directly to an instance; return the responses until it closes."""
    if way == "nginx":
        port = int(service.base_url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    else:
        reader, writer = await asyncio.open_unix_connection(str(service.sockets[0]))
    writer.write(request.encode("latin-1"))
    received = (await asyncio.wait_for(reader.read(), 30)).decode()
    writer.close()
    answers = []
    while received:
        head, _, received = received.partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        length = int(headers["content-length"])
        answers.append(Answer(int(status.split()[1]), headers, received[:length]))
        received = received[length:]
    return answers


@pytest.mark.parametrize("way", ["instance", "nginx"])
@pytest.mark.parametrize("method", [*_UNKNOWN, "PROPFIND", "TRACE"])
async def test_unknown_method_is_rejected_with_the_allowed_methods(
    service: Cluster, way: str, method: str
) -> None:
    for path, methods in _PATHS.items():
        [answer] = await ask(service, way, f"{method} {path}?a=%20 HTTP/1.1\r\n{_END}")
        assert (answer.status, answer.text) == (405, "Error: Method Not Allowed")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        allowed = set(answer.headers["allow"].split(", "))
        assert allowed == methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())


@pytest.mark.parametrize("way", ["instance", "nginx"])
@pytest.mark.parametrize("method", ["FOO", "PURGE", "TRACE"])
async def test_rejection_is_a_problem_document_if_accepted(
    service: Cluster, way: str, method: str
) -> None:
    request = f"{method} /qa/questions HTTP/1.1\r\nAccept: {_PROBLEM}\r\n{_END}"
    [answer] = await ask(service, way, request)
    assert (answer.status, answer.headers["content-type"]) == (405, _PROBLEM)
    assert "Error: Method Not Allowed" in answer.text


async def test_an_unknown_method_on_an_unknown_path_answers_404(service: Cluster) -> None:
    [answer] = await ask(service, "nginx", f"FOO /nowhere HTTP/1.1\r\n{_END}")
    assert (answer.status, answer.text) == (404, "Error: Not Found")


async def test_connection_stays_open_after_an_unknown_method(service: Cluster) -> None:
    reader, writer = await asyncio.open_unix_connection(str(service.sockets[0]))
    for first, second, status in [
        ("FOO /li", "ve HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        ("GET /li", "ve HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        ("BAR /live HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n", "body", b"405"),
        ("GET /live HTTP/1.1\r\n", "Host: x\r\n\r\n", b"200"),
    ]:
        for piece in (first, second):
            writer.write(piece.encode())
            await asyncio.sleep(0.01)  # so that they probably arrive separately
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        await reader.readexactly(length)
        assert head.split()[1] == status
    writer.close()


@pytest.mark.parametrize("page", ["/live", "/qa/questions?product_id=1"])
@pytest.mark.parametrize("garbage", ["FOO / HTTP/1.1\r\n\r\n", "\x16\x03\x01\r\n\r\n"])
async def test_request_before_a_rejected_one_gets_its_own_response(
    service: Cluster, page: str, garbage: str
) -> None:
    request = f"GET {page} HTTP/1.1\r\nHost: x\r\n\r\n{garbage}"
    answers = await ask(service, "instance", request)
    assert [answer.status for answer in answers] == [200]
    assert answers[0].headers["connection"] == "close"


@pytest.mark.parametrize("way", ["instance", "nginx"])
@pytest.mark.parametrize(
    "request_",
    [
        *("get /live HTTP/1.1\r\n", "G@T /live HTTP/1.1\r\n", "GET\r\n", "\x16\x03\x01\x02\r\n"),
        *("GET /live HTTP/1.1\r\nBad Header: x\r\n", "GET /live HTTP/1.1\r\nX: a\0b\r\n"),
        "POST /qa/questions HTTP/1.1\r\nContent-Length: x\r\n",
        "FOO /live HTTP/1.1\r\nBad Header: x\r\n",
        "GET http:///live HTTP/1.1\r\n",
    ],
    ids=ascii,
)
async def test_malformed_http_is_rejected_with_the_contracts_text(
    service: Cluster, way: str, request_: str
) -> None:
    [answer] = await ask(service, way, request_ + _END)
    assert (answer.status, answer.text) == (400, _CANNOT)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("way", ["instance", "nginx"])
async def test_body_in_malformed_chunks_is_rejected(service: Cluster, way: str) -> None:
    head = "POST /qa/questions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    [answer] = await ask(service, way, f"{head}zz\r\n")
    assert (answer.status, answer.text) == (400, _CANNOT)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET /live HTTP/3.0\r\n", 505),
        ("POST /qa/questions HTTP/1.1\r\nTransfer-Encoding: gzip\r\n", 501),
        (f"GET /live HTTP/1.1\r\nX: {'a' * 70_000}\r\n", 431),
        (f"GET /{'a' * 70_000} HTTP/1.1\r\n", 414),
        ("GET /live HTTP/1.1\r\nHost: y\r\n", 400),
        ("CONNECT example.com:443 HTTP/1.1\r\n", 405),
        ("CONNECT /live HTTP/1.1\r\n", 400),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_rejections_by_nginx_have_the_format_of_all_errors(
    service: Cluster, request_: str, status: int
) -> None:
    [answer] = await ask(service, "nginx", request_ + _END)
    assert answer.status == status
    assert answer.text.startswith("Error: ")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"

"""What nginx does with requests on their way to the instances."""

import http.client
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from atelier.local import nginx
from tests.support.cluster import free_port, program, wait_for_port
from tests.support.postgres import temporary_folder
from tests.support.upstream import Answer, StandIn, hang_up, send, stand_in

_MEGABYTE = 1 << 20
Ask = Callable[..., http.client.HTTPResponse]


@contextmanager
def in_front_of(answers: Sequence[Answer]) -> Iterator[tuple[Ask, list[StandIn]]]:
    port = free_port()
    with temporary_folder() as folder, ExitStack() as stack:
        sockets = [folder / f"{n}.sock" for n in range(len(answers))]
        instances = [
            stack.enter_context(stand_in(path, answer))
            for path, answer in zip(sockets, answers, strict=True)
        ]
        stack.enter_context(program(nginx.configure(folder, port, sockets)))
        wait_for_port(port)

        def ask(method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            stack.callback(connection.close)
            connection.request(method, path, body)
            return connection.getresponse()

        yield ask, instances


@pytest.mark.parametrize(
    "path",
    ["/qa/questions/?product_id=1", "/qa//questions", "/a/../b", "/a%2Fb%20c", "/x?a=%00&b=//"],
)
def test_a_path_reaches_the_instance_as_it_was_sent(path: str) -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        ask("GET", path).read()
        assert [request.path for request in instance.seen] == [path]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "OPTIONS", "DELETE"])
def test_a_method_reaches_the_instance_without_a_body(method: str) -> None:
    with in_front_of([send(b"ok")]) as (ask, [instance]):
        response = ask(method, "/qa/questions/1/helpful")
        assert response.status == 200
        assert response.read() == (b"" if method == "HEAD" else b"ok")
        assert [request.command for request in instance.seen] == [method]


def test_an_instance_learns_whom_it_serves_and_which_request_it_is() -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        ask("GET", "/").read()
        headers = instance.seen[0].headers
        assert headers["X-Forwarded-For"] == "127.0.0.1"
        assert len(headers["X-Request-ID"]) == 32


def test_a_page_whose_instance_dies_comes_from_another() -> None:
    with in_front_of([hang_up, send(b"ok")]) as (ask, instances):
        for _ in range(4):
            assert ask("GET", "/qa/questions?product_id=1").read() == b"ok"
        assert instances[0].seen


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/qa/questions/1/helpful"),
        ("PUT", "/qa/answers/1/helpful/"),
        ("PUT", "/qa/answers/1/report"),
        ("POST", "/qa/questions"),
        ("POST", "/qa/questions/1/answers"),
    ],
)
def test_a_write_whose_instance_dies_is_not_sent_twice(method: str, path: str) -> None:
    with in_front_of([hang_up, hang_up]) as (ask, instances):
        response = ask(method, path)
        assert response.status == 502
        assert response.read() == b"Error: no instance answers, try again"
        assert sum(len(instance.seen) for instance in instances) == 1


def test_a_large_answer_comes_whole_and_is_passed_on_while_it_is_written() -> None:
    pieces = 200
    piece = b"x" * 100_000

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(pieces * len(piece)))
        request.end_headers()
        request.wfile.write(piece)
        assert response_began.wait(10)
        for _ in range(pieces - 1):
            request.wfile.write(piece)

    response_began = threading.Event()
    with in_front_of([answer]) as (ask, _):
        response = ask("GET", "/")
        assert response.read(1000) == piece[:1000]
        response_began.set()
        assert len(response.read()) == pieces * len(piece) - 1000


def test_a_body_over_a_megabyte_is_refused_in_text_that_a_page_may_read() -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        assert ask("POST", "/qa/questions", b"x" * _MEGABYTE).read() == b""
        response = ask("POST", "/qa/questions", b"x" * (_MEGABYTE + 1))
        assert response.status == 413
        assert response.read() == b"Error: the body is larger than 1 MB"
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert len(instance.seen) == 1

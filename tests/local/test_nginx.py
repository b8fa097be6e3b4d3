"""How nginx proxies requests to the instances."""

import gzip
import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from atelier.local.host.programs import nginx_program
from atelier.local.nginx import nginx
from atelier.settings import Settings
from tests.support.cluster import free_port, program, wait_for_port
from tests.support.html import parse, texts
from tests.support.parts import open_files_or_skip
from tests.support.postgres import temporary_folder
from tests.support.upstream import Answer, FakeInstance, disconnect, fake_instance, send
from tests.support.waiting import wait_until

_MEGABYTE = 1 << 20
_WRITES = [
    ("PUT", "/qa/questions/1/helpful"),
    ("PUT", "/qa/answers/1/helpful/"),
    ("PUT", "/qa/answers/1/report"),
    ("POST", "/qa/questions"),
    ("POST", "/qa/questions/1/answers"),
]
Ask = Callable[..., http.client.HTTPResponse]


@contextmanager
def in_front_of(
    answers: Sequence[Answer], timeout: float = 5.0, settings: Settings | None = None
) -> Iterator[tuple[Ask, list[FakeInstance]]]:
    port = free_port()
    with temporary_folder() as folder, ExitStack() as stack:
        sockets = [folder / f"{n}.sock" for n in range(len(answers))]
        instances = [
            stack.enter_context(fake_instance(path, answer))
            for path, answer in zip(sockets, answers, strict=True)
        ]
        settings = replace(settings or Settings(), request_timeout=timeout)
        stack.enter_context(program(nginx.configure(folder, port, sockets, settings=settings)))
        wait_for_port(port)

        def ask(
            method: str,
            path: str,
            body: bytes | None = None,
            *,
            source: str = "127.0.0.1",
            **headers: str,
        ) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection(
                "127.0.0.1", port, timeout=60, source_address=(source, 0)
            )
            stack.callback(connection.close)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
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


def test_instance_gets_the_client_address_and_request_id() -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        ask("GET", "/").read()
        headers = instance.seen[0].headers
        assert headers["X-Forwarded-For"] == "127.0.0.1"
        assert len(headers["X-Request-ID"]) == 32


def test_forwarded_scheme_of_an_untrusted_client_is_replaced() -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        ask("PUT", "/", X_Forwarded_Proto="https").read()
        assert instance.seen[0].headers["X-Forwarded-Proto"] == "http"


@pytest.mark.parametrize(
    ("sent", "expected"), [("https", "https"), ("http", "http"), ("x", "http")]
)
def test_forwarded_scheme_of_a_trusted_proxy_is_kept(sent: str, expected: str) -> None:
    trusting = Settings.from_environment({"ATELIER_TRUSTED_PROXIES": "127.0.0.0/8"})
    with in_front_of([send(b"")], settings=trusting) as (ask, [instance]):
        ask("PUT", "/", X_Forwarded_Proto=sent).read()
        assert instance.seen[0].headers["X-Forwarded-Proto"] == expected


def test_a_page_whose_instance_dies_comes_from_another() -> None:
    with in_front_of([disconnect, send(b"ok")]) as (ask, instances):
        for _ in range(4):
            assert ask("GET", "/qa/questions?product_id=1").read() == b"ok"
        assert instances[0].seen


@pytest.mark.parametrize(("method", "path"), _WRITES)
def test_a_write_whose_instance_dies_is_not_sent_twice(method: str, path: str) -> None:
    with in_front_of([disconnect, disconnect]) as (ask, instances):
        response = ask(method, path)
        assert response.status == 502
        assert response.read().startswith(b"Error: no instance answers, try again (request ")
        assert sum(len(instance.seen) for instance in instances) == 1


def test_large_response_is_complete_and_streamed() -> None:
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


def test_body_over_a_megabyte_is_rejected_in_text_with_cors() -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        assert ask("POST", "/qa/questions", b"x" * _MEGABYTE).read() == b""
        response = ask("POST", "/qa/questions", b"x" * (_MEGABYTE + 1))
        assert response.status == 413
        assert response.read() == b"Error: the body is larger than 1 MB"
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert len(instance.seen) == 1


@pytest.mark.parametrize(("method", "path"), _WRITES)
def test_a_write_with_a_key_whose_instance_dies_is_sent_to_another(method: str, path: str) -> None:
    with in_front_of([disconnect, send(b"ok")]) as (ask, [dead, _]):
        while not dead.seen:
            response = ask(method, path, b"{}", Idempotency_Key="k")
            assert response.read() == b"ok"


def test_missing_instance_loses_no_request() -> None:
    with in_front_of([send(b"ok"), send(b"ok")]) as (ask, [gone, _]):
        Path(str(gone.server_address)).unlink()
        for method, path in [*_WRITES, ("GET", "/"), ("HEAD", "/")]:
            assert ask(method, path).status == 200


def test_vote_reaches_the_remaining_instance_without_a_preceding_read() -> None:
    for _ in range(4):
        with in_front_of([send(b"ok"), send(b"ok")]) as (ask, [gone, there]):
            Path(str(gone.server_address)).unlink()
            assert ask("PUT", "/qa/answers/1/helpful").status == 200
            assert len(there.seen) == 1


def test_hung_instance_is_skipped_after_one_read_that_another_serves() -> None:
    leave = threading.Event()
    with in_front_of([until_told(leave), send(b"ok")], timeout=0.5) as (ask, both):
        began = time.monotonic()
        for _ in range(6):
            assert ask("GET", "/").read() == b"ok"
        seconds = time.monotonic() - began
        assert 1 <= len(both[0].seen) <= 1 + seconds / 2  # it is retried every two seconds
        leave.set()


def test_timed_out_vote_is_not_sent_twice() -> None:
    leave = threading.Event()
    with in_front_of([until_told(leave)] * 2, timeout=0.1) as (ask, both):
        response = ask("PUT", "/qa/questions/1/helpful")
        assert response.status == 504
        assert response.read().startswith(b"Error: no instance answered in time, try again")
        assert sum(len(instance.seen) for instance in both) == 1
        leave.set()


@pytest.mark.parametrize("path", ["/a%00b", "/docs/%2e%2e/%2e%2e/x", "/../x", "/%zz"])
def test_malformed_uri_is_rejected_in_text(path: str) -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        response = ask("GET", path)
        assert response.status == 400
        assert response.read() == b"Error: the request cannot be understood"
        assert response.headers.get_all("Content-Type") == ["text/plain; charset=utf-8"]
        assert instance.seen == []


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/a%00b", 400), ("/admin/%zz", 400), (f"/v1/questions?x={'x' * 40_000}", 414)],
)
def test_error_under_v1_and_admin_is_a_problem_document(path: str, status: int) -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        response = ask("GET", path)
        assert response.headers.get_all("Content-Type") == ["application/problem+json"]
        problem = json.loads(response.read())
        assert response.status == problem["status"] == status
        assert not problem["detail"].startswith("Error: ")
        assert instance.seen == []


@pytest.mark.parametrize("path", ["/products/1/questions", "/questions/1?after=x", "/demo"])
def test_error_of_a_page_is_a_page(path: str) -> None:
    with in_front_of([disconnect]) as (ask, _):
        response = ask("GET", path, Accept="application/problem+json")
        assert response.status == 502
        assert response.headers.get_all("Content-Type") == ["text/html; charset=utf-8"]
        page, errors = parse(response.read().decode())
        assert errors == []
        assert texts(page, ".//h1") == ["Bad Gateway"]


@pytest.mark.parametrize(
    ("setting", "language", "heading"),
    [
        ("auto", "de", "Im Moment nicht möglich"),
        ("auto", "ar", "غير ممكن في الوقت الحالي"),
        ("auto", "en", "Bad Gateway"),
        ("en", "en", "Bad Gateway"),
    ],
)
def test_error_of_a_page_is_in_the_language_of_the_reader(
    setting: str, language: str, heading: str
) -> None:
    accepted = "de" if setting == "en" else f"{language}-XX,en;q=0.5"
    with in_front_of([disconnect], settings=Settings(language=setting)) as (ask, _):
        response = ask("GET", "/questions/1", Accept_Language=accepted)
        page, errors = parse(response.read().decode())
        assert errors == []
        assert (page.get("lang"), texts(page, ".//h1")) == (language, [heading])


def test_error_is_a_problem_document_if_accepted() -> None:
    large = b"x" * (_MEGABYTE + 1)
    with in_front_of([disconnect]) as (ask, _):
        for path, body, status in [("/metrics", None, 404), ("/", large, 413), ("/", None, 502)]:
            response = ask("GET", path, body, Accept="text/html, application/problem+json")
            problem = json.loads(response.read())
            assert response.status == problem["status"] == status
            assert response.headers.get_all("Content-Type") == ["application/problem+json"]
            assert problem["title"]
            assert problem["detail"].startswith("Error: ")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/metrics?a"])
def test_metrics_are_not_public(path: str) -> None:
    with in_front_of([send(b"")]) as (ask, [instance]):
        response = ask("GET", path)
        assert (response.status, response.read()) == (404, b"Error: Not Found")
        assert instance.seen == []


def test_overload_is_rejected_at_once_with_retry_after() -> None:
    open_files_or_skip(2048)  # one worker may have to hold all requests, two connections each
    leave = threading.Event()

    def wait(request: BaseHTTPRequestHandler) -> None:
        assert leave.wait(60)
        send(b"ok")(request)

    reads, writes = (
        nginx.MAX_CONCURRENT_READS,
        nginx.MAX_CONCURRENT_REQUESTS - nginx.MAX_CONCURRENT_READS,
    )
    with (
        in_front_of([wait], timeout=60) as (ask, [instance]),
        ThreadPoolExecutor(reads + writes) as pool,
    ):
        busy = [pool.submit(ask, "GET", "/") for _ in range(reads)]
        wait_until(lambda: len(instance.seen) == reads, "reads are missing")
        _is_refused_as_too_many(ask("GET", "/"))
        busy += [pool.submit(ask, "POST", "/", b"{}") for _ in range(writes)]
        wait_until(lambda: len(instance.seen) == reads + writes, "writes are missing")
        for method in ("GET", "POST", "PUT"):
            _is_refused_as_too_many(ask(method, "/"))
        leave.set()
        assert {future.result().read() for future in busy} == {b"ok"}
        assert ask("GET", "/").read() == b"ok"


def _is_refused_as_too_many(response: http.client.HTTPResponse) -> None:
    assert response.status == 503
    assert response.headers["Retry-After"] == "1"
    assert response.read().startswith(b"Error: too many requests at the moment; try again")


def test_request_has_one_id_in_log_instance_response_and_error() -> None:
    with in_front_of([send(b"ok")]) as (ask, [instance]):
        response = ask("GET", "/", X_Request_ID="0123456789")
        given = response.headers["X-Request-ID"]
        assert instance.seen[0].headers["X-Request-ID"] == given
        assert given != "0123456789", "a stranger chose it"
        ask("GET", "/ready").read()
    with in_front_of([disconnect]) as (ask, _):
        response = ask("GET", "/")
        assert f"(request {response.headers['X-Request-ID']})" in response.read().decode()


def test_access_log_is_json_with_upstream_times_and_without_probes() -> None:
    with in_front_of([disconnect, send(b"ok")]) as (ask, instances):
        log = Path(str(instances[0].server_address)).parent / "access.log"
        ask("GET", "/ready").read()
        ask("GET", "/live").read()
        asked = ask("GET", "/qa/questions?product_id=1", User_Agent='"\\')
        wait_until(log.read_text, "nothing is logged")
        [line] = [json.loads(line) for line in log.read_text().splitlines()]
        assert line["request"] == asked.headers["X-Request-ID"]
        assert (line["status"], line["uri"], line["agent"]) == (
            200,
            "/qa/questions?product_id=1",
            '"\\',
        )
        assert float(line["instance_seconds"].split(", ")[-1]) >= 0


_LOGGED_URIS = {
    "/": "/",
    "/?email=jane@x.org": "/?...",
    "/qa/questions?product_id=1&email=jane@x.org&page=2": "/qa/questions?product_id=1&...",
    "/qa/questions?email=jane@x.org": "/qa/questions?...",
    "/qa/questions?product_id=jane": "/qa/questions?...",
    "/qa/questions?product_id=1%20jane": "/qa/questions?...",
    "/qa/questions?product_id=1&": "/qa/questions?product_id=1&...",
    "/qa/questions/jane@x.org/answers": "/qa/questions/...",
    "/qa/questions/jane%40x.org/answers?page=2": "/qa/questions/...?page=2",
    "/jane@x.org": "/...",
    "/docsjane": "/...",
    "/console/audit?actor=jane&limit=5": "/console/audit?...",
    "/console/files/vendor/uplot-1.6.32.js": "/console/files/vendor/uplot-1.6.32.js",
    "/console/files/jane.js": "/console/files/...",
    "/console/sign-in?token=jane": "/console/sign-in?...",
    "/qa//questions/Jane%20Doe": "/qa/...",
    "/qa;jane/questions": "/...",
    "/admin/v1/token": "/admin/v1/token",
    "/admin/v1/token?limit=5&name=jane": "/admin/v1/token?limit=5&...",
    "/v1/jane": "/v1/...",
} | {
    uri: uri
    for uri in (
        "/qa/questions?product_id=1&page=2&count=3",
        "/qa/questions/?count=5&product_id=-1",
        "/qa/questions/7/answers",
        "/qa/answers/7/helpful/",
        "/docs/swagger-ui-bundle.js",
        "/openapi.yaml",
        "/products/1/questions?fragment=1&lang=de",
        "/questions/16",
        "/pages/page.css",
        "/robots.txt",
        "/sitemap.xml",
        "/sitemap/12.xml",
    )
}


def test_access_log_shows_only_known_path_segments_parameters_and_numbers() -> None:
    with in_front_of([send(b"ok")]) as (ask, instances):
        logged = {
            ask("GET", uri, User_Agent="Robot (jane@x.org)").headers["X-Request-ID"]: expected
            for uri, expected in _LOGGED_URIS.items()
        }
        log = Path(str(instances[0].server_address)).parent / "access.log"
        wait_until(
            lambda: len(log.read_text().splitlines()) == len(_LOGGED_URIS), "lines are missing"
        )
        text = log.read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        assert {line["request"]: line["uri"] for line in lines} == logged
        assert "jane" not in text.lower()


@pytest.mark.parametrize(("size", "packed_as"), [(5000, "gzip"), (4000, None)])
def test_large_response_is_compressed_if_accepted(size: int, packed_as: str | None) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", f"{size}")
        request.end_headers()
        request.wfile.write(b"x" * size)

    with in_front_of([answer]) as (ask, _):
        assert ask("GET", "/").read() == b"x" * size
        packed = ask("GET", "/", Accept_Encoding="gzip, deflate, br")
        assert packed.headers["Content-Encoding"] == packed_as
        body = packed.read()
        assert (gzip.decompress(body) if packed_as else body) == b"x" * size


@pytest.mark.parametrize("is_known", [False, True])
def test_host_configuration_is_accepted_by_nginx(tmp_path: Path, *, is_known: bool) -> None:
    version = nginx.version(nginx_program()) if is_known else ()
    text = nginx.host_configuration(
        nginx.Front("80", ["10.0.1.5:9000", "10.0.2.5:9000"]), Settings(), version
    )
    assert ("keepalive_min_timeout" in text) is (version >= (1, 27, 4))
    assert "server 10.0.2.5:9000 max_conns" in text
    assert "set_real_ip_from 10.0.0.0/8;" in text
    for place in ("/var/log/nginx", "/var/lib/nginx", "/run"):
        text = text.replace(place, str(tmp_path))
    text = text.replace("user www-data;", "").replace("listen 80 ", f"listen {free_port()} ")
    file = tmp_path / "nginx.conf"
    file.write_text(text)
    done = subprocess.run(
        [nginx_program(), "-t", "-p", tmp_path, "-c", file, "-e", "stderr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def until_told(leave: threading.Event) -> Answer:
    """Hang, and then send no response."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        assert leave.wait(60)
        disconnect(request)

    return answer

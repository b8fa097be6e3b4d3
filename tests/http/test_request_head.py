"""What is read without a parser is what the parser would have read."""

from typing import TypeAlias

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atelier.http.request_head import SimpleRequest, simple_request

LINE = b"GET /qa/questions?product_id=1 HTTP/1.1\r\n"


class Parsed:
    """What uvicorn's parser calls: a request's address and headers."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_message_complete(self) -> None:
        self.is_complete = True


@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b"Host: shop.example\r\n",
        b"host:shop.example\r\nX-Request-ID: 1\r\n",
        b"Host: shop.example\r\nConnection: keep-alive\r\n",
        b'If-None-Match: W/"a", "b"\r\nAccept: */*\r\n',
        b"Empty:\r\nX-Content-Length: 5\r\n",
    ],
)
def test_ordinary_requests_are_simple(headers: bytes) -> None:
    request = simple_request(LINE + headers + b"\r\n")
    assert request
    assert request[:3] == ("GET", "/qa/questions", "product_id=1")


@pytest.mark.parametrize(
    "rest",
    [b"\r\n", b"Content-Length: 0\r\n\r\n", b"content-length: 4\r\nHost: a\r\n\r\n\r\n{}"],
)
def test_a_put_request_may_have_a_short_body(rest: bytes) -> None:
    request = simple_request(b"PUT /qa/questions/1/helpful HTTP/1.1\r\n" + rest)
    assert request
    assert request[:3] == ("PUT", "/qa/questions/1/helpful", "")


@pytest.mark.parametrize(
    "rest",
    [
        b"\r\n{}",
        b"Content-Length: 2\r\n\r\n{",
        b"Content-Length: 2\r\n\r\n{} ",
        b"Content-Length: 1000\r\n\r\n" + b" " * 1000,
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length:2\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_other_bodies_are_left_to_the_parser(rest: bytes) -> None:
    assert simple_request(b"PUT /qa/questions/1/helpful HTTP/1.1\r\n" + rest) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        LINE,
        LINE + b"Host: shop.example\r\n",
        LINE + b"\r\nGET",
        LINE + b"Content-Length: 0\r\n\r\n",
        LINE + b"cOnTent-length:5\r\n\r\nabcde",
        LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE + b"Expect: 100-continue\r\n\r\n",
        LINE + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        LINE + b"Connection: close\r\n\r\n",
        LINE + b"Connection: keep-alive, close\r\n\r\n",
        LINE + b"Host: a\r\n b\r\n\r\n",
        LINE + b"Host : a\r\n\r\n",
        LINE + b"Host: a\n\r\n",
        LINE + b"Host: a\rb\r\n\r\n",
        LINE + b"Host: a\0\r\n\r\n",
        LINE + b"X: \xc3\xa9\r\n\r\n",
        LINE + b": a\r\n\r\n",
        LINE + b"no colon\r\n\r\n",
        LINE.replace(b"GET", b"HEAD") + b"\r\n",
        LINE.replace(b"GET", b"get") + b"\r\n",
        LINE.replace(b"1.1", b"1.0") + b"\r\n",
        LINE.replace(b"/qa", b"http://shop.example/qa") + b"\r\n",
        LINE.replace(b"questions", b"%71uestions") + b"\r\n",
        LINE.replace(b"=1", b"=%31") + b"\r\n",
        LINE.replace(b" HTTP", b"  HTTP") + b"\r\n",
        b"\r\n" + LINE + b"\r\n",
    ],
)
def test_whatever_is_unusual_is_left_to_the_parser(data: bytes) -> None:
    assert simple_request(data) is None


def test_a_header_is_found_by_its_whole_name_whatever_its_case() -> None:
    head = (
        b"X-Origin: a\r\nOrigin-X: b\r\nACCEPT: origin: c\r\noRiGin: \t https://d \r\nOrigin: e\r\n"
    )
    request = simple_request(LINE + head + b"\r\n")
    assert request
    assert request.header("origin") == "https://d"
    assert request.header("if-none-match") is None


NAMES = st.one_of(
    st.sampled_from(
        ["Host", "Origin", "Connection", "Content-Length", "Transfer-Encoding", "Expect", "Upgrade"]
    ),
    st.text("ab-_!:= \t\r\n\0é", max_size=4),
)
VALUES = st.one_of(
    st.sampled_from(["close", "keep-alive", "0", "chunked", "100-continue", "shop.example"]),
    st.text(st.characters(max_codepoint=255), max_size=6),
)


@given(
    st.sampled_from(["GET", "PUT", "POST", "get"]),
    st.text("/qa1?&=_-,.%#é ", max_size=10),
    st.lists(st.tuples(NAMES, st.sampled_from([":", ": ", " :", ""]), VALUES), max_size=4),
    st.sampled_from(["\r\n", "\n", "\r\n\r\n", "\r\n{}"]),
)
def test_the_parser_reads_a_simple_request_in_the_same_way(
    method: str, path: str, headers: list[tuple[str, str, str]], end: str
) -> None:
    lines = [f"{method} /{path} HTTP/1.1", *("".join(header) for header in headers)]
    data = ("\r\n".join(lines) + "\r\n" + end).encode("latin-1")
    request = simple_request(data)
    if request:
        assert shown(request) == parsed(data)


Shown: TypeAlias = tuple[str, str, list[tuple[bytes, bytes]]]


def parsed(data: bytes) -> Shown:
    """Return the path, the query and the headers as the parser reads them."""
    request = Parsed()
    parser = httptools.HttpRequestParser(request)
    parser.feed_data(data)
    assert request.is_complete
    assert parser.should_keep_alive()
    url = httptools.parse_url(request.url)
    headers = [(name.lower(), value) for name, value in request.headers]
    return url.path.decode(), (url.query or b"").decode(), headers


def shown(request: SimpleRequest) -> Shown:
    """Return the path, the query and the headers of a simple request."""
    return request.path, request.query, request.pairs()

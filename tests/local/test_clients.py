"""Who a client is to nginx, how much one may ask, and what is kept of it in logs."""

import http.client
import http.server
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from atelier.local.nginx import nginx
from atelier.settings import Settings
from tests.local.test_nginx import Ask, in_front_of
from tests.support.cluster import free_port, program, wait_for_port
from tests.support.postgres import temporary_folder
from tests.support.upstream import StandIn, send, stand_in
from tests.support.waiting import wait_until

_REQUESTS = {
    "reads": ("GET", "/qa/questions?product_id=1"),
    "votes": ("PUT", "/qa/answers/1/helpful"),
    "posts": ("POST", "/qa/questions"),
}
_BURST = 10  # the least


def settings(**variables: str) -> Settings:
    return Settings.from_environment(
        {f"ATELIER_{name.upper()}": value for name, value in variables.items()}
    )


@contextmanager
def limited(**variables: str) -> Iterator[tuple[Ask, StandIn]]:
    """Have nginx take ten requests of each kind from an address, and one more in ten seconds."""
    slow = dict.fromkeys(("rate_reads", "rate_votes", "rate_posts"), "0.1")
    given = settings(**{**slow, "rate_exempt": "none", **variables})
    with in_front_of([send(b"ok")], settings=given) as (ask, [instance]):
        yield ask, instance


def statuses(ask: Ask, kind: str, times: int, **how: str) -> list[int]:
    return [ask(*_REQUESTS[kind], **how).status for _ in range(times)]


@pytest.mark.parametrize("kind", _REQUESTS)
def test_more_than_a_burst_of_one_address_is_refused_before_an_instance_sees_it(kind: str) -> None:
    with limited() as (ask, instance):
        assert statuses(ask, kind, _BURST + 2) == [200] * _BURST + [429] * 2
        assert len(instance.seen) == _BURST


@pytest.mark.parametrize("kind", _REQUESTS)
def test_a_refusal_says_what_the_limit_is_and_when_to_come_again(kind: str) -> None:
    with limited(cors_origins="https://shop.example") as (ask, _):
        statuses(ask, kind, _BURST)
        refused = ask(*_REQUESTS[kind], Origin="https://shop.example")
        assert refused.status == 429
        assert refused.headers["RateLimit-Policy"] == f'"{kind}";q=10;w=100'
        assert refused.headers["RateLimit"] == f'"{kind}";r=0;t=10'
        assert refused.headers["Retry-After"] == "10"
        assert refused.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "RateLimit" in refused.headers["Access-Control-Expose-Headers"]
        assert refused.headers.get_all("Content-Type") == ["text/plain; charset=utf-8"]
        text = refused.read().decode()
        assert text.startswith("Error: too many requests from your address; try again shortly")
        assert refused.headers["X-Request-ID"] in text


def test_a_refusal_is_a_problem_document_for_those_who_ask_for_one() -> None:
    with limited() as (ask, _):
        statuses(ask, "votes", _BURST)
        refused = ask(*_REQUESTS["votes"], Accept="application/problem+json")
        problem = json.loads(refused.read())
        assert refused.headers.get_all("Content-Type") == ["application/problem+json"]
        assert (problem["status"], problem["title"]) == (429, "Too Many Requests")


def test_kinds_and_addresses_are_counted_each_for_itself() -> None:
    with limited() as (ask, _):
        for kind in _REQUESTS:
            for source in ("127.0.0.1", "127.0.0.2"):
                found = statuses(ask, kind, _BURST + 1, source=source)
                assert found == [200] * _BURST + [429]


def test_a_write_with_a_key_is_counted_as_one_without() -> None:
    with limited() as (ask, _):
        for kind in ("votes", "posts"):
            found = [
                ask(*_REQUESTS[kind], **({"Idempotency_Key": "k"} if n % 2 else {})).status
                for n in range(_BURST + 1)
            ]
            assert found[-1] == 429
            assert set(found[:-1]) == {200}


def test_what_is_off_or_exempt_is_not_counted() -> None:
    with limited(rate_reads="off", rate_exempt="127.0.0.2,10.0.0.0/8") as (ask, _):
        assert set(statuses(ask, "reads", 3 * _BURST)) == {200}
        assert set(statuses(ask, "votes", 3 * _BURST, source="127.0.0.2")) == {200}
        assert 429 in statuses(ask, "votes", 3 * _BURST)
    with limited(rate_exempt="") as (ask, _):
        assert set(statuses(ask, "posts", 3 * _BURST)) == {200}, "this machine is exempt by default"


def test_one_who_was_refused_is_taken_again_after_the_seconds_it_was_told() -> None:
    with limited(rate_votes="1") as (ask, _):
        while (answer := ask(*_REQUESTS["votes"])).status == 200:
            pass
        assert answer.headers["Retry-After"] == "1"
        wait_until(lambda: ask(*_REQUESTS["votes"]).status == 200, "nothing is taken again")


def test_of_ipv6_a_network_of_64_bits_is_one_client() -> None:
    with limited(trusted_proxies="127.0.0.1") as (ask, _):

        def asked(times: int, *clients: str) -> list[int]:
            return [
                status
                for client in clients
                for status in statuses(ask, "reads", times, X_Forwarded_For=client)
            ]

        assert asked(5, "2001:db8:1:2::1", "2001:db8:1:2:ffff::9") == [200] * _BURST
        assert asked(1, "2001:db8:1:2:3:4:5:6") == [429]
        assert asked(1, "2001:db8:1:3::1", "2001:db8:1:a0a::1", "2001:db8:1:d0a::1") == [200] * 3
        assert asked(_BURST, "1.2.3.4") == [200] * _BURST
        assert asked(1, "::ffff:1.2.3.4", "::ffff:1.2.3.5") == [429, 200]


def test_a_forged_address_changes_neither_the_limit_nor_the_log_nor_what_an_instance_is_told() -> (
    None
):
    with limited(trusted_proxies="127.0.0.9") as (ask, instance):
        for number in range(_BURST + 1):
            last = ask(
                *_REQUESTS["reads"],
                X_Forwarded_For=f"8.8.8.{number}",
                X_Real_IP="9.9.9.9",
                Forwarded="for=7.7.7.7",
            )
        assert last.status == 429
        assert {r.headers["X-Forwarded-For"] for r in instance.seen} == {"127.0.0.1"}
        assert {line["client"] for line in logged(instance, _BURST + 1)} == {"127.0.0.1"}


def test_a_trusted_proxy_says_who_asks_and_what_the_client_wrote_before_it_is_not_believed() -> (
    None
):
    with limited(trusted_proxies="127.0.0.1,10.0.0.0/8") as (ask, instance):
        ask("GET", "/", X_Forwarded_For="8.8.8.8, 203.0.113.7, 10.1.2.3").read()
        assert instance.seen[0].headers["X-Forwarded-For"] == "203.0.113.7"
        assert logged(instance, 1)[0]["client"] == "203.0.113.7"


@pytest.mark.parametrize(
    ("trusted", "client"), [("127.0.0.1", "203.0.113.7"), ("", "203.0.113.7"), ("none", None)]
)
def test_the_proxy_protocol_says_who_asks_if_the_proxy_is_trusted(
    trusted: str, client: str | None
) -> None:
    given = settings(trusted_proxies=trusted, proxy_protocol="on")
    port = free_port()
    with temporary_folder() as folder, stand_in(folder / "0.sock", send(b"ok")) as instance:
        command = nginx.configure(folder, port, [folder / "0.sock"], settings=given)
        with program(command):
            wait_for_port(port)
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(
                    b"PROXY TCP4 203.0.113.7 127.0.0.1 5555 80\r\n"
                    b"GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 8.8.8.8\r\n"
                    b"Connection: close\r\n\r\n"
                )
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                assert answer.status == 200
        assert instance.seen[0].headers["X-Forwarded-For"] == (client or "127.0.0.1")


@pytest.mark.parametrize(
    ("how", "clients"),
    [
        (
            "full",
            {"203.0.113.7": "203.0.113.7", "2001:db8:1:2::9": "2001:db8:1:2::9"},
        ),
        (
            "masked",
            {
                "203.0.113.7": "203.0.113.0",
                "2001:db8:1:2:3:4:5:6": "2001:db8:1::",
                "2001:db8::1": "2001:db8::",
                "2001::1": "2001::",
                "::1:2:3": "::",
                "::ffff:203.0.113.7": "203.0.113.0",
            },
        ),
        ("off", {"203.0.113.7": "", "2001:db8::1": ""}),
    ],
)
def test_an_address_is_logged_as_far_as_is_wanted(how: str, clients: dict[str, str]) -> None:
    with limited(log_addresses=how, trusted_proxies="127.0.0.1") as (ask, instance):
        for client in clients:
            ask("GET", f"/{client}", X_Forwarded_For=client).read()
        lines = logged(instance, len(clients))  # of two workers, in the order that they write
        assert {line["uri"][1:]: line["client"] for line in lines} == clients


def test_nothing_of_a_body_or_of_who_somebody_is_gets_into_the_log() -> None:
    private = {
        "Cookie": "session=s3cret",
        "Authorization": "Bearer s3cret",
        "Referer": "https://shop.example/?mail=s3cret@example.com",
        "Idempotency_Key": "s3cret",
        "X_Forwarded_For": "1.2.3.4",
    }
    body = b'{"email": "s3cret@example.com", "name": "s3cret"}'
    with limited() as (ask, instance):
        ask("POST", "/qa/questions", body, **private).read()
        ask("POST", "/qa/questions", body * 50_000, **private).read()
        assert {line["status"] for line in logged(instance, 2)} == {200, 413}
        folder = Path(str(instance.server_address)).parent
        for file in folder.glob("*.log"):
            assert "s3cret" not in file.read_text()


def test_every_answer_forbids_sniffing_and_referrers_once() -> None:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("X-Content-Type-Options", "nosniff")
        request.send_header("Content-Length", "0")
        request.end_headers()

    with in_front_of([answer]) as (ask, _):
        for method, path, status in [
            ("GET", "/docs", 200),
            ("GET", "/metrics", 404),
            ("GET", "/%zz", 400),
            ("TRACE", "/", 405),
        ]:
            found = ask(method, path)
            assert found.status == status
            assert found.headers.get_all("X-Content-Type-Options") == ["nosniff"]
            assert found.headers.get_all("Referrer-Policy") == ["no-referrer"]


@pytest.mark.parametrize(
    ("allowed", "origin", "answer"),
    [
        ("*", "https://a.example", "*"),
        ("https://a.example,http://b.example:8080", "http://b.example:8080", None),
        ("https://a.example", "https://a.example.evil", ""),
        ("none", "https://a.example", ""),
    ],
)
def test_an_error_of_nginx_may_be_read_by_the_origins_that_are_allowed(
    allowed: str, origin: str, answer: str | None
) -> None:
    with limited(cors_origins=allowed) as (ask, _):
        found = ask("GET", "/metrics", Origin=origin)
        expected = origin if answer is None else answer
        assert (found.headers["Access-Control-Allow-Origin"] or "") == expected
        varies = re.split(", *", found.headers["Vary"])
        assert varies == (["Accept"] if allowed == "*" else ["Accept", "Origin"])


def logged(instance: StandIn, lines: int) -> list[dict[str, Any]]:
    """Return what the access log holds, once so many requests are in it."""
    log = Path(str(instance.server_address)).parent / "access.log"
    wait_until(lambda: len(log.read_text().splitlines()) >= lines, "lines are missing")
    return [json.loads(line) for line in log.read_text().splitlines()]

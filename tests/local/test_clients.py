"""Client addresses, rate limits, access log and response headers of nginx."""

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
from tests.support.upstream import FakeInstance, fake_instance, send
from tests.support.waiting import wait_until

_REQUESTS = {
    "reads": ("GET", "/qa/questions?product_id=1"),
    "votes": ("PUT", "/qa/answers/1/helpful"),
    "posts": ("POST", "/qa/questions"),
    "sign_ins": ("POST", "/console/sign-in"),
}
_BURST = 10  # the minimum


def settings(**variables: str) -> Settings:
    return Settings.from_environment(
        {f"ATELIER_{name.upper()}": value for name, value in variables.items()}
    )


@contextmanager
def limited(**variables: str) -> Iterator[tuple[Ask, FakeInstance]]:
    """Limit each kind to a burst of ten requests and one more every ten seconds."""
    slow = dict.fromkeys([f"rate_{kind}" for kind in _REQUESTS], "0.1")
    configured = settings(**{**slow, "rate_exempt": "none", **variables})
    with in_front_of([send(b"ok")], settings=configured) as (ask, [instance]):
        yield ask, instance


def statuses(ask: Ask, kind: str, times: int, **arguments: str) -> list[int]:
    return [ask(*_REQUESTS[kind], **arguments).status for _ in range(times)]


@pytest.mark.parametrize("kind", _REQUESTS)
def test_requests_beyond_the_burst_are_rejected_without_an_instance(kind: str) -> None:
    with limited() as (ask, instance):
        assert statuses(ask, kind, _BURST + 2) == [200] * _BURST + [429] * 2
        assert len(instance.seen) == _BURST


@pytest.mark.parametrize("kind", _REQUESTS)
def test_rejection_names_the_limit_and_when_to_retry(kind: str) -> None:
    with limited(cors_origins="https://shop.example") as (ask, _):
        statuses(ask, kind, _BURST)
        rejected = ask(*_REQUESTS[kind], Origin="https://shop.example")
        assert rejected.status == 429
        assert rejected.headers["RateLimit-Policy"] == f'"{kind}";q=10;w=100'
        assert rejected.headers["RateLimit"] == f'"{kind}";r=0;t=10'
        assert rejected.headers["Retry-After"] == "10"
        allowed = None if kind == "sign_ins" else "https://shop.example"
        assert rejected.headers["Access-Control-Allow-Origin"] == allowed
        assert "RateLimit" in rejected.headers["Access-Control-Expose-Headers"]
        assert rejected.headers.get_all("Content-Type") == ["text/plain; charset=utf-8"]
        text = rejected.read().decode()
        assert text.startswith("Error: too many requests from your address; try again shortly")
        assert rejected.headers["X-Request-ID"] in text


def test_rejection_is_a_problem_document_on_request() -> None:
    with limited() as (ask, _):
        statuses(ask, "votes", _BURST)
        rejected = ask(*_REQUESTS["votes"], Accept="application/problem+json")
        problem = json.loads(rejected.read())
        assert rejected.headers.get_all("Content-Type") == ["application/problem+json"]
        assert (problem["status"], problem["title"]) == (429, "Too Many Requests")


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("votes", "PUT", "/v1/answers/1/vote"),
        ("votes", "DELETE", "/v1/questions/1/vote/"),
        ("votes", "POST", "/v1/questions/1/reports"),
        ("votes", "POST", "/v1/answers/1/reports/?x=1"),
        ("posts", "POST", "/v1/products/1/questions"),
        ("posts", "POST", "/v1/questions/1/answers"),
        ("posts", "POST", "/qa/questions?/v1/questions/1/reports"),
    ],
)
def test_the_limit_of_a_request_follows_from_its_method_and_path(
    kind: str, method: str, path: str
) -> None:
    with limited() as (ask, _):
        statuses(ask, kind, _BURST)
        rejected = ask(method, path)
        assert rejected.status == 429
        assert rejected.headers["RateLimit-Policy"].startswith(f'"{kind}"')


def test_kinds_and_addresses_are_counted_separately() -> None:
    with limited() as (ask, _):
        for kind in _REQUESTS:
            for source in ("127.0.0.1", "127.0.0.2"):
                responses = statuses(ask, kind, _BURST + 1, source=source)
                assert responses == [200] * _BURST + [429]


def test_writes_with_and_without_a_key_are_counted_together() -> None:
    with limited() as (ask, _):
        for kind in ("votes", "posts"):
            responses = [
                ask(*_REQUESTS[kind], **({"Idempotency_Key": "k"} if n % 2 else {})).status
                for n in range(_BURST + 1)
            ]
            assert responses[-1] == 429
            assert set(responses[:-1]) == {200}


def test_disabled_limits_and_exempt_networks_reject_nothing() -> None:
    with limited(rate_reads="off", rate_exempt="127.0.0.2,10.0.0.0/8") as (ask, _):
        assert set(statuses(ask, "reads", 3 * _BURST)) == {200}
        assert set(statuses(ask, "votes", 3 * _BURST, source="127.0.0.2")) == {200}
        assert 429 in statuses(ask, "votes", 3 * _BURST)
    with limited(rate_exempt="") as (ask, _):
        assert set(statuses(ask, "posts", 3 * _BURST)) == {200}, "this machine is exempt by default"


def test_requests_are_accepted_again_after_the_wait() -> None:
    with limited(rate_votes="1") as (ask, _):
        while (response := ask(*_REQUESTS["votes"])).status == 200:
            pass
        assert response.headers["Retry-After"] == "1"
        wait_until(lambda: ask(*_REQUESTS["votes"]).status == 200, "nothing is accepted again")


def test_ipv6_network_of_64_bits_is_one_client() -> None:
    with limited(trusted_proxies="127.0.0.1") as (ask, _):

        def responses(times: int, *clients: str) -> list[int]:
            return [
                status
                for client in clients
                for status in statuses(ask, "reads", times, X_Forwarded_For=client)
            ]

        assert responses(5, "2001:db8:1:2::1", "2001:db8:1:2:ffff::9") == [200] * _BURST
        assert responses(1, "2001:db8:1:2:3:4:5:6") == [429]
        assert (
            responses(1, "2001:db8:1:3::1", "2001:db8:1:a0a::1", "2001:db8:1:d0a::1") == [200] * 3
        )
        assert responses(_BURST, "1.2.3.4") == [200] * _BURST
        assert responses(1, "::ffff:1.2.3.4", "::ffff:1.2.3.5") == [429, 200]


def test_forged_address_changes_neither_limit_nor_log_nor_forwarded_address() -> None:
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


def test_client_address_is_the_last_one_before_the_trusted_proxies() -> None:
    with limited(trusted_proxies="127.0.0.1,10.0.0.0/8") as (ask, instance):
        ask("GET", "/", X_Forwarded_For="8.8.8.8, 203.0.113.7, 10.1.2.3").read()
        assert instance.seen[0].headers["X-Forwarded-For"] == "203.0.113.7"
        assert logged(instance, 1)[0]["client"] == "203.0.113.7"


@pytest.mark.parametrize(
    ("trusted", "client"), [("127.0.0.1", "203.0.113.7"), ("", "203.0.113.7"), ("none", None)]
)
def test_proxy_protocol_address_is_accepted_from_trusted_proxies(
    trusted: str, client: str | None
) -> None:
    configured = settings(trusted_proxies=trusted, proxy_protocol="on")
    port = free_port()
    with temporary_folder() as folder, fake_instance(folder / "0.sock", send(b"ok")) as instance:
        command = nginx.configure(folder, port, [folder / "0.sock"], settings=configured)
        with program(command):
            wait_for_port(port)
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(
                    b"PROXY TCP4 203.0.113.7 127.0.0.1 5555 80\r\n"
                    b"GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 8.8.8.8\r\n"
                    b"Connection: close\r\n\r\n"
                )
                response = http.client.HTTPResponse(connection)
                response.begin()
                assert response.status == 200
        assert instance.seen[0].headers["X-Forwarded-For"] == (client or "127.0.0.1")


@pytest.mark.parametrize(
    ("mode", "clients"),
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
def test_address_is_logged_as_configured(mode: str, clients: dict[str, str]) -> None:
    with limited(log_addresses=mode, trusted_proxies="127.0.0.1") as (ask, instance):
        for number, client in enumerate(clients):
            ask("GET", f"/{number}", X_Forwarded_For=client).read()
        lines = logged(instance, len(clients))  # in any order: each worker buffers its lines
        by_uri = {line["uri"]: line["client"] for line in lines}
        assert by_uri == {f"/{number}": shown for number, shown in enumerate(clients.values())}


def test_bodies_and_credentials_are_not_logged() -> None:
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


def test_every_response_forbids_sniffing_and_referrers_once() -> None:
    def respond(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("X-Content-Type-Options", "nosniff")
        request.send_header("Content-Length", "0")
        request.end_headers()

    with in_front_of([respond]) as (ask, _):
        for method, path, status in [
            ("GET", "/docs", 200),
            ("GET", "/metrics", 404),
            ("GET", "/%zz", 400),
            ("TRACE", "/", 405),
        ]:
            response = ask(method, path)
            assert response.status == status
            assert response.headers.get_all("X-Content-Type-Options") == ["nosniff"]
            assert response.headers.get_all("Referrer-Policy") == ["no-referrer"]


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ("*", "https://a.example", "*"),
        (
            "https://a.example,http://b.example:8080",
            "http://b.example:8080",
            "http://b.example:8080",
        ),
        ("https://a.example", "https://a.example.evil", None),
        ("none", "https://a.example", None),
    ],
)
def test_allowed_origins_can_read_nginx_errors(
    allowed: str, origin: str, expected: str | None
) -> None:
    with limited(cors_origins=allowed) as (ask, _):
        headers = ask("GET", "/metrics", Origin=origin).headers
        assert headers["Access-Control-Allow-Origin"] == expected
        varies = re.split(", *", headers["Vary"])
        assert varies == (["Accept"] if allowed == "*" else ["Accept", "Origin"])


_ADMIN_PATHS = [
    *("/admin", "/admin/", "/admin/v1/token", "/admin/v1/token?a=1", "/%61dmin/v1/token"),
    *("//admin/v1/token", "/x/../admin/v1/token", "/admin%2Fv1%2Ftoken", "/./admin/v1/token"),
    *("/console", "/console/sign-in", "/%63onsole", "//console", "/x/../console/files/queue.js"),
]


@pytest.mark.parametrize("networks", ["127.0.0.2,10.0.0.0/8", "none"])
def test_other_networks_are_kept_out_of_admin_without_an_instance(networks: str) -> None:
    with limited(admin_networks=networks, rate_exempt="127.0.0.0/8") as (ask, instance):
        for path in _ADMIN_PATHS:
            for method in ("GET", "POST", "PUT", "DELETE"):
                kept_out = ask(method, path, Authorization="Bearer x", Idempotency_Key="k")
                assert kept_out.status == 403, path
        assert not instance.seen
        kept_out = ask("GET", "/admin/v1/token")
        assert json.loads(kept_out.read()) == {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "clients of your network may not use this API",
        }
        assert kept_out.headers["Access-Control-Allow-Origin"] is None
        for path in ("/qa/questions", "/v1/products/1/questions", "/a/admin"):
            assert ask("GET", path).status == 200


def test_admin_networks_reach_admin() -> None:
    for networks, source in [
        ("127.0.0.2,10.0.0.0/8", "127.0.0.2"),
        ("", "127.0.0.1"),
        ("0.0.0.0/0,::/0", "127.0.0.1"),
    ]:
        with limited(admin_networks=networks, rate_exempt="127.0.0.0/8") as (ask, instance):
            for method in ("GET", "POST", "PUT", "DELETE"):
                for path in ("/admin/v1/token", "/console/queue"):
                    assert ask(method, path, source=source).status == 200
            assert len(instance.seen) == 8


def test_the_network_of_an_admin_is_that_of_the_client_behind_a_trusted_proxy() -> None:
    proxied = {"admin_networks": "203.0.113.0/24,2001:db8::/32", "trusted_proxies": "127.0.0.1"}
    with limited(**proxied) as (ask, _):
        for client, status in [
            ("203.0.113.9", 200),
            ("203.0.114.9", 403),
            ("2001:db8::9", 200),
            ("2001:db9::9", 403),
        ]:
            assert ask("GET", "/admin/v1/token", X_Forwarded_For=client).status == status
        assert ask("GET", "/admin/v1/token").status == 403


def logged(instance: FakeInstance, lines: int) -> list[dict[str, Any]]:
    """Return the lines of the access log, once there are at least `lines`."""
    log = Path(str(instance.server_address)).parent / "access.log"
    wait_until(lambda: len(log.read_text().splitlines()) >= lines, "lines are missing")
    return [json.loads(line) for line in log.read_text().splitlines()]

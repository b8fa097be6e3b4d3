"""Settings of limits and client addresses at startup, on reload and in `nginx-config`."""

import http.client
import json
import socket
from pathlib import Path

from atelier.local.host.home import Home
from tests.cluster.conftest import Operated
from tests.support.cluster import free_port
from tests.support.commands import up
from tests.support.postgres import temporary_folder
from tests.support.waiting import wait_until


def test_reload_changes_the_limits_and_the_origins(operated: Operated) -> None:
    configuration = Home.open(operated.home).run / "service" / "nginx.conf"
    before = configuration.read_text()
    assert "rate=100r/s" in before
    changes = {"ATELIER_RATE_READS": "7", "ATELIER_CORS_ORIGINS": "https://shop.example"}
    operated.command("reload", **changes)
    after = configuration.read_text()
    assert "rate=7r/s" in after
    assert '"https://shop.example"' in after
    operated.command("reload", **dict.fromkeys(changes, ""))
    assert configuration.read_text().replace("7500ms", "") == before.replace("7500ms", "")


def test_host_configuration_uses_the_same_settings(operated: Operated) -> None:
    arguments = ("nginx-config", "--server", "10.0.1.5:9000")
    text = operated.command(
        *arguments,
        ATELIER_RATE_POSTS="0.5",
        ATELIER_RATE_EXEMPT="192.0.2.0/24",
        ATELIER_TRUSTED_PROXIES="198.51.100.7",
        ATELIER_PROXY_PROTOCOL="on",
    )
    for part in (
        "zone=rate_posts:10m rate=30r/m;",
        "192.0.2.0/24 1;",
        "set_real_ip_from 198.51.100.7/32;",
        "real_ip_header proxy_protocol;",
        "listen 80 backlog=4096 proxy_protocol;",
    ):
        assert part in text
    assert "set_real_ip_from 10.0.0.0/8;" not in text
    assert "set_real_ip_from 10.0.0.0/8;" in operated.command(*arguments)


def test_service_starts_with_the_proxy_protocol() -> None:
    port = free_port()
    settings = {"PORT": str(port), "INSTANCES": "1", "ATELIER_METRICS_PORT": str(free_port())}
    with temporary_folder() as folder:
        home = folder / "home"
        with up(home, ATELIER_PROXY_PROTOCOL="on", **settings) as running:
            running.wait_for("Ready")
            assert _status_of("203.0.113.7", port) == 200
            log = home / "log" / "access.log"
            wait_until(lambda: _clients(log) == ["203.0.113.7"], "the client is not logged")


def _status_of(client: str, port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = "GET /qa/questions?product_id=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        connection.sendall(f"PROXY TCP4 {client} 127.0.0.1 5555 80\r\n{head}".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status


def _clients(log: Path) -> list[str]:
    return [json.loads(line)["client"] for line in log.read_text().splitlines()]

"""What clients with open connections notice of a reload of nginx."""

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from atelier.local.host.programs import nginx_program
from atelier.local.nginx import nginx
from tests.support.cluster import free_port, program, wait_for_port
from tests.support.parts import program_or_skip
from tests.support.postgres import temporary_folder
from tests.support.upstream import fake_instance, send

_CLIENTS = 50
_SECONDS = 0.5
_KEEPS_IDLE_CONNECTIONS = (1, 27, 4)
_MIN_TIMEOUT = 2.0
"""The seconds after its last request for which that nginx keeps a connection (nginx.conf)."""
_POST = b"POST /qa/questions HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n{}"


class Client:
    """A client that keeps its connection, and looks whether it is still open before it posts."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def connect(self) -> None:
        """Open a connection, and use it for the first time."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        await self._send(b"GET /qa/questions?product_id=1 HTTP/1.1\r\nHost: shop\r\n\r\n")

    async def post_soon(self) -> bytes | None:
        """Return the status of a post; None if the connection was closed without a response."""
        await asyncio.sleep(random.uniform(0, _SECONDS))
        try:
            if self._reader.at_eof():
                self._writer.close()
                await self.connect()
            return await self._send(_POST)
        except (OSError, EOFError):
            return None
        finally:
            self._writer.close()

    async def _send(self, request: bytes) -> bytes:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        await self._reader.readexactly(int(length[1]) if length else 0)
        return head.split()[1]


def system_nginx() -> Path:
    return Path(program_or_skip("nginx", "nginx-light"))


@pytest.mark.parametrize("find", [nginx_program, system_nginx], ids=["wheel", "system"])
async def test_a_post_during_a_reload_is_answered_or_never_reaches_an_instance(
    find: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find()
    monkeypatch.setattr(nginx, "nginx_program", lambda: found)
    port = free_port()
    posted = 0

    def answer(request: BaseHTTPRequestHandler) -> None:
        nonlocal posted
        posted += request.command == "POST"
        send(b"ok")(request)

    with temporary_folder() as folder, fake_instance(folder / "1.sock", answer):
        command = nginx.configure(folder, port, [folder / "1.sock"])
        with program(command) as running:
            wait_for_port(port)
            start = time.monotonic()
            clients = [Client(port) for _ in range(_CLIENTS)]
            await asyncio.gather(*(client.connect() for client in clients))
            running.send_signal(signal.SIGHUP)
            statuses = Counter(await asyncio.gather(*(each.post_soon() for each in clients)))
    assert set(statuses) <= {b"200", None}
    assert posted == statuses[b"200"]
    is_kept = nginx.version(found) >= _KEEPS_IDLE_CONNECTIONS
    if is_kept and time.monotonic() - start < _MIN_TIMEOUT:
        assert statuses == {b"200": _CLIENTS}

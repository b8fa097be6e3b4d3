"""A receiver of webhooks on the loopback interface, which records what it gets."""

import base64
import hmac
import json
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[["Received"], int]
"""Returns the status of a response; it may take its time."""


@dataclass
class Received:
    """A request; times are monotonic seconds.

    It ends when its answer is known, just before the sender can know it, or when its sender is seen
    to have given it up: one that waits no longer, or was killed, may send it again.
    """

    path: str
    headers: Message
    body: bytes
    connection: socket.socket
    began_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    is_late: bool = False
    """Whether its sender had given it up before it was read."""

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def is_given_up(self) -> bool:
        """Whether the sender has closed the connection: it sends nothing after its request."""
        poll = select.poll()
        poll.register(self.connection)
        return any(events & ~select.POLLOUT for _, events in poll.poll(0))


class Receiver(ThreadingHTTPServer):
    """Answers as told, 204 by default."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, answer: Answer, headers: Mapping[str, str], port: int) -> None:
        self.received: list[Received] = []
        self._lock = threading.Lock()
        begin, end = self._begin, self._end

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = begin(Received(self.path, self.headers, body, self.connection))
                try:
                    status = answer(request)
                finally:
                    end(request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - as http.server looks it up

            def log_message(self, *_: object) -> None:
                """Log nothing: the tests report failures."""

        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, *_: object) -> None:
        """Ignore senders that are killed."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def _begin(self, request: Received) -> Received:
        with self._lock:
            for each in self.received:
                if each.ended_at is None and each.is_given_up:
                    each.ended_at = request.began_at
            request.is_late = request.is_given_up
            self.received.append(request)
        return request

    def _end(self, request: Received) -> None:
        with self._lock:
            request.ended_at = request.ended_at or time.monotonic()

    def overlaps(self, key: Callable[[Received], object]) -> list[Received]:
        """Return the requests that began before an earlier one with the same key had ended."""
        ends: dict[object, float] = {}
        found = []
        in_time = [each for each in self.received if not each.is_late]
        for request in sorted(in_time, key=lambda each: each.began_at):
            if request.began_at < ends.get(key(request), 0):
                found.append(request)
            ends[key(request)] = max(ends.get(key(request), 0), request.ended_at or float("inf"))
        return found


@contextmanager
def receiver(
    answer: Answer = lambda _: 204,
    headers: Mapping[str, str] | None = None,
    certificate: Path | None = None,
    port: int = 0,
) -> Iterator[Receiver]:
    """Yield a running receiver, with TLS if there is a file with a key and a certificate."""
    with Receiver(answer, headers or {}, port) as server:
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def is_signed(request: Received, secret: str) -> bool:
    """Return whether a signature is that of a secret, as Standard Webhooks specifies it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{request.id}.{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    signatures = request.headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(each, f"v1,{expected}") for each in signatures)

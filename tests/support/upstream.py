"""Fake instances that record requests and respond, or fail, as the test requires."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

Answer = Callable[[BaseHTTPRequestHandler], None]


class FakeInstance(socketserver.ThreadingUnixStreamServer):
    """A server on a unix socket whose responses come from a function."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, path: Path, answer: Answer) -> None:
        self.seen: list[BaseHTTPRequestHandler] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline()
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                seen.append(self)
                answer(self)

            def log_message(self, *_: object) -> None:
                """Log nothing: the tests report failures."""

        super().__init__(str(path), Handler)
        path.chmod(0o666)


@contextmanager
def fake_instance(path: Path, answer: Answer) -> Iterator[FakeInstance]:
    """Yield a running fake instance."""
    with FakeInstance(path, answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def send(body: bytes) -> Answer:
    """Return a responder: 200 with a body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(b"" if request.command == "HEAD" else body)

    return answer


def disconnect(request: BaseHTTPRequestHandler) -> None:
    """Send no response: the instance dies during the request."""
    request.close_connection = True

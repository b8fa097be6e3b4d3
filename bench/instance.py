"""What a page costs an instance in Python: `python -m bench.instance [PAGES]`.

The real protocol gets requests as nginx sends them, from 12 connections; neither sockets nor a
database take part. Run it in two checkouts to compare them.
"""

import asyncio
import sys
import time
from itertools import count
from typing import Any

import uvloop
from uvicorn.server import ServerState

from atelier.http.app import create_service
from atelier.http.server import configuration
from atelier.settings import Settings
from atelier.store.connections.database import Database

_CONNECTIONS, _ROUNDS, _PAGES = 12, 5, 20_000
_REQUEST = (
    b"GET /qa/questions?product_id=%d HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
    b"X-Request-ID: 0123456789abcdef0123456789abcdef\r\nX-Forwarded-For: 127.0.0.1\r\n"
    b"X-Forwarded-Proto: http\r\n\r\n"
)
_DATE = [(b"date", b"Fri, 27 Nov 2026 13:00:00 GMT")]
_DOCUMENT = b'{"question_id":1,"question_body":"%b"}' % (b"x" * 600)
_NO_DATABASE = "postgresql://127.0.0.1:1/none"


class _Connection(asyncio.Transport):
    """A connection that keeps nothing of what is written to it."""

    def __init__(self, answered: "list[_Connection]") -> None:
        super().__init__()
        self.protocol: Any = None
        self._answered = answered

    def write(self, _data: object) -> None:
        self._answered.append(self)

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, _name: str, default: object = None) -> object:
        return default


async def _read(_database: Database, _query: str, *arguments: list[int]) -> list[tuple[bytes, int]]:
    await asyncio.sleep(0)
    return [(_DOCUMENT, 1)] * len(arguments[0])


def _connect(answered: list[_Connection]) -> list[_Connection]:
    config = configuration(create_service(Settings(), _NO_DATABASE))
    config.load()
    state = ServerState()
    state.default_headers = _DATE
    connections = [_Connection(answered) for _ in range(_CONNECTIONS)]
    for connection in connections:
        connection.protocol = config.http_protocol_class(  # type: ignore[call-arg] # a class of uvicorn's
            config, state, {}, asyncio.get_running_loop()
        )
        connection.protocol.connection_made(connection)
    return connections


async def _measure(pages: int) -> float:
    """Return the CPU time of a page in microseconds, of the quickest of several rounds."""
    answered: list[_Connection] = []
    connections = _connect(answered)
    products, rounds = count(100_000), []
    for _ in range(_ROUNDS):
        started_at = time.process_time()
        for _ in range(0, pages, _CONNECTIONS):
            for connection in connections:
                connection.protocol.data_received(_REQUEST % next(products))
            while len(answered) < _CONNECTIONS:  # noqa: ASYNC110 - as many as were asked
                await asyncio.sleep(0)
            answered.clear()
        rounds.append(time.process_time() - started_at)
    return min(rounds) / pages * 1e6


if __name__ == "__main__":
    Database.read = _read  # type: ignore[method-assign,assignment] # no database takes part
    number = int(sys.argv[1]) if len(sys.argv) > 1 else _PAGES
    sys.stdout.write(f"{uvloop.run(_measure(number)):.1f} µs a page\n")

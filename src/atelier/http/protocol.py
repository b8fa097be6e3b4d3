"""uvicorn's HTTP protocol with a fast path for pages and the contract's 400 response."""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import falcon
import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from atelier.http.common.cors import CorsPolicy
from atelier.http.fast_path import FastPath, fail_on_asgi_path
from atelier.http.pending import Pending
from atelier.http.request_head import SimpleRequest, simple_request

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

Headers: TypeAlias = list[tuple[bytes, bytes]]

CONNECTION_CLOSE = (b"connection", b"close")
"""The header of all responses while an instance drains its connections."""

_MIN_IDLE_SECONDS = 1.0
_METHOD = re.compile(rb"[A-Z_-]+(?= )")
_UNKNOWN_METHOD = b"PURGE"
"""A method that the parser knows and Falcon does not; replaces those that the parser rejects."""
_METHODS = {_UNKNOWN_METHOD, *(method.encode() for method in falcon.COMBINED_METHODS)}
_TEXT = b"Error: the request cannot be understood"
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n%b%b\r\n%b"
)


class _Lines:
    """Headers as lines, kept until uvicorn replaces the list, once a second for the date."""

    def __init__(self) -> None:
        self._headers: Headers = []
        self._lines = b""

    def of(self, headers: Headers) -> bytes:
        if headers is not self._headers:
            self._lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            self._headers = headers
        return self._lines


class Protocol(HttpToolsProtocol):
    """Serves simple requests on the fast path; uvicorn serves the rest.

    While a page is read or a vote counted, uvicorn knows nothing of the request: what it would do
    meanwhile (read the next request, stop, close an idle connection) is done or put off here.
    """

    fast_path: ClassVar[FastPath]
    cors: ClassVar[CorsPolicy]
    default_lines: ClassVar[_Lines]

    _connection: Mapping[str, object]
    """The connection's part of the ASGI scope."""
    _pending: Pending | None = None
    """The response that is being made."""
    _failed: Pending | None = None
    """One that failed: its request is parsed again for the ASGI path."""
    _request: SimpleRequest
    _request_data: bytes
    """Its request, and the bytes of that."""
    _queued = b""
    """What the client has sent meanwhile."""
    _is_parsing = False
    """Whether the parser has the beginning of a request."""
    _is_stopping = False
    _active_at = 0.0
    """When the last response was sent, as a time of the event loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Take the connection."""
        super().connection_made(transport)
        self._connection = {"client": self.client, "scheme": self.scheme}

    def data_received(self, data: bytes) -> None:
        """Start what a simple request asks for, or let uvicorn parse the data."""
        if self._pending:
            self.flow.pause_reading()
            self._queued += data
        elif not (self._is_free() and self._start(data)):
            self._parse(data)

    def _is_free(self) -> bool:
        """Return whether no other request is in progress, and a response can be written at once."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self._is_parsing
            and not self.flow.write_paused
            and CONNECTION_CLOSE not in self.server_state.default_headers
        )

    def _start(self, data: bytes) -> bool:
        request = simple_request(data)
        if request is None:
            return False
        self._pending = self.fast_path.start(request, self._connection, self._respond)
        self._request, self._request_data = request, data
        return self._pending is not None

    def _respond(self, pending: Pending) -> None:
        self._pending = None
        try:
            head, body = pending.response()
        except Exception:  # noqa: BLE001 - raised again on the ASGI path
            self._failed = pending
        if self.transport.is_closing():
            return
        if self._failed:
            self._parse(self._request_data)
        else:
            self.transport.write(b"%b%b\r\n%b" % (head, self._headers(), body))
            self._finish()
        if self._queued:
            data, self._queued = self._queued, b""
            self.data_received(data)

    def _headers(self) -> bytes:
        """Return the headers that all responses have, the same as on the ASGI path."""
        defaults = self.server_state.default_headers
        lines = self.default_lines.of(defaults) + self.cors.headers(self._request.header("origin"))
        if self._is_stopping and CONNECTION_CLOSE not in defaults:
            lines += b"connection: close\r\n"
        return lines

    def _finish(self) -> None:
        """Leave the connection as uvicorn does after a response."""
        self.server_state.total_requests += 1
        self._active_at = self.loop.time()
        if self._is_stopping:
            self.transport.close()
        elif self._queued:
            self.flow.resume_reading()
        elif self.timeout_keep_alive_task is None:
            self._close_when_idle(self.timeout_keep_alive)

    def _close_when_idle(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is idle: a timer is not set again for every response."""
        left = self._active_at + self.timeout_keep_alive - self.loop.time()
        if self._pending or left > 0:
            self._close_when_idle(max(left, _MIN_IDLE_SECONDS))
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """Close the connection, after the response that is being made."""
        if self._pending:
            self._is_stopping = True
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_parsing = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note that a request is complete."""
        self._is_parsing = False
        super().on_message_complete()

    def _parse(self, data: bytes) -> None:
        """Parse the data; respond to malformed HTTP with nginx's text for 400.

        uvicorn's own method sends another text and logs each malformed request. An Upgrade header
        is ignored, which HTTP allows.
        """
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._reject(data)
        except httptools.HttpParserUpgrade:
            pass

    def _reject(self, data: bytes) -> None:
        """Reject what cannot be parsed, after the response to a request in progress."""
        method = _METHOD.match(data)
        if self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body):
            self.cycle.keep_alive = False
        elif method and method[0] not in _METHODS and not (self.cycle and self.cycle.more_body):
            self._reparse(_UNKNOWN_METHOD + data[method.end() :])
        else:
            self._send_bad_request()

    def _reparse(self, data: bytes) -> None:
        """Parse a request whose method was replaced: the application responds with 405 or 404."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as in uvicorn
        self._parse(data)

    def _send_bad_request(self) -> None:
        lines = self.default_lines.of(self.server_state.default_headers)
        cors = self.cors.default_headers
        self.transport.write(_BAD_REQUEST % (len(_TEXT), cors, lines, _TEXT))
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        if self._failed:
            fail_on_asgi_path(self._failed, cycle.scope)
            self._failed = None
            cycle.keep_alive = cycle.keep_alive and not self._is_stopping
        super()._start_asgi_task(cycle, app)


def protocol(fast_path: FastPath, cors: CorsPolicy) -> type[Protocol]:
    """Return the protocol class of an instance."""
    return type(
        "Protocol", (Protocol,), {"fast_path": fast_path, "cors": cors, "default_lines": _Lines()}
    )

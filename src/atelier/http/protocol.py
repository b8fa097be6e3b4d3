"""uvicorn's HTTP protocol with a fast path for pages and the contract's 400 response."""

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import falcon
import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from atelier.http.common.cors import CorsPolicy
from atelier.http.fast_path import FastPath, Pending, fail_on_asgi_path

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

CONNECTION_CLOSE = (b"connection", b"close")
"""The header of all responses while an instance drains its connections."""

_METHOD = re.compile(rb"[A-Z_-]+(?= )")
_UNKNOWN_METHOD = b"PURGE"
"""A method that the parser knows and Falcon does not; replaces those that the parser rejects."""
_METHODS = {_UNKNOWN_METHOD, *(method.encode() for method in falcon.COMBINED_METHODS)}
_TEXT = b"Error: the request cannot be understood"
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n%b%b\r\n%b"
)


class Protocol(HttpToolsProtocol):
    """Serves pages on the fast path instead of starting an ASGI task for the parsed request.

    uvicorn reads the connection's state (busy, pipelined, disconnected, to be closed) from the
    request's cycle; the fast path updates it as `RequestResponseCycle.send` does.
    """

    fast_path: ClassVar[FastPath]
    cors: ClassVar[CorsPolicy]

    def data_received(self, data: bytes) -> None:
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
        self.data_received(data)

    def _send_bad_request(self) -> None:
        headers = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        cors = self.cors.default_headers
        self.transport.write(_BAD_REQUEST % (len(_TEXT), cors, b"".join(headers), _TEXT))
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        page = self.fast_path.start(cycle.scope) if self._is_eligible(cycle) else None
        if page:
            page.result.add_done_callback(partial(self._respond, cycle, app, page))
        else:
            super()._start_asgi_task(cycle, app)

    def _is_eligible(self, cycle: RequestResponseCycle) -> bool:
        """Return whether a response can be written at once, and nothing else is required."""
        return (
            cycle.keep_alive
            and CONNECTION_CLOSE not in cycle.default_headers
            and not cycle.waiting_for_100_continue
            and not self.flow.write_paused
        )

    def _respond(
        self,
        cycle: RequestResponseCycle,
        app: "ASGI3Application",
        page: Pending,
        _result: asyncio.Future[Any],
    ) -> None:
        try:
            head, body = page.response()
        except Exception:  # noqa: BLE001 - raised again on the ASGI path
            fail_on_asgi_path(page, cycle.scope)
            super()._start_asgi_task(cycle, app)
            return
        if cycle.disconnected:
            return
        self.transport.write(b"%b%b\r\n%b" % (head, _headers(cycle, self.cors), body))
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()


def _headers(cycle: RequestResponseCycle, cors: CorsPolicy) -> bytes:
    """Return the headers that all responses have, the same as on the ASGI path."""
    headers = [b"%b: %b\r\n" % header for header in cycle.default_headers]
    headers.append(cors.headers(cycle.scope["headers"]))
    if not cycle.keep_alive:
        headers.append(b"connection: close\r\n")
    return b"".join(headers)


def protocol(fast_path: FastPath, cors: CorsPolicy) -> type[Protocol]:
    """Return the protocol class of an instance."""
    return type("Protocol", (Protocol,), {"fast_path": fast_path, "cors": cors})

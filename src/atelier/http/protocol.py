"""HTTP as uvicorn speaks it, with a fast path for plain pages and the contract's refusals."""

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import falcon
import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from atelier.http.common.cross_origin import CrossOrigin
from atelier.http.fast_path import FastPath, PlainPage
from atelier.store.reads import Found

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

CONNECTION_CLOSE = (b"connection", b"close")
"""The header of all answers while an instance takes its leave."""

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n"
_METHOD = re.compile(rb"[A-Z_-]+(?= )")
_UNKNOWN_METHOD = b"PURGE"
"""A method that the parser knows and Falcon does not: it stands for all that the parser refuses."""
_METHODS = {_UNKNOWN_METHOD, *(method.encode() for method in falcon.COMBINED_METHODS)}
_TEXT = b"Error: the request cannot be understood"
_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n%b%b\r\n%b"
)


class Protocol(HttpToolsProtocol):
    """Answers plain pages where uvicorn would start a task for a request that it has parsed.

    uvicorn reads from a request's cycle what its connection is meanwhile: busy, pipelined, left, to
    be closed. It is kept here as `RequestResponseCycle.send` keeps it.
    """

    fast_path: ClassVar[FastPath]
    cross_origin: ClassVar[CrossOrigin]

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse, as nginx words it, what is no HTTP.

        uvicorn's own would word it otherwise, and log a line for each. A wish to upgrade is
        ignored, as HTTP has it.
        """
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(data)
        except httptools.HttpParserUpgrade:
            pass

    def _refuse(self, data: bytes) -> None:
        """Refuse what cannot be parsed. A request that is being answered gets its answer first."""
        method = _METHOD.match(data)
        if self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body):
            self.cycle.keep_alive = False
        elif method and method[0] not in _METHODS and not (self.cycle and self.cycle.more_body):
            self._parse_again(_UNKNOWN_METHOD + data[method.end() :])
        else:
            self._send_refusal()

    def _parse_again(self, data: bytes) -> None:
        """Parse a request whose method was replaced: the application says what may be asked."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self.data_received(data)

    def _send_refusal(self) -> None:
        headers = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        origin = self.cross_origin.of_unknown
        self.transport.write(_REFUSAL % (len(_TEXT), origin, b"".join(headers), _TEXT))
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        page = self.fast_path.begin(cycle.scope) if self._is_plain(cycle) else None
        if page:
            page.found.add_done_callback(partial(self._answer, cycle, app, page))
        else:
            super()._start_asgi_task(cycle, app)

    def _is_plain(self, cycle: RequestResponseCycle) -> bool:
        """Tell whether nothing but an answer is expected, and can be sent at once."""
        return (
            cycle.keep_alive
            and CONNECTION_CLOSE not in cycle.default_headers
            and not cycle.waiting_for_100_continue
            and not self.flow.write_paused
        )

    def _answer(
        self,
        cycle: RequestResponseCycle,
        app: "ASGI3Application",
        page: PlainPage,
        found: asyncio.Future[Found],
    ) -> None:
        if found.exception():
            page.hand_over(cycle.scope)
            super()._start_asgi_task(cycle, app)
            return
        body = page.body()
        if cycle.disconnected:
            return
        self.transport.write(_head(cycle, len(body), self.cross_origin) + body)
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()


def _head(cycle: RequestResponseCycle, length: int, cross_origin: CrossOrigin) -> bytes:
    """Return the status and the headers that the ASGI path sends, too."""
    headers = [b"%b: %b\r\n" % header for header in cycle.default_headers]
    headers.append(cross_origin.fields(cycle.scope["headers"]))
    if not cycle.keep_alive:
        headers.append(b"connection: close\r\n")
    return _HEAD % (length, b"".join(headers))


def protocol(fast_path: FastPath, cross_origin: CrossOrigin) -> type[Protocol]:
    """Return the protocol of an instance."""
    parts = {"fast_path": fast_path, "cross_origin": cross_origin}
    return type("Protocol", (Protocol,), parts)

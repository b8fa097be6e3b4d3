"""HTTP as uvicorn speaks it, with a short way for plain pages."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from atelier.http.short_way import PlainPage, ShortWay
from atelier.store.reads import Found

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

LEAVE = (b"connection", b"close")
"""The header of all answers while an instance takes its leave."""

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n"


class Protocol(HttpToolsProtocol):
    """Answers plain pages where uvicorn would start a task for a request that it has parsed.

    uvicorn reads from a request's cycle what its connection is meanwhile: busy, pipelined, left, to
    be closed. It is kept here as `RequestResponseCycle.send` keeps it.
    """

    short_way: ClassVar[ShortWay]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        page = self.short_way.begin(cycle.scope) if self._is_plain(cycle) else None
        if page:
            page.found.add_done_callback(partial(self._answer, cycle, app, page))
        else:
            super()._start_asgi_task(cycle, app)

    def _is_plain(self, cycle: RequestResponseCycle) -> bool:
        """Tell whether nothing but an answer is expected, and can be sent at once."""
        return (
            cycle.keep_alive
            and LEAVE not in cycle.default_headers
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
        self.transport.write(_head(cycle, len(body)) + body)
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()


def _head(cycle: RequestResponseCycle, length: int) -> bytes:
    """Return the status and the headers that the general way sends, too."""
    headers = [b"%b: %b\r\n" % header for header in cycle.default_headers]
    if any(name == b"origin" for name, _ in cycle.scope["headers"]):
        headers.append(b"access-control-allow-origin: *\r\n")
    if not cycle.keep_alive:
        headers.append(b"connection: close\r\n")
    return _HEAD % (length, b"".join(headers))


def protocol(short_way: ShortWay) -> type[Protocol]:
    """Return the protocol of an instance."""
    return type("Protocol", (Protocol,), {"short_way": short_way})

"""Stands between the service and PostgreSQL, and can stop passing anything on: a black hole."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PIECE = 1 << 16


class TcpProxy:
    """A TCP server on this machine before a unix socket; its event loop has a thread of its own."""

    def __init__(self, target: Path) -> None:
        self.port = 0
        self._target = target
        self._started = threading.Event()

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        thread.start()
        self._started.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join()

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Pass nothing on, in neither direction, while the context lasts; refuse nobody."""
        self._loop.call_soon_threadsafe(self._passing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._passing.set)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over, self._passing = asyncio.Event(), asyncio.Event()
        self._passing.set()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._over.wait()
        server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_unix_connection(self._target)
        except OSError:  # nobody listens behind the gate
            writer.close()
            return
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                await self._passing.wait()
                writer.write(piece)
                await writer.drain()
            await self._passing.wait()
        writer.close()


@contextmanager
def running_gate(target: Path) -> Iterator[TcpProxy]:
    """Yield a gate before a unix socket."""
    gate = TcpProxy(target)
    with gate.serving():
        yield gate

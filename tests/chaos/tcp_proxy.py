"""A TCP proxy between the service and PostgreSQL that can become a black hole."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNK = 1 << 16


class TcpProxy:
    """A local TCP server that forwards to a unix socket, with its event loop in a thread."""

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
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Forward nothing, in either direction, while the context lasts, but accept connections."""
        self._loop.call_soon_threadsafe(self._forwarding.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._forwarding.set)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._forwarding = asyncio.Event(), asyncio.Event()
        self._forwarding.set()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_unix_connection(self._target)
        except OSError:  # nothing listens on the target
            writer.close()
            return
        with suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._forward(reader, upstream_writer), self._forward(upstream_reader, writer)
            )

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self._forwarding.wait()
                writer.write(chunk)
                await writer.drain()
            await self._forwarding.wait()
        writer.close()


@contextmanager
def running_proxy(target: Path) -> Iterator[TcpProxy]:
    """Yield a proxy in front of a unix socket."""
    proxy = TcpProxy(target)
    with proxy.serving():
        yield proxy

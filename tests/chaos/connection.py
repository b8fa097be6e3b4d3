"""A minimal persistent HTTP/1.1 connection, cheap enough for hundreds of requests/s."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

Address = Path | tuple[str, int]
"""A unix socket, or a host and a port."""

_NO_HEADERS: Mapping[str, str] = {}


class Response(NamedTuple):
    """A response; the header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Sends requests sequentially; reconnects if closed."""

    def __init__(self, address: Address, source: str | None = None) -> None:
        self._address = address
        self._local = (source, 0) if source else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] = _NO_HEADERS
    ) -> Response:
        """Return the response; raise OSError or EOFError if the connection breaks first."""
        try:
            reader, writer = self._streams = self._streams or await self._open()
            writer.write(_head(method, target, len(body), headers) + body)
            response = await _read_response(reader)
        except BaseException:
            self.close()
            raise
        if response.headers.get("connection") == "close":
            self.close()
        return response

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._address, Path):
            return await asyncio.open_unix_connection(self._address)
        return await asyncio.open_connection(*self._address, local_addr=self._local)


def _head(method: str, target: str, length: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: shop"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length:
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


async def _read_response(reader: asyncio.StreamReader) -> Response:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.splitlines()
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Response(int(first.split()[1]), headers, body)

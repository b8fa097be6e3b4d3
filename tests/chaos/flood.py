"""A client that sends reads at a constant rate: `flood.py PORT RATE SOURCE...`.

`RATE` is the total in requests per second, over forty connections from the sources in turn.
"""

import asyncio
import sys
from contextlib import suppress
from itertools import cycle, islice

_PRODUCTS = cycle(range(1, 200))
_CONNECTIONS = 40
_BATCHES_PER_SECOND = 10
_MAX_REQUESTS = 900  # per connection: nginx closes it after a thousand


async def _flood(port: int, source: str, batch_size: int) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(source, 0)
            )
            responses = asyncio.create_task(_discard(reader))
            await _send(writer, batch_size)
            writer.write_eof()
            await responses
            writer.close()


async def _send(writer: asyncio.StreamWriter, batch_size: int) -> None:
    for _ in range(_MAX_REQUESTS // batch_size):
        writer.write(b"".join(_request() for _ in range(batch_size)))
        await writer.drain()
        await asyncio.sleep(1 / _BATCHES_PER_SECOND)


def _request() -> bytes:
    target = f"/qa/questions?product_id={next(_PRODUCTS)}"
    return f"GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()


async def _discard(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(1 << 16):
            pass


async def _main(port: int, rate: int, *sources: str) -> None:
    batch_size = max(1, rate // (_BATCHES_PER_SECOND * _CONNECTIONS))
    floods = []
    for source in islice(cycle(sources), _CONNECTIONS):
        floods.append(asyncio.create_task(_flood(port, source, batch_size)))
        await asyncio.sleep(1 / _BATCHES_PER_SECOND / _CONNECTIONS)  # spread the batches evenly
    await asyncio.gather(*floods)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))

"""A client that sends reads at a constant rate: `flood.py PORT RATE SECONDS SOURCE...`.

`RATE` is the total in requests per second, over forty connections from the sources in turn. Prints
how many responses had which status, as JSON.
"""

import asyncio
import json
import re
import sys
from collections import Counter
from contextlib import suppress
from itertools import cycle, islice

_PRODUCTS = cycle(range(1, 200))
_CONNECTIONS = 40
_BATCHES_PER_SECOND = 10
_MAX_REQUESTS = 900  # per connection: nginx closes it after a thousand
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_STATUS_LINE_START = 11  # bytes of the longest part of it that is no match yet

statuses: Counter[int] = Counter()
"""The number of responses by status."""


async def _flood(port: int, source: str, batch_size: int) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(source, 0)
            )
            responses = asyncio.create_task(count(reader))
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


async def count(reader: asyncio.StreamReader) -> None:
    """Add the statuses of all responses to `statuses`, until the connection is closed."""
    rest = b""
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            data = rest + data
            end = 0
            for found in _STATUS.finditer(data):
                statuses[int(found[1])] += 1
                end = found.end()
            rest = data[max(end, len(data) - _STATUS_LINE_START) :]


async def _main(port: int, rate: int, seconds: float, *sources: str) -> None:
    batch_size = max(1, rate // (_BATCHES_PER_SECOND * _CONNECTIONS))
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as floods:
            for source in islice(cycle(sources), _CONNECTIONS):
                floods.create_task(_flood(port, source, batch_size))
                # Spread the batches evenly.
                await asyncio.sleep(1 / _BATCHES_PER_SECOND / _CONNECTIONS)
    sys.stdout.write(f"{json.dumps(statuses)}\n")


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]))

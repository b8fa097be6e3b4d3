"""The client that sends more than its share."""

import asyncio

from bench import flood


async def test_every_status_is_counted_once_wherever_the_data_is_split() -> None:
    rejection = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 3\r\n\r\n200"
    data = (b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHTTP/1.0 404" + rejection) * 3
    reader = asyncio.StreamReader()
    flood.statuses.clear()
    counting = asyncio.create_task(flood.count(reader))
    for byte in data:
        reader.feed_data(bytes([byte]))
        await asyncio.sleep(0)
    reader.feed_eof()
    await counting
    assert flood.statuses == {200: 3, 429: 3}

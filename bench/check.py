"""What is asked before anything is timed: that all answer the same, and how large a page is."""

import asyncio
import json
import random
import statistics
import urllib.request
from collections.abc import Sequence
from typing import Any

import asyncpg

from atelier.errors import AtelierError
from bench.data import Catalogue
from bench.sql import SQL
from bench.systems import Running

_SHOWN = 300
_SAMPLE = 500


def check_same_answers(systems: Sequence[Running], catalogue: Catalogue) -> int:
    """Compare each system's answers with the first one's; return how many were compared.

    Raises AtelierError with the first difference.
    """
    paths = _paths(asyncio.run(_check_ids(catalogue.dsn)))
    for path in paths:
        expected = _json(systems[0].url + path)
        for system in systems[1:]:
            _compare(path, systems[0].name, expected, system.name, _json(system.url + path))
    return len(paths)


def average_page(system: Running, products: int) -> int:
    """Return the mean size in bytes of the pages of products drawn as `uniform` random them."""
    draw = random.Random(1)  # noqa: S311 - to sample, not to hide
    ids = (draw.randint(1, products) for _ in range(_SAMPLE))
    urls = (f"{system.url}/qa/questions?product_id={product}" for product in ids)
    return round(statistics.mean(len(_get(url)) for url in urls))


async def _check_ids(dsn: str) -> list[tuple[int, int]]:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "atelier"})
    try:
        rows = await connection.fetch(SQL["check_ids"])
        return [(row["product_id"], row["id"]) for row in rows]
    finally:
        await connection.close()


def _paths(ids: Sequence[tuple[int, int]]) -> list[str]:
    products = dict.fromkeys(product for product, _ in ids)
    paging = ("", "&count=2&page=2", "&count=500", "&count=0", "&page=999")
    return [
        *(f"/qa/questions?product_id={product}{more}" for product in products for more in paging),
        *(f"/qa/questions/{question}/answers" for _, question in ids[::3]),
        *(f"/qa/questions/{question}/answers?count=1&page=2" for _, question in ids[::7]),
    ]


def _compare(path: str, one: str, expected: Any, other: str, got: Any) -> None:  # noqa: ANN401 - JSON
    if got != expected:
        raise AtelierError(
            f"{path}: {other} answers otherwise than {one}, so it is no use to time them.\n"
            f"{one}: {json.dumps(expected)[:_SHOWN]}\n{other}: {json.dumps(got)[:_SHOWN]}"
        )


def _json(url: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(_get(url))


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - our own address
        content: bytes = response.read()
        return content

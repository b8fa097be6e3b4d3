"""Checks before measuring: that all systems give the same responses, and the mean page size."""

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

_MAX_SHOWN = 300
_SAMPLE = 500


def check_same_responses(systems: Sequence[Running], catalogue: Catalogue) -> int:
    """Compare each system's responses with those of the first; return the number compared.

    Raises AtelierError at the first difference.
    """
    paths = _paths(asyncio.run(_check_ids(catalogue.dsn)))
    for path in paths:
        expected = _json(systems[0].url + path)
        for system in systems[1:]:
            _compare(path, systems[0].name, expected, system.name, _json(system.url + path))
    return len(paths)


def average_page_size(system: Running, products: int) -> int:
    """Return the mean page size, in bytes, of products sampled as in the workload `uniform`."""
    generator = random.Random(1)  # noqa: S311 - not for cryptography
    ids = (generator.randint(1, products) for _ in range(_SAMPLE))
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
            f"{path}: {other} and {one} give different responses, so they cannot be compared.\n"
            f"{one}: {json.dumps(expected)[:_MAX_SHOWN]}\n{other}: {json.dumps(got)[:_MAX_SHOWN]}"
        )


def _json(url: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(_get(url))


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - a local URL
        content: bytes = response.read()
        return content

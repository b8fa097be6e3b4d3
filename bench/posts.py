"""What the index of searches and the moderation rules cost a post.

One client posts questions through nginx, in turn: on a product without an index, on one with 50,000
questions that has one, and with rules in force.
"""

import asyncio
import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from atelier.errors import AtelierError
from atelier.local.postgres.embedded import Embedded
from atelier.store.connections.database import Database
from atelier.store.moderation.rule_versions import RuleVersions
from atelier.store.search.searcher import Searcher
from bench.profile.cost import postmaster
from bench.profile.cpu import tree_seconds
from bench.runner import run_folder
from bench.search import PRODUCT, QUESTIONS, large_product
from bench.systems import Running, ours, running
from bench.tables import spread, table

_POSTS = 100
"""Posts of each case per round: enough for the kernel's ticks of 10 ms, too few for an index."""
_WORDS = ", ".join(f'"blocked{number}"' for number in range(100))
_TEXT_RULES = f"""
[[rule]]
name = "words"
kind = "words"
action = "hold"
words = [{_WORDS}]
[[rule]]
name = "links"
kind = "links"
action = "hold"
max = 0
"""
_REPEATED_RULE = f"""{_TEXT_RULES}
[[rule]]
name = "copies"
kind = "repeated"
action = "hold"
within_hours = 48
"""
_ALL_RULES = f"""{_REPEATED_RULE}
[[rule]]
name = "strangers"
kind = "new_address"
action = "hold"
within_days = 30
"""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is posted to, and the rules in force."""

    title: str
    rules: str | None = None
    product_id: int | None = None
    """None: another one in each round."""


_CASES = (
    _Case("a product without an index, no rules"),
    _Case(f"a product with an index of {QUESTIONS:,} questions", product_id=PRODUCT),
    _Case("rules: 100 words, links", _TEXT_RULES),
    _Case("rules: the same, and repeated texts", _REPEATED_RULE),
    _Case("rules: the same, and new addresses, which hold each post", _ALL_RULES),
)


class _Sample(NamedTuple):
    """The µs of a post: until its answer, and of CPU time."""

    latency: float
    cpu: float


_Found = dict[_Case, list[_Sample]]


def measure_posts(embedded: Embedded, rounds: int, log: Callable[[str], None]) -> str:
    """Measure all cases in turn, in each round; return what was measured, with a table."""
    found: _Found = {case: [] for case in _CASES}
    new_products = itertools.count(PRODUCT + 1)
    with large_product(embedded) as dsn, run_folder(embedded) as folder:
        asyncio.run(_build_index(dsn))
        with running(ours(dsn), folder) as system, _connected(system) as connection:
            measured = (*system.pids, postmaster(embedded))
            for number in range(rounds):
                log(f"Round {number + 1} of {rounds}.")
                for case, samples in found.items():
                    asyncio.run(_put_in_force(dsn, case.rules))
                    product_id = case.product_id or next(new_products)
                    _post(connection, product_id, len(system.pids))  # each instance reads the rules
                    samples.append(_measure(connection, product_id, measured))
    return (
        f"Measured by `python -m bench posts` on {datetime.now(UTC):%Y-%m-%d}: {_POSTS} questions "
        f"of each case in turn, {rounds} times, by one client. CPU time is that of the instances "
        f"and PostgreSQL.\n\n{_table(found)}"
    )


async def _build_index(dsn: str) -> None:
    searcher = Searcher(Database(dsn, size=2, timeout=60))
    await searcher.indexer.state(PRODUCT)
    await searcher.indexer.wait()
    await searcher.close()


async def _put_in_force(dsn: str, rules: str | None) -> None:
    database = Database(dsn, size=1, timeout=60)
    await RuleVersions(database).change("bench", rules)
    await database.close()


@contextmanager
def _connected(system: Running) -> Iterator[http.client.HTTPConnection]:
    url = urlsplit(system.url)
    with closing(http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)) as opened:
        yield opened


def _measure(
    connection: http.client.HTTPConnection, product_id: int, processes: Sequence[int]
) -> _Sample:
    cpu, start = sum(map(tree_seconds, processes)), time.perf_counter()
    _post(connection, product_id, _POSTS)
    seconds, used = time.perf_counter() - start, sum(map(tree_seconds, processes)) - cpu
    return _Sample(seconds / _POSTS * 1e6, used / _POSTS * 1e6)


def _post(connection: http.client.HTTPConnection, product_id: int, times: int) -> None:
    for _ in range(times):
        body = f"is this new leather waterproof {time.time_ns()}"
        connection.request(
            "POST",
            f"/v1/products/{product_id}/questions",
            json.dumps({"body": body, "name": "jane", "email": "jane@example.com"}),
            {"Content-Type": "application/json"},
        )
        response = connection.getresponse()
        text = response.read()
        if response.status != HTTPStatus.CREATED:
            raise AtelierError(f"a post was answered with {response.status}: {text.decode()}")


def _table(found: _Found) -> str:
    base = found[_CASES[0]]
    head = ["", "latency, µs", "÷ first", "CPU, µs", "÷ first"]
    return table(head, [_row(case, samples, base) for case, samples in found.items()])


def _row(case: _Case, samples: Sequence[_Sample], base: Sequence[_Sample]) -> list[str]:
    return [
        case.title,
        *_figure(samples, base, lambda each: each.latency),
        *_figure(samples, base, lambda each: each.cpu),
    ]


def _figure(
    samples: Sequence[_Sample], base: Sequence[_Sample], figure: Callable[[_Sample], float]
) -> tuple[str, str]:
    ratios = [figure(a) / figure(b) for a, b in zip(samples, base, strict=True)]
    return spread(map(figure, samples), 0), spread(ratios, 2)

"""The overview: what all instances and the database do, as numbers and graphs."""

from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import falcon.asgi

from atelier import metrics
from atelier.http.common import params
from atelier.http.console.pages import Pages
from atelier.store.console.samples import Samples

RANGES = {"15m": (900, 10), "1h": (3600, 20), "6h": (21600, 120)}
"""The times that the graphs can show: their seconds, and the seconds of a step."""

_RECENT = timedelta(seconds=60)
_SILENT_SECONDS = 15
_BOUNDS = (*metrics.SECONDS, inf)
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_MAX_TIME = 253_402_300_799  # the end of the year 9999


class Overview:
    """`/console`."""

    def __init__(self, pages: Pages) -> None:
        """Take the pages."""
        self._pages = pages

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the page; its script reads the figures."""
        visitor = await self._pages.guard.admit(req)
        await self._pages.send(req, resp, visitor, "overview", ranges=list(RANGES))


class Figures:
    """`/console/metrics`."""

    def __init__(self, pages: Pages, samples: Samples) -> None:
        """Take the pages, and the samples of all instances."""
        self._pages = pages
        self._samples = samples

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the points of the graphs after a time, and the present state."""
        await self._pages.guard.admit(req)
        seconds, step = RANGES[params.one_of(req, "range", *RANGES) or "15m"]
        start = datetime.now(UTC) - timedelta(seconds=seconds)
        after = max(start, params.parse(req, "after", _time, "Unix time in seconds") or start)
        rows = await self._samples.series(after, step)
        complete = datetime.now(
            UTC
        ).timestamp()  # not every instance has reported for the last step
        resp.media = {
            "step": step,
            "seconds": seconds,
            "points": [_point(row) for row in rows if row["step"] + step <= complete],
            "instances": [
                _instance(row) for row in await self._samples.instances(_RECENT, _RECENT)
            ],
            "database": await self._samples.database(),
            "queue": await self._samples.queue_counts(),
        }


def _time(text: str) -> datetime:
    seconds = int(text)
    if not 0 <= seconds <= _MAX_TIME:
        raise ValueError
    return datetime.fromtimestamp(seconds, UTC)


def _point(row: dict[str, Any]) -> dict[str, Any]:
    batches = row.pop("batches")
    keys = row.pop("batch_keys")
    return {**_with_quantiles(row), "batch_size": keys / batches if batches else None}


def _instance(row: dict[str, Any]) -> dict[str, Any]:
    return {**_with_quantiles(row), "is_silent": row["age_seconds"] > _SILENT_SECONDS}


def _with_quantiles(row: dict[str, Any]) -> dict[str, Any]:
    """Replace a row's histogram by its quantiles, in seconds."""
    counts = row.pop("buckets") or ()
    buckets = dict(zip(_BOUNDS, counts, strict=False))
    return {**row, **{name: metrics.quantile(buckets, q) for name, q in _QUANTILES.items()}}

"""Stores a sample of this instance's metrics every few seconds, for the console's graphs."""

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from socket import gethostname

from atelier import __version__, metrics
from atelier.store.connections.database import DatabaseUnavailableError
from atelier.store.console.samples import Sample, Samples

INTERVAL_SECONDS = 5.0


class Sampler:
    """A resource of the application; it does nothing in an instance without a name."""

    def __init__(self, samples: Samples, instance: str) -> None:
        """Take where samples are stored, and the instance's name on this host."""
        self._samples = samples
        self._instance = instance and f"{gethostname()}/{instance}"
        self._started_at = datetime.now(UTC)
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start sampling."""
        if self._instance:
            self._task = asyncio.create_task(self._sample_periodically())

    async def close(self) -> None:
        """Stop sampling."""
        if self._task:
            self._task.cancel()

    async def _sample_periodically(self) -> None:
        while True:
            # Whatever is wrong with the database, requests say it; a sample is only left out.
            with suppress(DatabaseUnavailableError):
                await self._samples.add(current_sample(self._instance, self._started_at))
            await asyncio.sleep(INTERVAL_SECONDS)


def current_sample(instance: str, started_at: datetime) -> Sample:
    """Return this process's counters and state."""
    found = list(metrics.REGISTRY.collect())
    values: dict[str, float] = {}
    for metric in found:
        for sample in metric.samples:
            name = f"{sample.name} {sample.labels.get('state', '')}".strip()
            values[name] = values.get(name, 0) + sample.value
    responses = metrics.responses(found)
    return Sample(
        instance,
        started_at,
        responses.requests,
        responses.errors,
        [int(count) for _, count in sorted(responses.buckets.items())] or _NO_RESPONSES,
        int(values.get("atelier_batch_keys_count", 0)),
        int(values.get("atelier_batch_keys_sum", 0)),
        int(values.get("atelier_waiting_requests", 0)),
        int(values.get("atelier_pool_connections open", 0)),
        int(values.get("atelier_pool_connections idle", 0)),
        sum(os.times()[:2]),
        int(values.get("atelier_process_resident_memory_bytes", 0)),
        __version__,
    )


_NO_RESPONSES = [0] * (len(metrics.SECONDS) + 1)
